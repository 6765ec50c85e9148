# SPDX-License-Identifier: Apache-2.0
"""The part of a store that lists come from: a place and a size come in, a page or a count goes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from lockgate.core.app import Release
from lockgate.core.delivery import State
from lockgate.core.instant import Instant
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much there is of an organisation: rollouts that have ended, by mode, and deliveries by state.

    `oldest_due_at`: when the oldest message was committed that somebody is still to be told; None where none is.
    """

    ended: Mapping[Mode, int] = field(default_factory=dict)
    deliveries: Mapping[State, int] = field(default_factory=dict)
    oldest_due_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class SeenReleases:
    """How many releases of an app were seen, and the latest of them, the first seen first."""

    count: int
    latest: tuple[Release, ...]


class ListingReading(Protocol):
    """What lists and counts need, as it was at one moment, without reading all that there is."""

    def rollouts_after(
        self, after: str | None, count: int, app: str | None = None, *, active: bool = False
    ) -> tuple[Rollout, ...]:
        """Return so many rollouts at most that came after the one of an id, or all the first; the oldest first.

        After an id that nobody has comes none.
        """

    def seen_releases(self, app: str, most: int) -> SeenReleases:
        """Return how many releases of an app were seen, and so many at most of them; of two seen at once by name."""

    def runs_by_release(self, app: str) -> Mapping[str, int]:
        """Return how many runs of each release the kept slots of an app hold; those without a release count as `""`."""

    def revisions_of(self, app: str) -> int:
        """Return the sum of the revisions of all rollouts that an app ever had; 0 where it had none."""

    def counts(self) -> Counts:
        """Return how much there is."""
