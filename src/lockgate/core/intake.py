# SPDX-License-Identifier: Apache-2.0
"""Runs that were read come in as tallies; what a comparison needs to know of them goes out.

A slice is a tuple of (label, value) pairs, sorted; the empty tuple is every run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lockgate.core.bucket import Bucket, Pairs

Slice = tuple[tuple[str, str], ...]
WHOLE: Slice = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to tally: two releases, the slices of their runs, and the fields whose probes are paired."""

    baseline: str
    candidate: str
    slices: tuple[Slice, ...] = (WHOLE,)
    paired_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What reading gave: one bucket per release and slice, paired probes, and what was set aside.

    `releases` counts the runs of every release seen, so that an unknown name can be answered with the known ones.
    `duplicates` counts runs whose id had been read before in the same release; the first was kept.
    `strangers` are fields that were not read and look like one that is; `labels` are the names of labels seen,
    where slices were asked for.
    """

    buckets: Mapping[tuple[str, Slice], Bucket]
    pairs: Mapping[tuple[str, Slice], Pairs] = field(default_factory=dict)
    releases: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    files: tuple[str, ...] = ()
    strangers: Mapping[str, str] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()

    def bucket(self, release: str, part: Slice = WHOLE) -> Bucket:
        """Return the tallies of one release and slice; none is an empty bucket."""
        return self.buckets.get((release, part), Bucket())
