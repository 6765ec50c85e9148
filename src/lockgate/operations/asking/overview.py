# SPDX-License-Identifier: Apache-2.0
"""A store comes in; where each of its apps stands goes out, and nothing is written."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.app import App, Release, series_name
from lockgate.core.endpoint import MOVES, Endpoint, Kind
from lockgate.core.rollout import Rollout
from lockgate.operations.asking.known_app import known_app
from lockgate.ports.house import House


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """An app, the id of its own receipts, its releases (the first seen first), its trials, what moves its traffic.

    `webhooks`: those that are told each weight that is asked for.
    """

    app: App
    series: str
    releases: tuple[Release, ...]
    active: tuple[Rollout, ...]
    endpoint: Endpoint | None
    webhooks: tuple[Endpoint, ...]


def overview(house: House, name: str | None = None) -> tuple[Overview, ...]:
    """Return where apps stand, by name."""
    with house.store.reading(house.org) as seen:
        apps = seen.apps() if name is None else (known_app(seen, name),)
        declared = seen.endpoints()
        endpoints = {each.app: each for each in declared if each.kind is Kind.COMMAND}
        return tuple(
            Overview(
                app=app,
                series=series_name(house.org, app.name),
                releases=seen.releases(app.name),
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
