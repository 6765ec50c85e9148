# SPDX-License-Identifier: Apache-2.0
"""What is being told while a command answers is no warning: docs/spec.md, Webhooks."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from lockgate.cli.asked import caller_place
from lockgate.core.delivery import Carried
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.outbox import Message
from lockgate.operations.webhooks.deliver import Bounds, deliver
from lockgate.testing.recipients import Recipients
from tests.server.served import API, served
from tests.spec.line import created, world
from tests.spec.webhooked import hooked

SCREEN = {"width": 100, "colour": False, "unicode": True}


@dataclass(slots=True)
class _Slow(Recipients):
    """Receivers that answer when they are let."""

    is_asked: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def carry_out(self, endpoint: Endpoint, message: Message) -> Carried:  # noqa: ARG002 -- it only waits
        """Wait."""
        self.is_asked.set()
        self.may_answer.wait(30)
        return Carried(code=200, output="taken")


@pytest.mark.clause("WH-94")
@pytest.mark.parametrize("is_slow", [True, False])
def test_what_is_under_way_is_noted_and_no_warning(monkeypatch: pytest.MonkeyPatch, *, is_slow: bool) -> None:
    """A receiver that takes its time is a note; one that answers within a moment is waited for and not told of."""
    monkeypatch.setattr(caller_place, "WAIT_S", 30.0)
    monkeypatch.setattr(caller_place, "UNDER_WAY_S", 0.1 if is_slow else 30.0)
    here, receivers = world(), _Slow()
    hooked(here, receivers, "https://example.com/")
    rollout = created(here).rollout
    deliver(here.house, {Kind.WEBHOOK: Recipients()}, Bounds())
    if not is_slow:
        receivers.may_answer.set()
    is_over = threading.Event()

    def send() -> None:
        while not is_over.wait(0.01):
            deliver(here.house, {Kind.WEBHOOK: receivers}, Bounds())

    sending = threading.Thread(target=send)
    with served(here, receivers=receivers) as door:
        admin = door.caller("admin")
        sending.start()
        asked = {"words": {"reason": "a drill"}, "screen": SCREEN}
        said = admin.post(f"{API}/rollouts/{rollout.id}/screens/pause", asked).json()
        receivers.may_answer.set()
        is_over.set()
        sending.join(30)

    told = [line for line in said["told"] if "has not been told" in line]
    assert (said["code"], receivers.is_asked.is_set(), len(told)) == (0, True, int(is_slow))
    assert all(line.startswith("note: ") and "being told at this moment" in line for line in told)
