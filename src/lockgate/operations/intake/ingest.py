# SPDX-License-Identifier: Apache-2.0
"""A batch of runs comes in; in one transaction its tallies join open buckets, and what became of it goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from lockgate.core.app import App, Release, check_name
from lockgate.core.batch import Ingested, RunBatch, spread
from lockgate.core.dedupe import Dedupe
from lockgate.core.instant import HOUR, SECOND, Instant, instant_text
from lockgate.core.spine import Slot
from lockgate.core.summary import ABSENT, Integers, Mask
from lockgate.crash_point import reach
from lockgate.errors import DataError, TooManyRunsError, UsageError
from lockgate.operations.intake.come_again import come_again
from lockgate.operations.intake.dedupe import first_of_each_id, first_seen, import_rule, with_dedupe
from lockgate.operations.intake.pairing import SlotOf, pair_probes
from lockgate.operations.intake.sealing import seal_full, seal_over
from lockgate.operations.intake.tallying import OpenSpine, add_runs
from lockgate.operations.vault.keeping import changing
from lockgate.ports.house import Clock, House
from lockgate.ports.store import Transaction

MAX_RUNS = 100_000
MAX_BYTES = 64 << 20
# Clocks of other machines may be a little fast.
MAX_AHEAD = HOUR
MAX_AGE = 400 * 24 * HOUR
ADVICE_OF_TIMES = "Check the clock of its writer, or leave out runs that are older than 400 days."


def ingest(batch: RunBatch, house: House, *, by_start_time: bool = False, dedupe: Dedupe | None = None) -> Ingested:
    """Add a batch's runs to open buckets of their apps, exactly once.

    Runs join the bucket that is open now. `by_start_time` is for imported runs: they join buckets of their own start
    times, which open and seal beside those of live traffic; a run without a start time counts as live.
    `dedupe` is how the batch's apps know runs that come again, from now on.
    """
    _check_size(batch)
    with changing(house, spines_of(batch)) as work:
        return add_batch(work, batch, house.clock, by_start_time=by_start_time, dedupe=dedupe)


def spines_of(*batches: RunBatch) -> tuple[str, ...]:
    """Return the apps whose spines batches write."""
    return tuple(sorted({group.app for batch in batches for group in batch.groups}))


def add_batch(
    work: Transaction, batch: RunBatch, clock: Clock, *, by_start_time: bool = False, dedupe: Dedupe | None = None
) -> Ingested:
    """Do in a transaction what `ingest` does in one of its own."""
    _check_size(batch)
    also, batch = batch.also, spread(batch)
    before = work.ingested(batch.digest)
    if before is not None:
        _check_app(batch, before)
        _change_rule(work, batch, dedupe)
        return replace(before, is_repeated=True)
    now = clock.now()
    check_runs(batch, now)
    spines = {name: open_spine(work, name, batch, now) for name in spines_of(batch)}
    for spine in spines.values():
        spine.app = with_dedupe(work, spine.app, dedupe or (import_rule(spine.app) if by_start_time else None))
    is_kept = first_seen(work, batch, batch.digest, {name: spine.app for name, spine in spines.items()}, now)
    starts = _starts(batch, spines) if by_start_time else np.full(batch.columns.runs, ABSENT)
    slots = add_runs(work, batch, is_kept, starts, spines)
    for spine in spines.values():
        if spine.app != spine.kept:
            work.put_app(spine.app)
    apps = {name: spine.app for name, spine in spines.items()}
    pair_probes(work, batch, is_kept, apps, _slot_of(batch, starts, spines), now)
    reach("ingest.tallied")
    result = _result(batch, is_kept, come_again(work, batch, also, ~is_kept), spines, now)
    if by_start_time:
        result = replace(result, undated=int(np.count_nonzero(batch.started_at[: batch.own] == ABSENT)))
    for name, releases in result.unlike.items():
        work.add_left_out(name, releases)
    work.add_batch(result, batch.body, slots)
    for spine in spines.values():
        # Of live runs all of a batch join one slot.
        if None in spine.slots:
            seal_full(work, spine.app, spine.slots[None], now)
    return result


def _change_rule(work: Transaction, batch: RunBatch, dedupe: Dedupe | None) -> None:
    """Let the apps of a batch that is known already know runs by the rule that came with it all the same."""
    for name in sorted({each.app for each in batch.groups}):
        app = work.app(name)
        if app is not None and dedupe is not None:
            work.put_app(with_dedupe(work, app, dedupe))


def check_batch(batch: RunBatch, now: Instant) -> None:
    """Refuse a batch that could not be kept, whatever is kept already."""
    _check_size(batch)
    check_runs(batch, now)
    first_of_each_id(spread(batch))


def check_runs(batch: RunBatch, now: Instant) -> None:
    """Refuse a batch with a run that began at no time that is taken, or of a name that nothing may have."""
    _check_times(batch, now)
    _check_names(batch)


def _check_names(batch: RunBatch) -> None:
    for index, group in enumerate(batch.groups):
        try:
            check_name("an app", group.app)
            check_name("a release", group.release)
        except UsageError as error:
            places = np.flatnonzero(batch.group == index)
            place = batch.place(int(places[0])) if places.size else ""
            raise DataError(f"{place}{error.message}", advice=error.advice) from error


def _check_size(batch: RunBatch) -> None:
    if batch.columns.runs == 0:
        raise DataError("there are no runs in the batch", advice="Each run is one line with `app_id` and `release`.")
    runs = batch.columns.runs + len(batch.also)
    if runs > MAX_RUNS or len(batch.body) > MAX_BYTES:
        raise TooManyRunsError(
            f"a batch of {runs:,} runs and {len(batch.body):,} bytes is too large",
            advice=f"At most {MAX_RUNS:,} runs, counted once more for each flag, and {MAX_BYTES >> 20} MiB "
            "are taken at once; send several.",
        )


def _check_app(batch: RunBatch, before: Ingested) -> None:
    """Refuse bytes that were taken for another app: what they leave out does not tell one batch from another."""
    app = batch.default_app
    if app != before.default_app and app not in before.apps and any(each.app == app for each in batch.groups):
        raise DataError(
            f"the same bytes were taken as runs of {before.default_app or 'other apps'}",
            advice="Write app_id into each run when two apps have the same runs.",
        )


def _check_times(batch: RunBatch, now: Instant) -> None:
    given, is_given = batch.started_at, batch.started_at != ABSENT
    for is_wrong, what in (
        (given > now + MAX_AHEAD, "in the future"),
        (given < now - MAX_AGE, "longer ago than runs are kept"),
    ):
        places = np.flatnonzero(is_wrong & is_given)
        if places.size:
            place, started = batch.place(int(places[0])), instant_text(int(given[places[0]]))
            raise DataError(f"{place}a run started at {started}, which is {what}", advice=ADVICE_OF_TIMES)


def open_spine(work: Transaction, name: str, batch: RunBatch, now: Instant) -> OpenSpine:
    """Return the open end of an app's spine; app and releases exist from the first run that names them."""
    for release in sorted({each.release for each in batch.groups if each.app == name}):
        work.put_release(Release(app=name, name=release, first_seen_at=now))
    seal_over(work, name, now)
    kept = work.app(name)
    return OpenSpine(work, kept or App(name=name), now, kept)


