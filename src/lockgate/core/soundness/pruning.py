# SPDX-License-Identifier: Apache-2.0
"""A rollout or a pin and what was pruned come in; what no honest prune drops goes out, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lockgate.core.app import App
from lockgate.core.instant import Instant
from lockgate.core.retention import Pin, Retention
from lockgate.core.trial import Trial


def early(trial: Trial, retention: Retention, ended_at: Instant | None, *, is_read: bool) -> Iterator[str]:
    """Yield, in words, what of a rollout was dropped before it could be; `is_read`: whether its buckets are kept.

    `ended_at` is the earliest time of what was decided once it had ended, because an old champion may be taken back.
    """
    if not is_read and not trial.rollout.is_terminal:
        yield "buckets that it may still read are marked as pruned, which prune never does while it is active"
    is_over = ended_at is not None and ended_at < retention.deliveries_until
    if not trial.has_looks and not is_over:
        yield "its looks are marked as pruned, which prune only does long after a rollout has ended"


def unpinned(pins: Iterable[Pin], app: App) -> Iterator[str]:
    """Yield, in words, which pinned buckets of an app are marked as pruned."""
    for pin in pins:
        if pin.app == app.name and pin.first < app.kept_from:
            yield f"buckets from {pin.first} on are pinned by {pin.rollout}, and those before {app.kept_from} are gone"
