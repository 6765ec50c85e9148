# SPDX-License-Identifier: Apache-2.0
"""A batch of runs comes in; in one transaction its tallies join open buckets, and what became of it goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from lockgate.core.app import OTHER, App, Release, check_name
from lockgate.core.batch import Group, Ingested, RunBatch, spread
from lockgate.core.bucket import Bucket
from lockgate.core.instant import HOUR, SECOND, Instant, instant_text
from lockgate.core.intake import WHOLE, Slice
from lockgate.core.spine import Cell, Slot, next_slot
from lockgate.core.summary import ABSENT, Integers, Mask, summarize
from lockgate.errors import DataError, UsageError
from lockgate.operations.sealing import seal_over
from lockgate.ports.house import House
from lockgate.ports.store import Transaction

MAX_RUNS = 100_000
MAX_BYTES = 64 << 20
# Clocks of other machines may be a little fast.
MAX_AHEAD = HOUR
MAX_AGE = 400 * 24 * HOUR


def ingest(batch: RunBatch, house: House, *, by_start_time: bool = False) -> Ingested:
    """Add a batch's runs to open buckets of their apps, exactly once.

    Runs join the bucket that is open now. `by_start_time` is for imported runs: they join buckets of their own start
    times, which open and seal beside those of live traffic; a run without a start time counts as live.
    """
    _check_size(batch)
    own, batch = batch.columns.runs, spread(batch)
    with house.store.writing(house.org) as work:
        before = work.ingested(batch.digest)
        if before is not None:
            return replace(before, is_repeated=True)
        now = house.clock.now()
        _check_times(batch, now)
        is_kept = _first_of_each_id(batch)
        spines = {name: _spine(work, name, batch, now) for name in sorted({each.app for each in batch.groups})}
        starts = _starts(batch, spines) if by_start_time else np.full(batch.columns.runs, ABSENT)
        for group, start, bucket in _groups(batch, is_kept, starts):
            spines[group.app].add(group, None if start == ABSENT else start, bucket)
        for spine in spines.values():
            work.put_app(spine.app)
            work.put_cells(spine.app.name, spine.cells.values())
        result = _result(batch, is_kept, own, spines, now)
        work.add_batch(
            result, batch.body, sorted({(name, key[0]) for name, one in spines.items() for key in one.cells})
        )
    return result


@dataclass(slots=True)
class _Spine:
    """The open end of an app's spine, and the cells that a batch changes there."""

    work: Transaction
    app: App
    now: Instant
    slots: dict[Instant | None, Slot] = field(default_factory=dict)
    cells: dict[tuple[int, str, Slice], Cell] = field(default_factory=dict)
    known: dict[tuple[int, str, Slice], Cell] = field(default_factory=dict)
    other: int = 0

    def add(self, group: Group, start: Instant | None, bucket: Bucket) -> None:
        """Add the bucket of some runs that began in one slice of time."""
        slot = self._slot(start)
        self.app = self.app.with_slice(group.labels)
        labels = self.app.slice_of(group.labels)
        self.other += bucket.runs if labels == OTHER else 0
        key = (slot.number, group.release, labels)
        before = self.cells.get(key) or self.known.get(key)
        total = bucket if before is None else before.bucket + bucket
        self.cells[key] = Cell(number=slot.number, release=group.release, labels=labels, bucket=total)

    def _slot(self, start: Instant | None) -> Slot:
        if start not in self.slots:
            name = self.app.name
            still_open = [each for each in self.work.open_slots(name) if each.starts_at == start]
            slot = still_open[-1] if still_open else self._open(start)
            self.slots[start] = slot
            for cell in self.work.cells(name, slot.number, slot.number):
                self.known[cell.number, cell.release, cell.labels] = cell
        return self.slots[start]

    def _open(self, start: Instant | None) -> Slot:
        slot = next_slot(self.work.last_slot(self.app.name), self.app.bucket_s, self.now, start)
        self.work.put_slot(self.app.name, slot)
        return slot


