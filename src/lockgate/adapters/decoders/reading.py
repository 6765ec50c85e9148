# SPDX-License-Identifier: Apache-2.0
"""A question and its files come in; what all decoders of one reading share, and report to, goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from lockgate.adapters.decoders.faults import Faults
from lockgate.adapters.decoders.row import ScoreNames, stranger
from lockgate.core.intake import WHOLE, Question
from lockgate.ports.reading import Progress

MAX_RELEASES = 1_000
REST = "and more"
# Of each release in each file so many runs are asked for fields that nobody reads.
LOOKED_AT = 100
MAX_STRANGERS = 20
MAX_NAMES = 1_000


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
        self._rest = 0
        self._currency: str | None = None
        self._progress = progress
        self._total = total
        self._done = 0
        self._strangers: dict[str, str] = {}
        self._field_names: set[str] = set()
        self._looked_at: Counter[str] = Counter()
        self._labels: set[str] = set()
        self.has_slices = any(part != WHOLE for part in question.slices)

    @property
    def arms(self) -> frozenset[str]:
        """Return the two releases that are tallied."""
        return self._arms

    @property
    def releases(self) -> dict[str, int]:
        """Return how many runs each release has, by name; past a thousand names the rest is one number."""
        named, label = dict(sorted(self._releases.items())), REST
        while label in named:
            # A release may be called so.
            label = f"({label})"
        return named | ({label: self._rest} if self._rest else {})

    def count(self, releases: Iterable[str]) -> None:
        """Count one run for each name."""
        self.count_all(Counter(releases))

    def count_all(self, releases: Mapping[str, int]) -> None:
        """Count runs by release."""
        for name, count in releases.items():
            is_room = name in self._arms or name in self._releases or len(self._releases) < MAX_RELEASES
            if is_room:
                self._releases[name] += count
            else:
                self._rest += count

    def count_rest(self, runs: int) -> None:
        """Count runs of releases that are not named."""
        self._rest += runs

    @property
    def strangers(self) -> dict[str, str]:
        """Return fields that are not read, each with the field that it may be meant to be."""
        return dict(sorted(self._strangers.items()))

    @property
    def labels(self) -> frozenset[str]:
        """Return the names of labels that were noted."""
        return frozenset(self._labels)

    def is_curious_of(self, release: str) -> bool:
        """Say whether more runs of a release, in this file, are to be looked at."""
        return self._looked_at[release] < LOOKED_AT

    def look_at(self, release: str, positions: Sequence[int], fields: Callable[[int], Iterable[str]]) -> None:
        """Look for fields that are nearly those that are read, in the first runs of a release in each file."""
        left = LOOKED_AT - self._looked_at[release]
        for position in positions[:left]:
            self.note_fields(fields(position))
        self._looked_at[release] += len(positions[:left])

    def note_fields(self, names: Iterable[str]) -> None:
        """Note which of the names are not read and look like one that is."""
        for name in names:
            if name in self._field_names or len(self._field_names) >= MAX_NAMES:
                continue
            self._field_names.add(name)
            meant = stranger(name)
            if meant and len(self._strangers) < MAX_STRANGERS:
                self._strangers[name] = meant

    def note_labels(self, names: Iterable[str]) -> None:
        """Note names of labels, as many as may be told apart."""
        if len(self._labels) < MAX_NAMES:
            self._labels.update(names)

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
        self._looked_at.clear()
        self._done += size
        self._progress(self._done, self._total)
