# SPDX-License-Identifier: Apache-2.0
"""A gate and a bucket come in; the tally that the gate reads goes out, oriented so that an event is worse."""

from __future__ import annotations

from lockgate.core.bucket import Bucket, Events, Values
from lockgate.core.metric import SHARES, Kind, Metric, Worse


def tally(metric: Metric, bucket: Bucket) -> Events | Values | None:
    """Return what a bucket holds for a metric, or None when none of its runs carried it."""
    if metric.kind is Kind.BINARY:
        return _events(metric, bucket)
    values = bucket.values.get(metric.field)
    return values if values is not None and values.n > 0 else None


def _events(metric: Metric, bucket: Bucket) -> Events | None:
    events = bucket.events.get(metric.field)
    if events is None or events.n == 0:
        return None
    if metric.worse is catalogue_worse(metric):
        return events
    return Events(events.n, events.n - events.events)


def catalogue_worse(metric: Metric) -> Worse:
    """Return the direction that a share's stored events mean, before an owner's `worse` turns it."""
    return SHARES.get(metric.field, Worse.LOWER)
