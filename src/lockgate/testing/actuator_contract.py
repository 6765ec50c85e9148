# SPDX-License-Identifier: Apache-2.0
"""An actuator comes in; pytest says whether it keeps the port's promises.

class TestMine(ActuatorContract):
    def actuator(self) -> Actuator: ...
    def endpoint(self, behaviour: Behaviour, folder: Path) -> Endpoint: ...
    def received(self, folder: Path) -> list[bytes]: ...
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import pytest

from lockgate.core.delivery import MAX_OUTPUT
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message
from lockgate.core.transition import Event
from lockgate.ports.actuator import Actuator

DATA = {
    "app": "web",
    "baseline_release": "v36",
    "candidate_release": "abc \N{SNOWMAN} 123",
    "weight": 25.0,
    "target": None,
    "step": 1,
    "revision": 3,
    "decision_event_id": "rcp_1",
    "reason": "clean " * 20_000,
}
MESSAGE = Message(
    id="evt_1_promote",
    app="web",
    rollout_id="rol_1",
    seq=2,
    event=Event.PROMOTE,
    at=7,
    body=json.dumps({"type": "rollout.promote", "data": DATA}).encode(),
)
TIMEOUT_S = 2.0


class Behaviour(StrEnum):
    """What the endpoint under test does with a message."""

    CARRIES_OUT = "keeps the message and says nothing"
    READS_BACK = "keeps the message and says that 25 % is live"
    REFUSES = "says that it did not carry the message out"
    IS_SILENT = "never answers"
    IS_NOT_THERE = "cannot be reached at all"
    TALKS = "keeps the message, says far more than is kept, and confirms"
    READS_GARBAGE = "says a weight that is none"


FAULTY = (Behaviour.REFUSES, Behaviour.IS_SILENT, Behaviour.IS_NOT_THERE, Behaviour.READS_GARBAGE)


class ActuatorContract:
    """What every actuator must do."""

    def actuator(self) -> Actuator:
        """Return the actuator under test."""
        raise NotImplementedError

    def endpoint(self, behaviour: Behaviour, folder: Path) -> Endpoint:
        """Return an endpoint that behaves in one way and has a folder for itself."""
        raise NotImplementedError

    def received(self, folder: Path) -> list[bytes]:
        """Return the bytes that the endpoint of a folder kept, in their order."""
        raise NotImplementedError

    def prepared(self, behaviour: Behaviour, folder: Path) -> Endpoint:
        """Return an endpoint that behaves in one way, with little time."""
        return replace(self.endpoint(behaviour, folder), timeout_s=TIMEOUT_S)

    def test_the_bytes_arrive_as_they_are(self, tmp_path: Path) -> None:
        """However often it is sent, and whatever is in it."""
        endpoint = self.prepared(Behaviour.CARRIES_OUT, tmp_path)

        answers = [self.actuator().carry_out(endpoint, MESSAGE) for _ in range(2)]

        assert [(each.fault, each.observed) for each in answers] == [(None, None)] * 2
        assert self.received(tmp_path) == [MESSAGE.body] * 2

    def test_a_weight_that_is_read_back_is_told(self, tmp_path: Path) -> None:
        """It is what the endpoint says, whatever was asked for."""
        carried = self.actuator().carry_out(self.prepared(Behaviour.READS_BACK, tmp_path), MESSAGE)

        assert (carried.fault, carried.observed) == (None, 25.0)

    def test_silence_about_the_weight_is_a_fault_of_who_should_read_it_back(self, tmp_path: Path) -> None:
        """Nothing is acknowledged by leaving it out."""
        endpoint = replace(self.prepared(Behaviour.CARRIES_OUT, tmp_path), is_acknowledging=True)

        carried = self.actuator().carry_out(endpoint, MESSAGE)

        assert carried.fault
        assert carried.observed is None

    @pytest.mark.parametrize("behaviour", FAULTY)
    def test_what_goes_wrong_is_one_sentence_in_time(self, behaviour: Behaviour, tmp_path: Path) -> None:
        """No exception, no endless wait, no weight, and a line that a person can read."""
        endpoint = self.prepared(behaviour, tmp_path)
        before = time.monotonic()

        carried = self.actuator().carry_out(endpoint, MESSAGE)

        assert carried.fault
        assert "\n" not in carried.fault
        assert carried.observed is None
        # Far more than is promised, because the machine may be busy with something else.
        assert time.monotonic() - before < 30 * TIMEOUT_S

    def test_only_the_end_of_what_is_said_is_kept(self, tmp_path: Path) -> None:
        """However much it is."""
        carried = self.actuator().carry_out(self.prepared(Behaviour.TALKS, tmp_path), MESSAGE)

        assert carried.fault is None
        assert len(carried.output) <= MAX_OUTPUT
