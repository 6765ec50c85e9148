# SPDX-License-Identifier: Apache-2.0
"""Logs come in again and again; whoever outside signs their checkpoints is asked when that is due, and never sooner.

Nothing that decides waits for it. Whoever does not answer is asked after waits that double, so that a witness that
hangs takes no more than a small part of the time in which the others are asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lockgate.core.instant import SECOND, Instant
from lockgate.core.witness_policy import Witness
from lockgate.operations.witness.cosign_outcome import CosignOutcome
from lockgate.operations.witness.stamping import StampOutcome, stamp
from lockgate.operations.witness.witnessing import ask_witness
from lockgate.ports.house import House
from lockgate.ports.timestamps import TimestampAuthority
from lockgate.ports.witness import Witnesses

FIRST_WAIT_S, LONGEST_WAIT_S = 30, 900


@dataclass(slots=True)
class _Wait:
    """How often somebody has not answered in a row, and until when nobody asks again."""

    failures: int = 0
    until: Instant = 0


class Vouching:
    """Asks witnesses and a timestamp authority; `tell` hears what they said that somebody should know."""

    def __init__(self, witnesses: Witnesses, authority: TimestampAuthority | None, tell: Callable[[str], None]) -> None:
        self._witnesses, self._authority, self._tell = witnesses, authority, tell
        self._waits: dict[tuple[str, str], _Wait] = {}

    def turn(self, house: House) -> None:
        """Ask whoever has something to sign of a house's log and is not waited for."""
        for each in self._witnesses.witnesses():
            self._ask(house, each)
        if self._authority is not None:
            self._stamp(house, self._authority)

    def _ask(self, house: House, witness: Witness) -> None:
        if self._is_waiting(house, witness.name):
            return
        asked = ask_witness(house, self._witnesses, witness)
        if asked is not None:
            # Whoever does not answer is asked for no other log either.
            org = "" if asked.outcome is CosignOutcome.UNREACHABLE else house.org
            self._note(house, (org, witness.name), asked.said)

    def _stamp(self, house: House, authority: TimestampAuthority) -> None:
        if self._is_waiting(house, authority.url):
            return
        came_to = stamp(house, authority)
        if came_to.outcome is not StampOutcome.NOT_DUE:
            self._note(house, ("", authority.url), came_to.said)

    def _is_waiting(self, house: House, name: str) -> bool:
        found = (self._waits.get((org, name)) for org in ("", house.org))
        return any(each is not None and house.clock.now() < each.until for each in found)

    def _note(self, house: House, key: tuple[str, str], said: str) -> None:
        """Remember whether it went well; what went wrong is told."""
        if not said:
            self._waits.pop(key, None)
            self._waits.pop(("", key[1]), None)
            return
        wait = self._waits.setdefault(key, _Wait())
        seconds = min(LONGEST_WAIT_S, FIRST_WAIT_S << min(wait.failures, 10))
        wait.failures, wait.until = wait.failures + 1, house.clock.now() + seconds * SECOND
        self._tell(said)
