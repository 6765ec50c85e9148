# SPDX-License-Identifier: Apache-2.0
"""Apps whose releases took over and gave back their traffic come in; who is champion must be what receipts prove."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lockgate.core.app import App
from lockgate.core.receipt import operator
from lockgate.core.soundness.flaw import Rule
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.freeze import unfreeze
from lockgate.operations.steering.kill import kill
from lockgate.operations.steering.rollback import rollback
from lockgate.testing.world import World
from tests.spec.line import APP, EQUAL, created, predicate, receipts, world

WHO = operator("ada", "drill")


def promoted(here: World, candidate: str = "abc123", baseline: str = "v36") -> str:
    """Promote a candidate to full exposure, and return the rollout's id."""
    made = created(here, candidate=candidate, baseline=baseline).rollout
    laws = {**EQUAL, candidate: EQUAL["v36"], baseline: EQUAL["v36"]}
    turns = here.walk(made.id, laws, runs=2000, minutes=60)
    assert turns[-1].rollout.status.value == "promoted"
    return made.id


def app_of(here: World) -> App:
    """Return the app as it is kept."""
    with here.house.store.reading() as seen:
        found = seen.app(APP)
    assert found is not None
    return found


def believed(here: World, **fields: Any) -> None:
    """Change who is champion, in the app's row alone."""
    with here.house.store.writing() as work:
        work.put_app(replace(app_of(here), **fields))


@pytest.mark.clause("LI-433")
@pytest.mark.parametrize("is_kill", [False, True])
def test_a_champion_that_is_rolled_back_is_champion_no_more(is_kill: bool) -> None:
    """Whoever has its traffic is, and is the next trial's baseline by default."""
    here = world()
    made = promoted(here)
    if is_kill:
        kill(APP, WHO, here.house)
        unfreeze(APP, WHO, here.house)
    else:
        rollback(made, WHO, here.house)

    following = created(here, baseline=None, candidate="next").rollout

    assert (app_of(here).champion, app_of(here).former_champion, following.baseline) == ("v36", None, "v36")
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("LI-433")
def test_a_candidate_that_never_was_champion_takes_nothing_along() -> None:
    """The champion stays who it was when another candidate is rolled back."""
    here = world()
    promoted(here)
    other = created(here, candidate="next", baseline="abc123").rollout

    rollback(other.id, WHO, here.house)

    assert (app_of(here).champion, app_of(here).former_champion) == ("abc123", "v36")
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("LI-434")
@pytest.mark.parametrize(
    "fields", [{"former_champion": "evil"}, {"champion": "evil"}, {"champion": None, "former_champion": None}]
)
def test_no_way_back_is_signed_that_only_a_row_names(fields: dict[str, str | None]) -> None:
    """Rollback, kill and the default baseline go by the receipts, and the row is put right."""
    here = world()
    first = promoted(here)
    second = promoted(here, candidate="next", baseline="abc123")
    believed(here, **fields)
    flawed = fsck(here.house)

    rollback(second, WHO, here.house)

    target = predicate(receipts(here.house, second)[-1])["decision"]["target"]
    assert target == {"kind": "former_champion", "release": "abc123"}
    assert {flaw.rule for flaw in flawed.flaws} == {Rule.STANDING}
    assert fsck(here.house).flaws == ()
    believed(here, **fields)
    assert created(here, baseline=None, candidate="later").rollout.baseline == "abc123"
    assert first != second


@pytest.mark.clause("LI-434")
def test_a_kill_goes_by_the_receipts() -> None:
    """A champion that only the row names is not returned to, and the true one is not missed."""
    here = world()
    made = promoted(here)
    believed(here, champion="evil", former_champion="worse")

    kill(APP, WHO, here.house)

    assert predicate(receipts(here.house, made)[-1])["decision"]["target"]["release"] == "v36"
    assert app_of(here).champion == "v36"
    assert fsck(here.house).flaws == ()
