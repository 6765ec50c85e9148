# SPDX-License-Identifier: Apache-2.0
"""The part of a store that knows runs by their ids comes in by app and mark; which are known goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from lockgate.core.dedupe import Dedupe, Marks
from lockgate.core.instant import Instant
from lockgate.core.summary import Mask


class RunIdsReading(Protocol):
    """How many runs did not count."""

    def left_out(self, app: str, release: str) -> int:
        """Return how many runs of a release did not count, because their ids were known."""


class RunIdsWriting(Protocol):
    """Marks of the ids of runs that were tallied.

    Duties: a mark is known as soon as it is added, and no longer when the transaction that added it is not kept.
    """

    def id_key(self) -> bytes:
        """Return the organisation's secret that ids are marked with; the first call makes it."""

    def known_ids(self, app: str, marks: Marks, dedupe: Dedupe, now: Instant) -> Mask:
        """Say which marks were added within the window, of the last MAX_IDS, or, strictly, ever.

        What the window has left behind is forgotten for good.
        """

    def add_ids(self, app: str, digest: str, marks: Marks, dedupe: Dedupe, now: Instant) -> None:
        """Keep marks that are not known, of runs of one batch, or of several kept at once by the first one's digest."""

    def add_left_out(self, app: str, runs: Mapping[str, int]) -> None:
        """Add to how many runs of releases did not count."""

    def keep_ids(self, app: str) -> None:
        """Keep the marks of the window strictly from now on."""
