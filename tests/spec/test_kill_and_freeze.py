# SPDX-License-Identifier: Apache-2.0
"""Apps are killed and frozen through the real operations on every store: docs/spec.md, Operator actions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.core.app import series_name
from lockgate.core.decision.intervention import Seen
from lockgate.core.public_key import read_public_key
from lockgate.core.rollout import Status
from lockgate.core.transition import Event
from lockgate.errors import NotPermittedError, UsageError
from lockgate.operations.asking.queries import list_rollouts
from lockgate.operations.steering.freeze import freeze, unfreeze
from lockgate.operations.steering.kill import kill
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.promote import promote
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import tick
from lockgate.testing.world import World
from lockgate.verify import Keys, verify_chain
from lockgate.wiring import memory_store, sqlite_store
from tests.spec.line import APP, EQUAL, WORSE, created, predicate, receipts, verified
from tests.spec.operators import ANN, BOB, app_of, kept, promoted


@pytest.fixture(params=["memory", "sqlite"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Return a world on each kind of store."""
    return World(memory_store() if request.param == "memory" else sqlite_store(tmp_path), seed=1)


@pytest.mark.clause("AC-09")
def test_a_frozen_app_starts_and_promotes_nothing(here: World) -> None:
    """The loop holds, an operator is refused, a new trial is refused, until the freeze is over."""
    made = created(here).rollout
    freeze(APP, ANN, here.house)

    held = here.walk(made.id, EQUAL, runs=4000, minutes=15)[-1]
    with pytest.raises(NotPermittedError, match="frozen: errors in the log"):
        promote(made.id, Seen(0, 1), BOB, here.house)
    with pytest.raises(NotPermittedError, match="frozen: errors in the log"):
        created(here, candidate="def456")
    unfreeze(APP, ANN, here.house)

    assert (held.transition.decision.cause, held.rollout.weight) == ("freeze", 5.0)
    assert tick(made.id, here.house).rollout.weight == 25.0


@pytest.mark.clause("AC-09")
def test_a_frozen_app_can_always_roll_back(here: World) -> None:
    """The loop and an operator both can; so can a pause."""
    made = created(here).rollout
    freeze(APP, ANN, here.house)

    paused = pause(made.id, ANN, here.house)
    turns = here.walk(made.id, WORSE, runs=4000, minutes=30)

    assert (paused.rollout.status, turns[-1].rollout.status) == (Status.PAUSED, Status.ROLLED_BACK)


@pytest.mark.clause("AC-12")
def test_freezes_are_receipts_of_the_app(here: World) -> None:
    """They count by themselves, follow on one another, verify in the log, and are told; asking again writes nothing."""
    created(here)
    acts = (freeze, freeze, unfreeze, unfreeze, freeze)

    answers = [act(APP, actor, here.house) for act, actor in zip(acts, (ANN, BOB, BOB, ANN, BOB), strict=True)]

    chain = receipts(here.house, series_name("default", APP))
    keys = Keys((read_public_key(here.house.signers.receipt.public_key_pem),), ())
    with here.house.store.reading() as seen:
        told = [each.event for each in seen.messages()]
    assert [answer.receipt for answer in answers] == [1, 1, 2, 2, 3]
    assert [answer.app.frozen for answer in answers] == ["errors in the log"] * 2 + [None] * 2 + ["me too"]
    assert [link.statement.seq for link in verify_chain([each.envelope for each in chain], keys)] == [1, 2, 3]
    assert [predicate(each)["actor"]["name"] for each in chain] == ["ann", "bob", "bob"]
    assert verified(here.house, chain[1]).statement.rollout_id == chain[0].rollout_id
    assert told == [Event.CREATED, Event.FREEZE, Event.UNFREEZE, Event.FREEZE]


