# SPDX-License-Identifier: Apache-2.0
"""The ids of runs come in batch by batch; which runs are the first of their id goes out.

Ten million ids do not fit a set of texts in the memory that reading may take, so the first pass keeps only 64-bit
marks. If no mark came twice in a release, no id did, and that is proof. Otherwise the files are read again:
in that second pass the texts of ids whose mark came twice are compared, and nothing rests on the marks.
What can be read only once, such as standard input, has its texts compared from the start.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from lockgate.adapters.decoders.batch import Batch
from lockgate.core.summary import Integers, Mask


class Marks:
    """A first pass: every run counts, and marks are kept."""

    def __init__(self) -> None:
        self._marks: defaultdict[str, list[Integers]] = defaultdict(list)

    def first(self, batch: Batch) -> Mask | None:
        """Return which runs count; None means all."""
        ids = batch.ids
        self._marks[batch.release].append(ids.marks if ids.is_given.all() else ids.marks[ids.is_given])
        return None

    def repeated(self) -> dict[str, Integers]:
        """Return the marks that came more than once, sorted, for each release that has any."""
        found = {}
        for release in list(self._marks):
            marks = np.concatenate(self._marks.pop(release))
            marks.sort()
            again = marks[1:][marks[1:] == marks[:-1]]
            if again.size:
                found[release] = again[np.append(True, again[1:] != again[:-1])]
        return found


class Texts:
    """A pass that decides: ids are compared by their texts, where the mark came twice or for all runs."""

    def __init__(self, suspects: Mapping[str, Integers] | None = None) -> None:
        self._suspects = suspects
        self._seen: defaultdict[str, set[str]] = defaultdict(set)

    def first(self, batch: Batch) -> Mask | None:
        """Return which runs are the first of their id; None means all."""
        positions = np.flatnonzero(self._is_suspect(batch))
        if positions.size == 0:
            return None
        seen = self._seen[batch.release]
        is_first = np.ones(batch.columns.runs, np.bool_)
        for position, text in zip(positions.tolist(), batch.ids.texts(positions), strict=True):
            is_first[position] = text not in seen
            seen.add(text)
        return is_first

    def _is_suspect(self, batch: Batch) -> Mask:
        ids = batch.ids
        if self._suspects is None:
            return ids.is_given
        suspects = self._suspects.get(batch.release)
        if suspects is None:
            return np.zeros(batch.columns.runs, np.bool_)
        place = np.minimum(np.searchsorted(suspects, ids.marks), suspects.size - 1)
        is_suspect: Mask = suspects[place] == ids.marks
        return ids.is_given & is_suspect
