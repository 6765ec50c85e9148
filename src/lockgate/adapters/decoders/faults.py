# SPDX-License-Identifier: Apache-2.0
"""What is wrong with what was read comes in, place by place; one DataError that shows the first of it goes out."""

from __future__ import annotations

from collections.abc import Callable

from lockgate.core.wording import count_text
from lockgate.errors import DataError

SHOWN = 10
# What is wrong, or what finds it out.
What = str | Callable[[], str]
ADVICE = "Correct these runs or leave them out, and compare again: nothing was judged."


class Faults:
    """Counts faults and remembers the first ten; `advice` says what to do about them."""

    def __init__(self, advice: str = ADVICE) -> None:
        self._advice = advice
        self._shown: list[str] = []
        self._count = self._runs = 0
        self._place = ""

    @property
    def is_full(self) -> bool:
        """Say whether a further fault would only be counted."""
        return len(self._shown) >= SHOWN

    def add(self, place: str, what: What) -> None:
        """Take one fault: `file:line` and what is wrong there, or what finds it out for one that is shown.

        To find out takes a thousand times what it takes to see that a run is wrong, and a batch may be all wrong.
        """
        self._count += 1
        # What is wrong with one run comes one after another.
        self._runs += place != self._place
        self._place = place
        if not self.is_full:
            self._shown.append(f"{place}: {what if isinstance(what, str) else what()}")

    def count(self, more: int) -> None:
        """Take faults that are not shown."""
        self._count += more
        self._runs += more

    def fail(self, place: str, what: str) -> DataError:
        """Return the error of a fault after which reading cannot go on."""
        self.add(place, what)
        return self.error()

    def error(self) -> DataError:
        """Return the error that shows the faults so far."""
        if self._count == 1:
            return DataError(self._shown[0], advice=self._advice)
        rest = self._count - len(self._shown)
        lines = [
            f"{count_text(self._runs, 'run')} cannot be read",
            *self._shown,
            *([f"and {rest:,} more"] if rest else []),
        ]
        return DataError("\n".join(lines), advice=self._advice)

    def check(self) -> None:
        """Raise the error if there is any fault."""
        if self._count:
            raise self.error()