@pytest.mark.clause("AC-08")
def test_a_kill_rolls_back_what_is_on_trial_and_keeps_the_champion(here: World) -> None:
    """Canary and shadow end; no tick brings one back; a second kill takes nothing further back."""
    promoted(here)
    canary = created(here, baseline="abc123", candidate="def456").rollout
    shadow = created(here, baseline="abc123", candidate="def456", policy={"mode": "shadow"}).rollout

    (killed,) = kill(APP, ANN, here.house)
    before = kept(here)
    (again,) = kill(APP, ANN, here.house)
    turns = [tick(each.id, here.house) for each in (canary, shadow)]

    assert (killed.app.champion, killed.app.frozen, killed.app.is_killed) == ("abc123", "errors in the log", True)
    assert (again, kept(here)) == (killed, before)
    assert {(turn.rollout.status, turn.rollout.weight) for turn in turns} == {(Status.ROLLED_BACK, 0.0)}
    assert {predicate(receipts(here.house, each.id)[-1])["decision"]["cause"] for each in (canary, shadow)} == {"kill"}


@pytest.mark.clause("AC-08")
@pytest.mark.parametrize("has_later", [False, True])
def test_a_kill_without_a_canary_returns_to_the_former_champion(here: World, has_later: bool) -> None:
    """The bad release is the champion itself, also where a later trial ended without taking over."""
    first = promoted(here)
    if has_later:
        rollback(created(here, baseline="abc123", candidate="def456").rollout.id, ANN, here.house)

    (killed,) = kill(APP, ANN, here.house)
    (again,) = kill(APP, BOB, here.house)

    ended = next(each for each in list_rollouts(here.house) if each.id == first)
    assert (killed.app.champion, killed.app.former_champion) == ("v36", None)
    assert (ended.status, ended.weight, again) == (Status.ROLLED_BACK, 0.0, killed)
    with here.house.store.reading() as seen:
        last = [each for each in seen.messages() if each.rollout_id == first][-2:]
    assert [(each.event, b'"release":"v36"' in each.body) for each in last] == [
        (Event.ROLLBACK, True),
        (Event.COMPLETED, True),
    ]


@pytest.mark.clause("AC-08")
def test_a_kill_takes_an_app_one_champion_back_and_no_further(here: World) -> None:
    """Where the former champion serves, a kill freezes the app and moves nothing."""
    promoted(here)
    promoted(here, baseline="abc123", candidate="def456")
    kill(APP, ANN, here.house)
    unfreeze(APP, ANN, here.house)

    (killed,) = kill(APP, BOB, here.house)

    assert (killed.app.champion, killed.app.is_killed) == ("abc123", True)
    assert [(each.candidate, each.status) for each in list_rollouts(here.house)] == [
        ("abc123", Status.PROMOTED),
        ("def456", Status.ROLLED_BACK),
    ]


@pytest.mark.clause("AC-08")
def test_a_killed_app_starts_again_when_it_is_unfrozen(here: World) -> None:
    """A kill lasts until somebody says that it is over."""
    created(here)
    kill(APP, ANN, here.house)
    with pytest.raises(NotPermittedError, match="frozen"):
        created(here)

    unfreeze(APP, BOB, here.house)

    assert created(here).rollout.attempt == 2
    assert app_of(here).is_killed is False


@pytest.mark.clause("AC-08")
def test_a_kill_of_all_stops_every_app(here: World) -> None:
    """One call, one transaction."""
    made = [created(here, app=name).rollout for name in ("one", "two")]

    killed = kill(None, ANN, here.house)

    assert [each.app.name for each in killed] == ["one", "two"]
    assert {each.status for each in list_rollouts(here.house)} == {Status.ROLLED_BACK}
    assert {app_of(here, each.app).frozen for each in made} == {"errors in the log"}


@pytest.mark.clause("AC-08", "AC-09")
@pytest.mark.parametrize("act", [freeze, unfreeze, kill])
def test_an_app_that_nobody_knows_is_not_stopped(here: World, act: Callable[..., object]) -> None:
    """A mistyped name must not look as if something had been stopped."""
    created(here)

    with pytest.raises(UsageError, match="there is no app claims-agnet") as refused:
        act("claims-agnet", ANN, here.house)

    assert refused.value.advice == f"Did you mean '{APP}'? Known: {APP}."
