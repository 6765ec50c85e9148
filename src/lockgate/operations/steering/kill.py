# SPDX-License-Identifier: Apache-2.0
"""The name of an app, or of none for all, comes in; its candidates serve nothing any more and it goes out frozen."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockgate.core.app import App
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.policy.policy import Mode
from lockgate.core.receipt import Actor
from lockgate.core.rollout import Rollout
from lockgate.crash_point import reach
from lockgate.operations.asking.known_app import known_app
from lockgate.operations.steering.champion import proven
from lockgate.operations.steering.intervention import act, insist, requested
from lockgate.operations.steering.reigning import reigning
from lockgate.operations.vault.acting import checked_actor
from lockgate.operations.vault.app_series import AppStanding, stand
from lockgate.operations.vault.keeping import writing
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Transaction


def kill(name: str | None, actor: Actor, house: House) -> tuple[AppStanding, ...]:
    """Roll back what is on trial in an app, or in all, else return to the former champion; freeze until unfrozen."""
    checked = checked_actor(actor)
    return insist(lambda: _kill(name, checked, house))


@dataclass(frozen=True, slots=True)
class Plan:
    """An app that a kill would freeze, and what it would roll back: rollouts on trial, or the champion's."""

    app: App
    hit: tuple[Rollout, ...]


def planned_kill(name: str | None, house: House) -> tuple[Plan, ...]:
    """Return what a kill would do, for whoever is asked."""
    with house.store.reading(house.org) as seen:
        apps = seen.apps() if name is None else (known_app(seen, name),)
        return tuple(Plan(app, () if app.is_killed else _hit(seen, app)) for app in apps)


def _kill(name: str | None, actor: Actor, house: House) -> tuple[AppStanding, ...]:
    with writing(house) as work:
        apps = work.apps() if name is None else (known_app(work, name),)
        return tuple(_kill_app(work, app, actor, house) for app in apps)


def _kill_app(work: Transaction, app: App, actor: Actor, house: House) -> AppStanding:
    ended = []
    # A second kill would take the app a champion further back.
    if not app.is_killed:
        for rollout in _hit(work, proven(work, house, app)):
            answer = act(work, rollout.id, requested(Action.ROLLBACK, actor, cause=Cause.KILL), actor, house)
            ended += [(rollout.id, answer.receipt)] if answer.is_signed else []
        reach("kill.rolled_back")
    known = known_app(work, app.name)
    stands = stand(work, known, known.froze(actor.reason or "", is_killed=True), Cause.KILL, actor, house)
    return replace(stands, rolled_back=tuple(ended))


def _hit(seen: Snapshot, app: App) -> tuple[Rollout, ...]:
    """Return the active rollouts and, where no canary is among them, the one that made the champion."""
    active = seen.rollouts(app.name, active=True)
    if any(rollout.mode is Mode.CANARY for rollout in active):
        return active
    if app.former_champion is None:
        # It has been returned already, or nothing was there before.
        return active
    made = reigning(seen, app)
    return active if made is None else (*active, made)
