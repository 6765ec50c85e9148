# SPDX-License-Identifier: Apache-2.0
"""A world comes in; operators, a promoted canary, and everything that an action may have written go out."""

from __future__ import annotations

from lockgate.core.app import App
from lockgate.core.receipt import operator
from lockgate.testing.world import World
from tests.spec.line import APP, EQUAL, created

ANN = operator("ann", "errors in the log")
BOB = operator("bob", "me too")


def app_of(here: World, name: str = APP) -> App:
    """Return an app as it is stored."""
    with here.house.store.reading() as seen:
        app = seen.app(name)
    assert app is not None
    return app


def kept(here: World) -> tuple[object, ...]:
    """Return everything that an action may have written."""
    with here.house.store.reading() as seen:
        trials = tuple(seen.trial(rollout.id) for rollout in seen.rollouts())
        return trials, seen.apps(), seen.messages(), seen.checkpoint()


def promoted(here: World, **fields: str) -> str:
    """Return the id of a canary that reached all traffic."""
    rollout = created(here, **fields).rollout
    here.walk(rollout.id, dict.fromkeys((rollout.baseline, rollout.candidate), EQUAL["v36"]), runs=4000, minutes=40)
    assert app_of(here).champion == rollout.candidate
    return rollout.id
