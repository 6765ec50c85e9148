# SPDX-License-Identifier: Apache-2.0
"""Programs that move traffic are declared through the real operations on every store: docs/spec.md, Telling."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.core.app import series_name
from lockgate.core.endpoint import actuator_name
from lockgate.core.envelope import open_envelope
from lockgate.core.policy.policy import Mode
from lockgate.core.receipt import Actor
from lockgate.core.soundness.flaw import Rule
from lockgate.errors import LockgateError, UsageError
from lockgate.operations.asking.queries import list_rollouts
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.actuator import remove_actuator, set_actuator
from lockgate.operations.steering.freeze import freeze, unfreeze
from lockgate.testing.world import World
from lockgate.wiring import memory_store, sqlite_store
from tests.spec.line import APP, created, predicate, receipts, verified
from tests.spec.operators import ANN, BOB, app_of, kept
from tests.spec.routing import PROGRAM, READS_BACK, delivered, routed, told

SERIES = series_name("default", APP)
OTHER = replace(PROGRAM, argv=("/srv/other.sh", "--token", "hush"))


@pytest.fixture(params=["memory", "sqlite"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Return a world on each kind of store."""
    return World(memory_store() if request.param == "memory" else sqlite_store(tmp_path), seed=1)


@pytest.mark.clause("LI-330")
def test_who_moves_the_traffic_is_a_signed_decision(here: World) -> None:
    """Set, replaced and removed, between freezes of the same series; asking again writes nothing."""
    set_actuator(APP, PROGRAM, ANN, here.house)
    again = set_actuator(APP, PROGRAM, BOB, here.house)
    freeze(APP, ANN, here.house)
    set_actuator(APP, OTHER, BOB, here.house)
    unfreeze(APP, BOB, here.house)
    remove_actuator(APP, ANN, here.house)
    gone = remove_actuator(APP, BOB, here.house)

    chain = receipts(here.house, SERIES)
    said = [verified(here.house, each).statement.predicate for each in chain]
    assert [each.action for each in chain] == ["set_actuator", "freeze", "set_actuator", "unfreeze", "remove_actuator"]
    assert [predicate(each)["actor"]["name"] for each in chain] == ["ann", "ann", "bob", "bob", "ann"]
    assert (again.standing.receipt, gone.standing.receipt, gone.endpoint) == (1, 5, None)
    assert [each["from"] for each in said[1:]] == [each["to"] for each in said[:-1]]
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("LI-330")
def test_a_receipt_names_a_program_by_its_digest(here: World) -> None:
    """What stands on a command line may be nobody else's business, and a receipt is for everybody."""
    declared = set_actuator(APP, OTHER, ANN, here.house)

    (receipt,) = receipts(here.house, SERIES)
    assert declared.endpoint is not None
    digest = declared.endpoint.digest().removeprefix("sha256:")
    assert predicate(receipt)["to"]["actuator"] == {"sha256": digest}
    assert predicate(receipt)["from"]["actuator"] is None
    assert b"hush" not in open_envelope(receipt.envelope).payload


@pytest.mark.clause("LI-330")
@pytest.mark.parametrize("actor", [Actor("person", "", "why"), Actor("person", "ann", ""), Actor("person", "ann")])
def test_nobody_moves_traffic_without_a_name_and_a_reason(here: World, actor: Actor) -> None:
    """And nothing is stored."""
    with pytest.raises(UsageError, match="is empty"):
        set_actuator(APP, PROGRAM, actor, here.house)

    with here.house.store.reading() as seen:
        assert (seen.endpoints(), seen.apps()) == ((), ())


@pytest.mark.clause("LI-331")
@pytest.mark.parametrize("change", ["endpoint", "removed", "added", "row", "frozen"])
def test_another_program_than_the_declared_one_is_a_flaw(here: World, change: str) -> None:
    """Whoever puts another into the store, takes it out or adds one is found, also where the app has no receipt."""
    declared = set_actuator(APP, PROGRAM, ANN, here.house).endpoint
    assert declared is not None
    created(here, app="other", baseline="v1", candidate="v2")
    with here.house.store.writing() as work:
        other = work.app("other")
        assert other is not None
        match change:
            case "endpoint":
                work.put_endpoint(replace(declared, argv=("/srv/mine.sh",)))
            case "removed":
                work.drop_endpoint(declared.id)
            case "added":
                added = replace(declared, id=actuator_name("default", "other"), app="other", log_size=2)
                work.put_endpoint(added)
            case "row":
                work.put_app(replace(app_of(here), actuator=None))
            case _:
                work.put_app(replace(other, frozen="because"))

    found = fsck(here.house).flaws

    assert {flaw.rule for flaw in found} == {Rule.STANDING}
    assert {flaw.where for flaw in found} == {"other" if change in ("added", "frozen") else APP}


@pytest.mark.clause("LI-332")
def test_a_rollout_begins_with_its_actuator_in_one_transaction(here: World) -> None:
    """Its first message reaches that program, and whoever created it declared it."""
    rollout = created(here, actuator=READS_BACK, actor=Actor("person", "ann")).rollout
    router = routed(here, program=READS_BACK)

    delivered(here, router)

    (receipt,) = receipts(here.house, SERIES)
    assert told(router) == [("created", 5.0)]
    assert rollout.acknowledged == 0.0
    assert predicate(receipt)["actor"]["name"] == "ann"
    assert predicate(receipt)["decision"]["reason"] == "declared with the trial of abc123"


@pytest.mark.clause("LI-332")
@pytest.mark.parametrize(
    "fields",
    [
        {"candidate": "v36"},
        {"policy": {"unit": "user"}},
        {"policy": {"app": "other"}},
        {"candidate": "def456"},
        {"policy": {"mode": "shadow"}, "links": (("ci", "no address"),)},
        {"actuator": replace(OTHER, argv=())},
    ],
)
def test_a_start_that_is_refused_declares_no_actuator(here: World, fields: dict[str, object]) -> None:
    """What moves the traffic stays what it was, whatever was wrong with the order."""
    set_actuator(APP, PROGRAM, ANN, here.house)
    created(here)
    before = (kept(here), app_of(here))

    with pytest.raises(LockgateError):
        created(here, **{"actuator": OTHER, "baseline": "v36", **fields})

    with here.house.store.reading() as seen:
        (endpoint,) = seen.endpoints()
    assert (kept(here), app_of(here), endpoint.argv) == (*before, PROGRAM.argv)


@pytest.mark.clause("LI-332")
def test_an_order_that_is_answered_with_an_active_rollout_still_declares(here: World) -> None:
    """A CI job that runs again may bring a new version of its script."""
    first = created(here, actuator=PROGRAM).rollout

    again = created(here, actuator=OTHER)

    assert (again.rollout.id, again.is_existing) == (first.id, True)
    assert [each.action for each in receipts(here.house, SERIES)] == ["set_actuator"] * 2
    assert [each.mode for each in list_rollouts(here.house)] == [Mode.CANARY]
