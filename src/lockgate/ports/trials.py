# SPDX-License-Identifier: Apache-2.0
"""The part of a store that holds what is on trial comes in by keys; policies, rollouts and looks go out.

What is added must not be there yet; what is put may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from lockgate.core.instant import Instant
from lockgate.core.policy.policy import Policy
from lockgate.core.rollout import Rollout
from lockgate.core.trial import Look, Trial


class TrialsReading(Protocol):
    """Policies and rollouts, as they were at one moment."""

    def policy(self, digest: str) -> Policy | None:
        """Return the policy of a digest."""

    def rollouts(self, app: str | None = None, *, active: bool = False) -> tuple[Rollout, ...]:
        """Return rollouts, the oldest first; `active` leaves out those that have ended."""

    def active_ids(self) -> tuple[str, ...]:
        """Return the ids of the rollouts that have not ended, the oldest first, whatever else can be read of them."""

    def last_ticks(self) -> Mapping[str, Instant]:
        """Return when the loop last took a turn of each rollout that has not ended, by its id; 0 before the first."""

    def trial(self, rollout_id: str) -> Trial | None:
        """Return a rollout with its progress."""

    def folded(self, rollout_id: str, after: int) -> tuple[str, ...]:
        """Return the digests of the buckets that a rollout has read, after one by number, in order."""

    def looks(self, rollout_id: str, after: int = 0) -> tuple[Look, ...]:
        """Return the looks of a rollout after one by number, in order."""


class TrialsWriting(TrialsReading, Protocol):
    """Policies and rollouts, to be kept."""

    def put_policy(self, policy: Policy) -> None:
        """Keep a policy under its digest."""

    def save(self, trial: Trial) -> None:
        """Keep a trial whose `turn` is one more than the stored one's (1: none is stored), or raise TryAgainError."""

    def add_folded(self, rollout_id: str, buckets: Iterable[tuple[int, str]]) -> None:
        """Keep numbers and digests of buckets that a rollout has read."""

    def add_look(self, rollout_id: str, look: Look) -> None:
        """Keep a look."""
