# SPDX-License-Identifier: Apache-2.0
"""Sentences on what goes wrong come in, the same ones again and again; each goes out once, then once a minute counted.

An outage is told when it begins, while it lasts and when it is over, however many callers and threads meet it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

REMIND_S = 60.0
OVER_S = 15.0
# Further sentences are as good as new ones: the oldest is forgotten.
MAX_KEPT = 100


@dataclass(slots=True)
class _Complaint:
    """One sentence: since when it is heard, when it was last heard and told, and how often it came since then."""

    since: float
    heard: float
    told: float
    untold: int = 0


class Complaints:
    """Hears sentences from any thread and tells what is new; `seconds` is a clock that never goes back.

    `over_s`: what nobody complained of for so long is over.
    """

    def __init__(
        self, tell: Callable[[str], None], seconds: Callable[[], float] = time.monotonic, over_s: float = OVER_S
    ) -> None:
        self._tell, self._seconds, self._over_s = tell, seconds, over_s
        self._turn = threading.Lock()
        self._known: dict[str, _Complaint] = {}

    def hear(self, sentence: str, advice: str = "") -> None:
        """Tell a sentence where it is new, and its number once a minute where it is not."""
        with self._turn:
            self._forget_over()
            now = self._seconds()
            known = self._known.get(sentence)
            if known is None:
                self._known[sentence] = _Complaint(now, now, now)
                if len(self._known) > MAX_KEPT:
                    del self._known[next(iter(self._known))]
                self._tell(f"warning: {sentence}\n{advice}" if advice else f"warning: {sentence}")
                return
            known.heard, known.untold = now, known.untold + 1
            if now - known.told >= REMIND_S:
                self._tell(f"warning: {sentence} ({known.untold:,} times more, for {now - known.since:,.0f} s now)")
                known.told, known.untold = now, 0

    def look(self) -> None:
        """Tell what is over."""
        with self._turn:
            self._forget_over()

    def _forget_over(self) -> None:
        now = self._seconds()
        for sentence, known in list(self._known.items()):
            if now - known.heard < self._over_s:
                continue
            del self._known[sentence]
            # What came once was told once, and needs no end.
            if known.heard > known.since:
                self._tell(f"it is over, after {known.heard - known.since:,.0f} s: {sentence}")
