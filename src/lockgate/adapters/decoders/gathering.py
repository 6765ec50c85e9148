# SPDX-License-Identifier: Apache-2.0
"""Batches of runs come in; the buckets, pairs and counts of one reading go out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from lockgate.adapters.decoders.batch import Batch
from lockgate.adapters.decoders.first_runs import Marks, Texts
from lockgate.adapters.decoders.reading import Reading
from lockgate.core.bucket import Bucket
from lockgate.core.intake import WHOLE, Intake, Question, Slice
from lockgate.core.summary import Answers, Columns, badness, concatenate, pair, summarize

# Runs that are tallied at once: enough that numpy's calls cost nothing, few enough to stay in cache.
GROUP = 1 << 15


class Gathering:
    """Adds up batches; a run that is not the first of its id is set aside."""

    def __init__(self, question: Question, ids: Marks | Texts) -> None:
        self._question = question
        self._ids = ids
        self._waiting: defaultdict[str, list[Columns]] = defaultdict(list)
        self._buckets: dict[tuple[str, Slice], Bucket] = {}
        self._probes: defaultdict[str, _Probes] = defaultdict(_Probes)
        self._duplicates = 0

    def add_all(self, batches: Iterable[Batch]) -> None:
        """Take batches in the order read."""
        for batch in batches:
            self.add(batch)

    def add(self, batch: Batch) -> None:
        """Take one batch."""
        is_first = self._ids.first(batch)
        columns, probes = batch.columns, batch.probes
        if is_first is not None:
            columns = columns.take(is_first)
            self._duplicates += batch.columns.runs - columns.runs
            if probes is not None:
                probes = [probe for probe, first in zip(probes, is_first.tolist(), strict=True) if first]
        if probes is not None:
            self._probes[batch.release].add(columns, probes, self._question.paired_fields)
        waiting = self._waiting[batch.release]
        waiting.append(columns)
        if sum(part.runs for part in waiting) >= GROUP:
            self._tally(batch.release)

    def intake(self, reading: Reading, files: tuple[str, ...]) -> Intake:
        """Return what was gathered."""
        for release in list(self._waiting):
            self._tally(release)
        question = self._question
        pairs = {}
        if question.paired_fields:
            baseline, candidate = self._probes[question.baseline], self._probes[question.candidate]
            pairs = pair(baseline.answers(), candidate.answers(), question.paired_fields, question.slices)
        return Intake(
            buckets=dict(sorted(self._buckets.items())),
            pairs=pairs,
            releases=reading.releases,
            duplicates=self._duplicates,
            files=files,
            strangers=reading.strangers,
            labels=reading.labels,
        )

    def _tally(self, release: str) -> None:
        waiting = self._waiting.pop(release)
        columns = waiting[0] if len(waiting) == 1 else concatenate(waiting)
        for part, bucket in summarize(columns, self._question.slices).items():
            self._buckets[release, part] = self._buckets.get((release, part), Bucket()) + bucket


class _Probes:
    """The first run of each probe of one release."""

    def __init__(self) -> None:
        self._seen: dict[str, None] = {}
        self._columns: list[Columns] = []
        self._fields: Sequence[str] = ()

    def add(self, columns: Columns, probes: Sequence[str | None], fields: Sequence[str]) -> None:
        self._fields = fields
        is_new = np.zeros(columns.runs, np.bool_)
        for position, probe in enumerate(probes):
            if probe is not None and probe not in self._seen:
                self._seen[probe] = None
                is_new[position] = True
        if is_new.any():
            self._columns.append(columns.take(is_new))

    def answers(self) -> Answers:
        if not self._columns:
            return Answers()
        columns = concatenate(self._columns)
        return Answers(
            probes=tuple(self._seen),
            badness={name: badness(columns, name) for name in self._fields},
            parts={part: mask for part, mask in columns.parts.items() if part != WHOLE},
        )
