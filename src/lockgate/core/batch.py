# SPDX-License-Identifier: Apache-2.0
"""Decoded runs of any apps and releases come in as columns; batches that are ingested whole go out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lockgate.core.canonical import byte_digest
from lockgate.core.instant import Instant
from lockgate.core.intake import Slice
from lockgate.core.summary import Columns, Integers, Mask, concatenate


@dataclass(frozen=True, slots=True)
class Group:
    """Whose runs some are: app, release and labels."""

    app: str
    release: str
    labels: Slice


# Without slots, so that the digest is kept once it is made.
@dataclass(frozen=True, kw_only=True, eq=False)
class RunBatch:
    """Runs in the order in which they came, each of one of `groups`, and the bytes that they came as.

    `group` is an index into `groups`; `started_at` is an instant, or ABSENT; `ids` are None where a run has none.
    `probes` are the inputs that runs answered, None where a run answered none; empty where no run did.
    `default_app` is the app of runs whose bytes name none.
    `also` says for which further group (index into `groups`) a run (position) counts: that of a flag and its variant.
    `where` names file and line of a run, where somebody knows them.
    `flagged`: the groups of the runs themselves, of those at the end that stand for their flags.
    """

    body: bytes
    columns: Columns
    groups: tuple[Group, ...]
    group: NDArray[np.intp]
    started_at: Integers
    ids: Sequence[str | None]
    probes: Sequence[str | None] = ()
    also: Sequence[tuple[int, int]] = ()
    flagged: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    default_app: str | None = None
    where: Callable[[int], str] | None = None

    def place(self, position: int) -> str:
        """Return how a message about a run begins: with its file and line, where they are known."""
        return f"{self.where(position)}: " if self.where is not None and position < self.own else ""

    @property
    def own(self) -> int:
        """Return how many of the runs stand for themselves; they come first."""
        return self.columns.runs - self.flagged.size

    def runs_by(self, app: str, chosen: Mask) -> dict[str, int]:
        """Return how many of the chosen runs are of each release of an app, of those that have any."""
        counts: dict[str, int] = {}
        for group, count in zip(
            self.groups, np.bincount(self.group[chosen], minlength=len(self.groups)).tolist(), strict=True
        ):
            if group.app == app and count:
                counts[group.release] = counts.get(group.release, 0) + count
        return counts

    @cached_property
    def digest(self) -> str:
        """Return the digest by which a batch that comes again is known."""
        return byte_digest(self.body)


def joined(batches: Sequence[RunBatch]) -> RunBatch:
    """Return the runs of batches that name neither flags nor probes as one, which has no bytes of its own.

    Groups stand in the order in which they came first.
    """
    places: dict[Group, int] = {}
    numbered = [
        np.array([places.setdefault(group, len(places)) for group in batch.groups], np.intp) for batch in batches
    ]
    return RunBatch(
        body=b"",
        columns=concatenate([batch.columns for batch in batches]),
        groups=tuple(places),
        group=np.concatenate([number.take(batch.group) for number, batch in zip(numbered, batches, strict=True)]),
        started_at=np.concatenate([batch.started_at for batch in batches]),
        ids=[run_id for batch in batches for run_id in batch.ids],
    )


def spread(batch: RunBatch) -> RunBatch:
    """Return the batch with a run of its own for each further group that a run counts for, after all others."""
    if not batch.also:
        return batch
    positions, groups = (np.array(column, np.intp) for column in zip(*batch.also, strict=True))
    places = np.concatenate([np.arange(batch.columns.runs), positions])
    return replace(
        batch,
        columns=batch.columns.take_at(places),
        group=np.concatenate([batch.group, groups]),
        started_at=batch.started_at[places],
        ids=[batch.ids[place] for place in places.tolist()],
        probes=[batch.probes[place] for place in places.tolist()] if batch.probes else (),
        also=(),
        flagged=batch.group[positions],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What became of a batch: runs tallied, runs whose id came twice in it, and runs per app, of which a flag is one.

    `default_app` is the app of runs that name none.
    `other` counts runs whose labels found no room, `crowded` those whose release did; `is_repeated` says that the
    batch had been taken before. `undated` counts runs that came by their start and name none.
    `left_out`: of runs that did not count, by app and release, how many they were; `uncounted` has a bit for each run
    of the body in its order, set where it did not count for its own app, and is empty where all did. Of these, `again`
    has one where the run had come before byte for byte, and `unlike` counts those that had not, by app and release.
    """

    digest: str
    at: Instant
    runs: int
    duplicates: int = 0
    other: int = 0
    crowded: int = 0
    undated: int = 0
    apps: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    unlike: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    uncounted: bytes = b""
    again: bytes = b""
    is_repeated: bool = False
    default_app: str | None = None
