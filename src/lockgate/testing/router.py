# SPDX-License-Identifier: Apache-2.0
"""Messages come in; a router that carries them out, or fails as it is told to, goes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lockgate.core.delivery import Carried
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message


def _nothing(message: Message) -> None:  # noqa: ARG001 -- that it happens is all
    return None


@dataclass(slots=True)
class Router:
    """An actuator in memory: keeps what reached it and the weight of each candidate.

    `faults`: what goes wrong with each of the next messages; None is nothing. `is_reading_back`: whether it answers
    with the weight that is live, and `stuck` what that is whatever it is told. `meanwhile` happens while it works.
    """

    faults: list[str | None] = field(default_factory=list)
    is_reading_back: bool = False
    stuck: float | None = None
    meanwhile: Callable[[Message], None] = _nothing
    reached: list[Message] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)

    def carry_out(self, endpoint: Endpoint, message: Message) -> Carried:  # noqa: ARG002 -- there is one router, whoever is named
        """Set the weight of a candidate."""
        self.reached.append(message)
        self.meanwhile(message)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            return Carried(fault=fault)
        self.told.append(message)
        candidate, weight = message.data["candidate_release"], message.data["weight"]
        assert isinstance(candidate, str)
        assert isinstance(weight, int | float)
        self.weights[candidate] = live = float(weight) if self.stuck is None else self.stuck
        return Carried(observed=live if self.is_reading_back else None)
