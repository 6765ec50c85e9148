# SPDX-License-Identifier: Apache-2.0
"""The batches of one import come in before any is kept; whatever one of them would be refused for stops them all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lockgate.core.app import DEFAULT_BUCKET_S
from lockgate.core.batch import RunBatch
from lockgate.core.instant import SECOND, Instant
from lockgate.core.policy.duration import duration_text
from lockgate.core.summary import ABSENT
from lockgate.errors import DataError
from lockgate.operations.intake.ingest import check_batch

# Slots of one app that one import may open: 13 days of the default width, or a day of 5 s. Each is sealed by itself.
MAX_SLOTS = 20_000


class ImportCheck:
    """Looks at one batch after another, and remembers in which slices of time their runs began."""

    def __init__(self, now: Instant, widths: Mapping[str, int]) -> None:
        self._now = now
        self._slots: dict[str, set[int]] = {}
        self._widths = widths

    def __call__(self, batch: RunBatch) -> None:
        """Refuse a batch that could not be kept, or with which the import is spread over too many slices of time."""
        check_batch(batch, self._now)
        for app in sorted({group.app for group in batch.groups}):
            width = self._widths.get(app, DEFAULT_BUCKET_S)
            is_own = np.array([group.app == app for group in batch.groups], np.bool_)[batch.group]
            started = batch.started_at[is_own & (batch.started_at != ABSENT)]
            slots = self._slots.setdefault(app, set())
            slots.update(np.unique(started // (width * SECOND)).tolist())
            if len(slots) > MAX_SLOTS:
                raise DataError(
                    f"the runs of {app} began in more than {MAX_SLOTS:,} slices of {duration_text(width)}",
                    advice="Import fewer days at a time, or roll out under a policy with a wider `bucket`.",
                )
