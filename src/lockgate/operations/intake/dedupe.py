# SPDX-License-Identifier: Apache-2.0
"""A batch of runs comes in; which of them come for the first time, by the rule of their app, goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lockgate.core.app import App
from lockgate.core.batch import RunBatch
from lockgate.core.dedupe import MAX_WINDOW_S, Dedupe, Marks, marks_of, salts_of
from lockgate.core.instant import Instant
from lockgate.core.summary import Mask
from lockgate.errors import DataError, UsageError
from lockgate.ports.store import Transaction


def first_seen(work: Transaction, batch: RunBatch, digest: str, apps: Mapping[str, App], now: Instant) -> Mask:
    """Return which runs come for the first time, in the batch and before it, and remember them; one without id does.

    The transaction that tallies them remembers them, beside the digest that it is given: a batch that is not kept
    leaves no id behind.
    """
    is_new = np.ones(len(batch.ids), np.bool_)
    places, ids = _identified(batch)
    if places.size == 0:
        return is_new
    key = work.id_key()
    marks = marks_of(ids, key)
    in_order = np.sort(marks)
    if (in_order[1:] == in_order[:-1]).any():
        # Marks that differ are of ids that differ, so that ids are compared here only.
        is_new = first_of_each_id(batch)
        is_first = is_new[places]
        places, marks = places[is_first], marks[is_first]
    marks = marks + _salts(batch, key)[places]
    owners = np.array([list(apps).index(group.app) for group in batch.groups], np.intp)[batch.group[places]]
    for number, app in enumerate(apps.values()):
        own = np.flatnonzero(owners == number)
        if own.size == 0:
            continue
        is_known = work.known_ids(app.name, marks[own], app.dedupe, now)
        is_new[places[own[is_known]]] = False
        if not is_known.all():
            work.add_ids(app.name, digest, marks[own[~is_known]], app.dedupe, now)
    return is_new


def _salts(batch: RunBatch, key: bytes) -> Marks:
    """Return what tells the ids of one release from those of another, and runs from those that stand for a flag.

    Whoever sends runs of one release, or of another app with flags, must not be able to make others be left out.
    """
    own = salts_of([group.release for group in batch.groups], key)[batch.group[: batch.own]]
    if not batch.flagged.size:
        return own
    variants = [batch.groups[index].release for index in batch.group[batch.own :].tolist()]
    apps = [batch.groups[index].app for index in batch.flagged.tolist()]
    flags = salts_of([f"{release}\n{app}" for release, app in zip(variants, apps, strict=True)], key)
    return np.concatenate([own, flags])


def _identified(batch: RunBatch) -> tuple[NDArray[np.intp], Sequence[str]]:
    """Return where the runs that have an id are, and the ids."""
    if None not in batch.ids:
        return np.arange(len(batch.ids)), cast("Sequence[str]", batch.ids)
    given = [(place, run_id) for place, run_id in enumerate(batch.ids) if run_id is not None]
    return np.array([place for place, _ in given], np.intp), [run_id for _, run_id in given]


def first_of_each_id(batch: RunBatch) -> Mask:
    """Say which runs are the first of their id in a batch."""
    is_kept = np.ones(batch.columns.runs, np.bool_)
    if len(set(batch.ids)) == len(batch.ids):
        return is_kept
    flagged = [batch.groups[index].app for index in batch.flagged.tolist()]
    releases: dict[tuple[str, str | None, str], str] = {}
    for position, (run_id, index) in enumerate(zip(batch.ids, batch.group.tolist(), strict=True)):
        if run_id is None:
            continue
        group = batch.groups[index]
        # A flag's run is known by the app that it ran in.
        key = group.app, None if position < batch.own else flagged[position - batch.own], run_id
        first = releases.get(key)
        releases[key] = group.release
        is_kept[position] = first is None
        if first not in (None, group.release):
            raise DataError(
                f"{batch.place(position)}run {run_id} of {group.app}"
                f" is of release {first} and of release {group.release}",
                advice="A run has one release; give each run an id of its own.",
            )
    return is_kept


def import_rule(app: App) -> Dedupe | None:
    """Return by which rule runs of an app are known whose logs are imported, which may come whole each hour."""
    return Dedupe(window_s=MAX_WINDOW_S) if app.dedupe == Dedupe() else None


def with_dedupe(work: Transaction, app: App, dedupe: Dedupe | None) -> App:
    """Return the app by another rule, if one is given; strictness stays once it is there."""
    if dedupe is None or dedupe == app.dedupe:
        return app
    if app.dedupe.is_strict and not dedupe.is_strict:
        raise UsageError(
            f"every retained id of {app.name} is looked at, which cannot be taken back",
            advice="Leave --dedupe out, or say strict.",
        )
    if dedupe.is_strict and not app.dedupe.is_strict:
        work.keep_ids(app.name)
    return app.deduped(dedupe)
