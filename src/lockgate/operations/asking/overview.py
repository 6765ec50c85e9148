# SPDX-License-Identifier: Apache-2.0
"""A store comes in; where each of its apps stands goes out, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lockgate.core.app import App, series_name
from lockgate.core.endpoint import MOVES, Endpoint, Kind
from lockgate.core.rollout import Rollout
from lockgate.operations.asking.known_app import known_app
from lockgate.operations.vault.app_series import version_of
from lockgate.ports.house import House
from lockgate.ports.listing import SeenReleases
from lockgate.ports.store import Snapshot

# Of an app that had more, the latest so many releases are named; the list of releases has all, in pages.
NAMED_RELEASES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """An app, its version, the id of its own receipts, its latest releases, its trials, and what moves its traffic.

    `webhooks`: those that are told each weight that is asked for.
    """

    app: App
    version: int
    series: str
    releases: SeenReleases
    active: tuple[Rollout, ...]
    endpoint: Endpoint | None
    webhooks: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """Some apps, and the name after which the next page begins; None where there is none."""

    apps: tuple[Overview, ...]
    last: str | None


def overview(house: House, name: str | None = None) -> tuple[Overview, ...]:
    """Return where apps stand, by name."""
    with house.store.reading(house.org) as seen:
        return _overviews(seen, house, seen.apps() if name is None else (known_app(seen, name),))


def overview_page(is_shown: Callable[[str], bool], after: str | None, size: int, house: House) -> OverviewPage:
    """Return where the apps stand whose names follow one, by name."""
    with house.store.reading(house.org) as seen:
        found = (each for each in seen.apps() if (after is None or each.name > after) and is_shown(each.name))
        later = sorted(found, key=lambda each: each.name)
        page = later[:size]
        return OverviewPage(_overviews(seen, house, page), page[-1].name if len(later) > size else None)


def _overviews(seen: Snapshot, house: House, apps: Sequence[App]) -> tuple[Overview, ...]:
    declared = seen.endpoints()
    endpoints = {each.app: each for each in declared if each.kind is Kind.COMMAND}
    return tuple(
        Overview(
            app=app,
            version=version_of(seen, house.org, app.name),
            series=series_name(house.org, app.name),
            releases=seen.seen_releases(app.name, NAMED_RELEASES),
            active=seen.rollouts(app.name, active=True),
            endpoint=endpoints.get(app.name, endpoints.get(None)),
            webhooks=tuple(each for each in declared if each.webhook is not None and _is_moving(each, app.name)),
        )
        for app in apps
    )


def _is_moving(endpoint: Endpoint, app: str) -> bool:
    return all(endpoint.hears(app, event) for event in MOVES)


def frozen_apps(house: House) -> dict[str, str]:
    """Return why apps are frozen, by the names of those that are."""
    with house.store.reading(house.org) as seen:
        return {app.name: app.frozen for app in seen.apps() if app.frozen is not None}
