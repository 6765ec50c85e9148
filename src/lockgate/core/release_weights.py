# SPDX-License-Identifier: Apache-2.0
"""Receipts and a policy come in; which weights were planned, asked for and read back goes out, and why some were not.

Who tells a router says in no receipt what is live: only a router that reads its weight back does, or whoever asks it.
"""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.core.instant import instant_text
from lockgate.core.policy.policy import Mode
from lockgate.core.release_sources import ACKNOWLEDGEMENT, Entry, Part
from lockgate.core.rollout import TERMINAL

# As a policy, and as a receipt, writes what a planned step is.
_STEP_FIELDS = {
    "kind": "kind",
    "ring": "ring",
    "weight": "weight",
    "min_runs": "minRuns",
    "min_hold": "minHold",
    "max_hold": "maxHold",
    "settle": "settle",
    "soak": "soak",
    "holdback": "holdback",
    "approval": "approval",
    "gates": "gates",
}
SHADOW = "in shadow mode no weight is moved, so that none is read back"
UNREAD = "no router reads weights back: no receipt states one, and none was awaited"
AWAITED = "a weight was to be read back, and none was by the last receipt"
NOT_REACHED = "the rollout has not been at this step"
NOT_THERE = "no weight was read back while the rollout was at this step"
LAST = "the rollout ended by entering this step, and no later receipt states what was read back"


class Weights:
    """The weights of a rollout so far, each with the receipt that states it."""

    def __init__(self) -> None:
        self._asked: list[Json] = []
        self._observed: list[Json] = []
        self._at_step: dict[int, Json] = {}
        self._reached: set[int] = set()
        self._known: Json = None
        self._read_at: str | None = None
        self._is_awaited = self._is_shadow = False
        self._ended_at: int | None = None

    def add(self, entry: Entry) -> None:
        """Take the next receipt."""
        before, after = entry.part("from"), entry.part("to")
        self._is_shadow = entry.statement.predicate["mode"] == Mode.SHADOW
        self._reached |= {before["step"], after["step"]}
        if entry.is_move:
            self._asked.append(_asked(entry))
        if before["status"] not in TERMINAL and after["status"] in TERMINAL and before["step"] != after["step"]:
            self._ended_at = after["step"]
        self._observe(entry)

    def document(self, steps: list[Part]) -> Json:
        """Return the weights, with the steps of the policy in their order."""
        return {
            "planned": [self._planned(number, step) for number, step in enumerate(steps)],
            "asked": self._asked,
            "observed": self._observed,
            "unobserved": None if self._observed else self._why_none(),
        }

    def _observe(self, entry: Entry) -> None:
        """Take a weight that somebody read back, where a receipt states it for the first time.

        A look says when it was read; a receipt, which binds that look, which weight was known when it was written.
        """
        reads = [look for look in entry.looks if look["action"] == ACKNOWLEDGEMENT]
        if reads:
            self._read_at = instant_text(reads[-1]["at"])
        weight = entry.part("evidence").get("acknowledgedWeight")
        self._is_awaited |= weight is not None
        # The first receipt says 0 where somebody will read the weight back, and nobody has.
        if weight is not None and entry.statement.seq > 1 and (reads or weight != self._known):
            said = {"weight": weight, "readAt": self._read_at, "statedAt": entry.at, "rests": entry.rests()}
            self._at_step[entry.part("from")["step"]] = said
            self._observed += [said] if weight != self._known else []
        self._known = weight

    def _planned(self, number: int, step: Part) -> dict[str, Json]:
        declared = {name: step[field] for field, name in _STEP_FIELDS.items() if field in step}
        seen = self._at_step.get(number)
        why_not = None if seen is not None else self._why_not_at(number)
        return {"step": number, **declared, "observed": seen, "unobserved": why_not}

    def _why_not_at(self, number: int) -> str:
        if number not in self._reached:
            return NOT_REACHED
        if self._is_shadow or not self._is_awaited:
            return self._why_none()
        return LAST if number == self._ended_at else NOT_THERE

    def _why_none(self) -> str:
        if self._is_shadow:
            return SHADOW
        return AWAITED if self._is_awaited else UNREAD


def _asked(entry: Entry) -> dict[str, Json]:
    """Return the weight that was asked for from a receipt on; in shadow mode the one that would have been."""
    to, said = entry.part("to"), entry.part("decision")
    return {
        "at": entry.at,
        "step": to["step"],
        "weight": to["weight"],
        "wouldBeWeight": to["wouldBeWeight"],
        "status": to["status"],
        "action": said["action"],
        "cause": said["cause"],
        "reason": said["reason"],
        "rests": entry.rests(),
    }
