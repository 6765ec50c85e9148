# SPDX-License-Identifier: Apache-2.0
"""A snapshot and trusted keys come in; what a check of it has found so far goes out, bounded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lockgate.core.soundness.flaw import Flaw, Rule
from lockgate.errors import LockgateError
from lockgate.ports.store import Snapshot
from lockgate.ports.tell import Tell
from lockgate.verify import Keys

# Of each rule; further flaws are counted: a store that is broken whole would fill memory with sentences.
# Many of one rule hide none of another, by which what is told first and what can be repaired are chosen.
MAX_FLAWS = 1_000


@dataclass(slots=True)
class Check:
    """A check under way: what it reads, and what it has found, counted, and could not recompute."""

    seen: Snapshot
    org: str
    keys: Keys
    tell: Tell
    flaws: list[Flaw] = field(default_factory=list)
    further: int = 0
    kept: Counter[Rule] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    unknown: dict[str, None] = field(default_factory=dict)
    is_unread: bool = False

    @contextmanager
    def within(self, where: str) -> Iterator[None]:
        """Check a part; where what is stored there cannot even be read, that is a flaw, and the check goes on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- a row that somebody made may raise whatever
            self.is_unread = True
            what = error.message if isinstance(error, LockgateError) else f"{type(error).__name__}: {error}"
            self.add([Flaw(Rule.FILE, where, f"it could not be checked to the end: {what}")])

    def add(self, flaws: Iterable[Flaw]) -> bool:
        """Keep flaws; say whether there were any."""
        is_flawed = False
        for flaw in flaws:
            is_flawed = True
            if self.kept[flaw.rule] < MAX_FLAWS:
                self.kept[flaw.rule] += 1
                self.flaws.append(flaw)
            else:
                self.further += 1
        return is_flawed

    def count(self, what: str, number: int = 1) -> None:
        """Count what was looked at."""
        self.counted[what] += number
        self.tell(what, self.counted[what])

    def leave(self, sentence: str) -> None:
        """Keep, in words, what could not be recomputed."""
        if len(self.unknown) < MAX_FLAWS:
            self.unknown[sentence] = None
