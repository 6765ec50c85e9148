# SPDX-License-Identifier: Apache-2.0
"""Receipts and the looks that they bind come in; what alarmed somebody, each with its span of time, goes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lockgate.core.canonical import Json
from lockgate.core.decision.decision import Cause
from lockgate.core.finding import Outcome
from lockgate.core.instant import instant_text
from lockgate.core.release_sources import Entry

# Of these causes even a hold is an alert; others wait for what has yet to come.
ALARMING = frozenset(
    {
        Cause.REGRESSION,
        Cause.FLOOR,
        Cause.INVARIANT,
        Cause.SUSTAINED,
        Cause.LIMIT,
        Cause.DEADLINE,
        Cause.DISAGREEMENT,
        Cause.UNAVAILABLE,
        Cause.ALARM,
        Cause.UNTOLD,
        Cause.FREEZE,
    }
)
ALARMING_OUTCOMES = (Outcome.REGRESSED, Outcome.UNAVAILABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """A turn of the loop: what it said, and the receipt that says or binds it."""

    at: str
    action: str
    cause: str
    outcome: str
    reason: str
    entry: Entry

    @property
    def kind(self) -> str:
        """Return what alarms in it; nothing where nothing does."""
        if self.cause in ALARMING:
            return self.cause
        return self.outcome if self.outcome in ALARMING_OUTCOMES else ""


class Alerts:
    """The alerts of a rollout so far; turns that say the same one after another are one alert."""

    def __init__(self) -> None:
        self._found: list[dict[str, Any]] = []
        self._last = ("", "")

    def add(self, entry: Entry) -> None:
        """Take the turns that a receipt states or binds."""
        for turn in _turns(entry):
            said = (turn.kind, turn.action)
            if turn.kind and said == self._last:
                self._found[-1] |= {"until": turn.at, "turns": self._found[-1]["turns"] + 1, "lastRests": entry.rests()}
            elif turn.kind:
                self._found.append(_alert(turn))
            self._last = said

    def documents(self) -> list[Json]:
        """Return the alerts in their order."""
        return list(self._found)


def _alert(turn: _Turn) -> dict[str, Json]:
    return {
        "kind": turn.kind,
        "action": turn.action,
        "from": turn.at,
        "until": turn.at,
        "turns": 1,
        "reason": turn.reason,
        "rests": turn.entry.rests(),
        "lastRests": turn.entry.rests(),
    }


def _turns(entry: Entry) -> Iterator[_Turn]:
    for look in entry.looks:
        yield _Turn(
            at=instant_text(look["at"]),
            action=look["action"],
            cause=look["cause"],
            outcome=look["outcome"],
            reason=look["reason"],
            entry=entry,
        )
    verdict = entry.statement.predicate["verdict"]
    if entry.is_by_loop and isinstance(verdict, Mapping):
        said = entry.part("decision")
        yield _Turn(
            at=entry.at,
            action=said["action"],
            cause=said["cause"],
            outcome=str(verdict["outcome"]),
            reason=said["reason"],
            entry=entry,
        )
