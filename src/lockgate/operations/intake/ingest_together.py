# SPDX-License-Identifier: Apache-2.0
"""Batches of several callers come in; in one transaction each joins open buckets, and what became of each goes out.

The disk is waited for once, whatever their number. Where no run of them came before, which is nearly always so, all
are tallied in one pass: a small batch has more steps than runs to work on, and nearly all of them are shared then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from lockgate.core.batch import Ingested, RunBatch, joined
from lockgate.core.instant import Instant
from lockgate.core.summary import ABSENT
from lockgate.crash_point import reach
from lockgate.errors import DataError, LockgateError, NotPermittedError, UsageError
from lockgate.operations.intake.dedupe import first_seen
from lockgate.operations.intake.ingest import MAX_RUNS, add_batch, check_runs, ingest, open_spine, spines_of
from lockgate.operations.intake.tallying import OpenSpine, add_runs
from lockgate.operations.vault.keeping import changing
from lockgate.ports.house import Clock, House
from lockgate.ports.store import Transaction


class _UnlikeAloneError(Exception):
    """In one pass something would become of a batch that would not if it came alone."""


def ingest_together(batches: Sequence[RunBatch], house: House) -> list[Ingested | LockgateError]:
    """Ingest each batch as if it came alone, in their order; a fault in one is its own, and nothing of it is kept."""
    if len(batches) == 1:
        return [ingest(batches[0], house)]
    with changing(house, spines_of(*batches)) as work:
        if _may_be_joined(batches) and not work.ingested_of([batch.digest for batch in batches]):
            try:
                with work.part():
                    return [*_add_joined(work, batches, house.clock)]
            except (DataError, UsageError, NotPermittedError, _UnlikeAloneError):
                # Which of them it is about is found one by one; a store that does not answer is about all of them.
                pass
        return [_alone(work, batch, house.clock) for batch in batches]


def _alone(work: Transaction, batch: RunBatch, clock: Clock) -> Ingested | LockgateError:
    try:
        with work.part():
            return add_batch(work, batch, clock)
    except LockgateError as error:
        return error


def _may_be_joined(batches: Sequence[RunBatch]) -> bool:
    """Say whether batches hold some runs each, no bytes twice, and nothing that is looked at run by run."""
    is_plain = all(batch.columns.runs and not (batch.also or batch.probes) for batch in batches)
    is_small = sum(batch.columns.runs for batch in batches) <= MAX_RUNS
    return is_plain and is_small and len({batch.digest for batch in batches}) == len(batches)


def _add_joined(work: Transaction, batches: Sequence[RunBatch], clock: Clock) -> list[Ingested]:
    """Add batches that are new in one pass; raise where one of them would come to something else alone."""
    now, one = clock.now(), joined(batches)
    check_runs(one, now)
    spines = {name: open_spine(work, name, one, now) for name in spines_of(one)}
    apps = {name: spine.app for name, spine in spines.items()}
    # A bucket that may hold so many runs is looked at after each batch.
    if any(app.bucket_runs is not None for app in apps.values()):
        raise _UnlikeAloneError
    is_kept = first_seen(work, one, batches[0].digest, apps, now)
    if not is_kept.all():
        raise _UnlikeAloneError
    add_runs(work, one, is_kept, np.full(one.columns.runs, ABSENT), spines)
    for spine in spines.values():
        if spine.app != spine.kept:
            work.put_app(spine.app)
    reach("ingest.tallied")
    found = [_result(batch, spines, now) for batch in batches]
    for batch, result in zip(batches, found, strict=True):
        work.add_batch(result, batch.body, [(name, spines[name].slots[None].number) for name in result.apps])
    return found


def _result(batch: RunBatch, spines: Mapping[str, OpenSpine], now: Instant) -> Ingested:
    """Return what became of a batch all runs of which count."""
    runs = np.bincount(batch.group, minlength=len(batch.groups)).tolist()
    apps: Counter[str] = Counter()
    other = crowded = 0
    for group, count in zip(batch.groups, runs, strict=True):
        apps[group.app] += count
        other += count if group in spines[group.app].other else 0
        crowded += count if group in spines[group.app].crowded else 0
    return Ingested(
        digest=batch.digest,
        at=max([now, *(spines[name].slots[None].opened_at for name in apps)]),
        runs=batch.columns.runs,
        other=other,
        crowded=crowded,
        apps=dict(sorted(apps.items())),
        default_app=batch.default_app,
    )