def _check_size(batch: RunBatch) -> None:
    if batch.columns.runs == 0:
        raise DataError("there are no runs in the batch", advice="Each run is one line with `app_id` and `release`.")
    runs = batch.columns.runs + len(batch.also)
    if runs > MAX_RUNS or len(batch.body) > MAX_BYTES:
        raise DataError(
            f"a batch of {runs:,} runs and {len(batch.body):,} bytes is too large",
            advice=f"At most {MAX_RUNS:,} runs, counted once more for each flag, and {MAX_BYTES >> 20} MiB "
            "are taken at once; send several.",
        )


def _check_times(batch: RunBatch, now: Instant) -> None:
    given = batch.started_at[batch.started_at != ABSENT]
    if given.size == 0:
        return
    for instant, is_wrong, what in (
        (int(given.max()), int(given.max()) > now + MAX_AHEAD, "in the future"),
        (int(given.min()), int(given.min()) < now - MAX_AGE, "longer ago than runs are kept"),
    ):
        if is_wrong:
            text = instant_text(instant) if 0 <= instant < 2**47 else str(instant)
            raise DataError(f"a run started at {text}, which is {what}", advice="Check the clock of its writer.")


def _first_of_each_id(batch: RunBatch) -> Mask:
    """Say which runs count: of several with one id the first."""
    is_kept = np.ones(batch.columns.runs, np.bool_)
    releases: dict[tuple[str, str], str] = {}
    for position, (run_id, index) in enumerate(zip(batch.ids, batch.group.tolist(), strict=True)):
        if run_id is None:
            continue
        group = batch.groups[index]
        first = releases.get((group.app, run_id))
        releases[group.app, run_id] = group.release
        is_kept[position] = first is None
        if first not in (None, group.release):
            raise DataError(
                f"run {run_id} of {group.app} is of release {first} and of release {group.release}",
                advice="A run has one release; give each run an id of its own.",
            )
    return is_kept


def _spine(work: Transaction, name: str, batch: RunBatch, now: Instant) -> _Spine:
    """Return the open end of an app's spine; app and releases exist from the first run that names them."""
    try:
        check_name("an app", name)
        releases = sorted({each.release for each in batch.groups if each.app == name})
        for release in releases:
            work.put_release(Release(app=name, name=check_name("a release", release), first_seen_at=now))
    except UsageError as error:
        raise DataError(error.message, advice=error.advice) from error
    seal_over(work, name, now)
    return _Spine(work, work.app(name) or App(name=name), now)


def _starts(batch: RunBatch, spines: dict[str, _Spine]) -> Integers:
    """Return in which slice of time, of its app's width, each run began."""
    widths = np.array([spines[each.app].app.bucket_s * SECOND for each in batch.groups], np.int64)[batch.group]
    return np.where(batch.started_at == ABSENT, ABSENT, batch.started_at // widths * widths)


def _groups(batch: RunBatch, is_kept: Mask, starts: Integers) -> Iterator[tuple[Group, int, Bucket]]:
    """Yield the bucket of each group and slice of time, in the order of time."""
    times, place = np.unique(starts, return_inverse=True)
    codes = np.where(is_kept, place * len(batch.groups) + batch.group, -1)
    for code in np.unique(codes[is_kept]).tolist():
        time, group = divmod(code, len(batch.groups))
        bucket = summarize(batch.columns.take(codes == code))[WHOLE]
        yield batch.groups[group], int(times[time]), bucket


def _result(batch: RunBatch, is_kept: Mask, own: int, spines: dict[str, _Spine], now: Instant) -> Ingested:
    """Return what became of a batch whose first `own` runs are not those of flags."""
    apps = Counter(batch.groups[index].app for index in batch.group[is_kept].tolist())
    runs = int(np.count_nonzero(is_kept[:own]))
    return Ingested(
        digest=batch.digest,
        at=now,
        runs=runs,
        duplicates=own - runs,
        other=sum(spine.other for spine in spines.values()),
        apps=dict(sorted(apps.items())),
    )
