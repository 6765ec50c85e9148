# SPDX-License-Identifier: Apache-2.0
"""The name of an app comes in; its releases go out, each with its runs, its attempts and whether it is champion."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from lockgate.core.app import App, Release
from lockgate.operations.asking.known_app import known_app
from lockgate.ports.house import House


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One release of an app: `runs` that are kept of it, and `attempts`, how often it was put on trial."""

    app: App
    release: Release
    runs: int
    attempts: int

    @property
    def is_champion(self) -> bool:
        """Say whether it has the traffic."""
        return self.app.champion == self.release.name


def versions(name: str, house: House) -> tuple[Version, ...]:
    """Return the releases of an app, the first seen first."""
    with house.store.reading(house.org) as seen:
        app = known_app(seen, name)
        runs = seen.runs_by_release(name)
        attempts = Counter(each.candidate for each in seen.rollouts(name))
        return tuple(
            Version(app=app, release=each, runs=runs.get(each.name, 0), attempts=attempts[each.name])
            for each in seen.releases(name)
        )
