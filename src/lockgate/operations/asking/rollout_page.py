# SPDX-License-Identifier: Apache-2.0
"""Filters and the place of the page before come in; one page of rollouts, read by portions, goes out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout, Status
from lockgate.ports.house import House

PORTION = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rollouts are asked for: each filter that is None lets all pass; `apps` are those that may be seen."""

    app: str | None = None
    apps: tuple[str, ...] | None = None
    candidate: str | None = None
    status: Status | None = None
    mode: Mode | None = None
    is_active: bool | None = None

    def holds(self, rollout: Rollout) -> bool:
        """Say whether a rollout is asked for."""
        return (
            (self.app is None or rollout.app == self.app)
            and (self.apps is None or rollout.app in self.apps)
            and (self.candidate is None or rollout.candidate == self.candidate)
            and (self.status is None or rollout.status is self.status)
            and (self.mode is None or rollout.mode is self.mode)
            and (self.is_active is None or rollout.is_terminal is not self.is_active)
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Some rollouts, and the id after which the next page begins; None where there is none."""

    rollouts: tuple[Rollout, ...]
    last: str | None


def rollout_page(wanted: Wanted, after: str | None, size: int, house: House) -> Page:
    """Return the page that follows the rollout of an id, the oldest first."""
    found: list[Rollout] = []
    # The store itself tells the rollouts of one app apart.
    app = wanted.apps[0] if wanted.app is None and wanted.apps is not None and len(wanted.apps) == 1 else wanted.app
    with house.store.reading(house.org) as seen:
        while len(found) <= size:
            portion = seen.rollouts_after(after, PORTION, app, active=bool(wanted.is_active))
            found += [each for each in portion if wanted.holds(each)]
            if len(portion) < PORTION:
                break
            after = portion[-1].id
    page = tuple(found[:size])
    return Page(page, page[-1].id if len(found) > size else None)
