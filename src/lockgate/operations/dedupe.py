# SPDX-License-Identifier: Apache-2.0
"""A batch of runs comes in; which of them come for the first time, by the rule of their app, goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from lockgate.core.app import App
from lockgate.core.batch import RunBatch
from lockgate.core.dedupe import Dedupe, marks_of
from lockgate.core.instant import Instant
from lockgate.core.summary import Mask
from lockgate.errors import UsageError
from lockgate.ports.store import Transaction


def first_seen(work: Transaction, batch: RunBatch, is_kept: Mask, apps: Mapping[str, App], now: Instant) -> Mask:
    """Return which of the runs that are kept come for the first time, and remember them; a run without id always does.

    The transaction that tallies them remembers them: a batch that is not kept leaves no id behind.
    """
    is_new = is_kept.copy()
    has_id = np.ones(len(batch.ids), np.bool_)
    if None in batch.ids:
        has_id = np.fromiter((run_id is not None for run_id in batch.ids), np.bool_, len(batch.ids))
    places = np.flatnonzero(is_kept & has_id)
    if places.size == 0:
        return is_new
    ids = batch.ids if places.size == len(batch.ids) else [batch.ids[place] for place in places.tolist()]
    marks = marks_of(cast("Sequence[str]", ids), work.id_key())
    owners = np.array([list(apps).index(group.app) for group in batch.groups], np.intp)[batch.group[places]]
    for number, app in enumerate(apps.values()):
        own = np.flatnonzero(owners == number)
        if own.size == 0:
            continue
        is_known = work.known_ids(app.name, marks[own], app.dedupe, now)
        is_new[places[own[is_known]]] = False
        if not is_known.all():
            work.add_ids(app.name, batch.digest, marks[own[~is_known]], app.dedupe, now)
    return is_new


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
