# SPDX-License-Identifier: Apache-2.0
"""How long what is kept; what was pruned, and what may not be, go out as values.

Receipts, their log and the rollouts that they are of are kept for ever and have no field here.
"""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.instant import Instant

DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how many seconds raw runs and buckets are kept, counted from when they came.

    `raw_until`: raw runs that came before are gone, but for pinned ones. `deliveries_until`: so are deliveries of
    messages that were committed before, but for those that may still be told.
    """

    raw_s: int = 14 * DAY_S
    buckets_s: int = 400 * DAY_S
    raw_until: Instant = 0
    deliveries_until: Instant = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The slots of an app that a rollout read before it decided; their raw runs are kept until it is released.

    `raw_from`: raw runs that came before were pruned already when it was put, and are not in it.
    """

    rollout: str
    app: str
    first: int
    last: int
    reason: str
    at: Instant
    raw_from: Instant = 0