def _starts(batch: RunBatch, spines: dict[str, OpenSpine]) -> Integers:
    """Return in which slice of time, of its app's width, each run began."""
    widths = np.array([spines[each.app].app.bucket_s * SECOND for each in batch.groups], np.int64)[batch.group]
    return np.where(batch.started_at == ABSENT, ABSENT, batch.started_at // widths * widths)


def _slot_of(batch: RunBatch, starts: Integers, spines: dict[str, OpenSpine]) -> SlotOf:
    def slot_of(position: int) -> Slot:
        start = int(starts[position])
        return spines[batch.groups[batch.group[position]].app].slots[None if start == ABSENT else start]

    return slot_of


def _result(batch: RunBatch, is_kept: Mask, is_again: Mask, spines: dict[str, OpenSpine], now: Instant) -> Ingested:
    """Return what became of a batch."""
    apps: Counter[str] = Counter()
    for group, count in zip(batch.groups, np.bincount(batch.group[is_kept], minlength=len(batch.groups)), strict=True):
        apps[group.app] += int(count)
    own = is_kept[: batch.own]
    runs = int(np.count_nonzero(own))
    # A clock that was set back makes no batch older than its buckets: it would be pruned before them.
    opened = [slot.opened_at for spine in spines.values() for slot in spine.slots.values()]
    return Ingested(
        digest=batch.digest,
        at=max([now, *opened]),
        runs=runs,
        duplicates=own.size - runs,
        other=sum(spine.other.total() for spine in spines.values()),
        crowded=sum(spine.crowded.total() for spine in spines.values()),
        apps={name: count for name, count in sorted(apps.items()) if count},
        left_out=_of_releases(batch, ~is_kept, spines),
        unlike=_of_releases(batch, ~is_kept & ~is_again, spines),
        uncounted=_bits(~own),
        again=_bits(is_again[: batch.own]),
        default_app=batch.default_app,
    )


def _of_releases(batch: RunBatch, chosen: Mask, apps: Iterable[str]) -> dict[str, dict[str, int]]:
    found = {name: batch.runs_by(name, chosen) for name in apps} if chosen.any() else {}
    return {name: releases for name, releases in found.items() if releases}


def _bits(chosen: Mask) -> bytes:
    return np.packbits(chosen).tobytes() if chosen.any() else b""
