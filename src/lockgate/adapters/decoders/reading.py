# SPDX-License-Identifier: Apache-2.0
"""A question and its files come in; what all decoders of one reading share, and report to, goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from lockgate.adapters.decoders.faults import Faults
from lockgate.adapters.decoders.row import ScoreNames
from lockgate.core.intake import Question
from lockgate.ports import Progress

MAX_RELEASES = 1_000
REST = "and more"


class Reading:
    """One pass over all files of a call.

    `is_mixed` says that ids of several formats must share their marks.
    """

    def __init__(self, question: Question, progress: Progress, total: int | None, *, is_mixed: bool) -> None:
        self.question = question
        self.faults = Faults()
        self.score_names = ScoreNames()
        self.is_mixed = is_mixed
        self._arms = frozenset((question.baseline, question.candidate))
        self._releases: Counter[str] = Counter()
        self._currency: str | None = None
        self._progress = progress
        self._total = total
        self._done = 0

    @property
    def arms(self) -> frozenset[str]:
        """Return the two releases that are tallied."""
        return self._arms

    @property
    def releases(self) -> dict[str, int]:
        """Return how many runs each release has, by name; past a thousand names the rest is one number."""
        rest = self._releases.get(REST, 0)
        named = {name: count for name, count in sorted(self._releases.items()) if name != REST}
        return named | ({REST: rest} if rest else {})

    def count(self, releases: Iterable[str]) -> None:
        """Count one run for each name."""
        self.count_all(Counter(releases))

    def count_all(self, releases: Mapping[str, int]) -> None:
        """Count runs by release."""
        for name, count in releases.items():
            is_room = name in self._arms or name in self._releases or len(self._releases) < MAX_RELEASES
            self._releases[name if is_room else REST] += count

    def count_rest(self, runs: int) -> None:
        """Count runs of releases that are not named."""
        self._releases[REST] += runs

    def currency_flaw(self, currency: str | None) -> str | None:
        """Return what is wrong with a cost's currency after those seen before; a cost without one says nothing."""
        if currency is None or currency == self._currency:
            return None
        if self._currency is None:
            self._currency = currency
            return None
        return f"cost is in {currency}, before it was in {self._currency}; bring all costs into one currency"

    def tell(self, done_in_file: int) -> None:
        """Tell how many bytes of the file being read are done."""
        self._progress(self._done + done_in_file, self._total)

    def finish(self, size: int) -> None:
        """Count a file as done."""
        self._done += size
        self._progress(self._done, self._total)
