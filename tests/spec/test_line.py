# SPDX-License-Identifier: Apache-2.0
"""A rollout walks through the real operations: docs/spec.md, The line, Rollouts and Ticks."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from lockgate.core.instant import HOUR
from lockgate.core.intake import WHOLE
from lockgate.core.rollout import Status
from lockgate.core.surroundings import NEVER_TOGETHER
from lockgate.core.transition import Event
from lockgate.errors import NotPermittedError, TryAgainError, UsageError
from lockgate.operations.asking.queries import explain, list_rollouts
from lockgate.operations.create import create
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import Turn, tick
from lockgate.operations.tick_all import tick_all
from lockgate.testing.world import MINUTE, Law, World
from lockgate.wiring import sqlite_store
from tests.spec.line import (
    APP,
    EQUAL,
    WORSE,
    at,
    batch,
    created,
    order,
    predicate,
    receipts,
    trial_of,
    verified,
    world,
)


@pytest.mark.clause("LI-10")
def test_create_writes_the_first_receipt() -> None:
    """From its first moment a rollout can be proven."""
    here = world()

    made = created(here)

    (receipt,) = receipts(here.house, made.rollout.id)
    with here.house.store.reading() as seen:
        told = [message.event for message in seen.messages()]
    said = predicate(receipt)
    assert (receipt.seq, receipt.revision, made.rollout.status) == (1, 1, Status.ACTIVE)
    assert (said["from"]["weight"], said["to"]["weight"]) == (0, 5)
    assert told == [Event.CREATED]
    assert (
        made.warnings[-1]
        == "no run of the baseline v36 has been seen, and so latency_ms:p95 is no gate, because none is named"
    )


@pytest.mark.clause("LI-10")
def test_an_equal_rollout_is_the_same() -> None:
    """A job that runs again follows the rollout that it started."""
    here = world()
    first = created(here)

    again = created(here)

    assert (again.rollout, again.is_existing) == (first.rollout, True)
    assert len(list_rollouts(here.house)) == 1


@pytest.mark.clause("LI-10")
def test_an_app_has_one_canary_at_a_time() -> None:
    """Two that move the same traffic would spoil each other's comparison; those that only watch do not."""
    here = world()
    created(here)

    with pytest.raises(TryAgainError, match="moving the traffic"):
        created(here, candidate="def456")

    assert created(here, candidate="def456", policy={"mode": "shadow"}).rollout.status is Status.ACTIVE


@pytest.mark.clause("LI-10")
def test_a_frozen_app_starts_nothing() -> None:
    """An incident is no time for a trial."""
    here = world()
    ingest(batch({}), here.house)
    with here.house.store.writing() as work:
        app = work.app(APP)
        assert app is not None
        work.put_app(replace(app, frozen="incident 7"))

    with pytest.raises(NotPermittedError, match="incident 7"):
        created(here)


@pytest.mark.clause("LI-10")
def test_a_retry_counts_as_another_attempt() -> None:
    """Trying again until chance agrees does not go unseen."""
    here = world()
    first = created(here).rollout
    here.walk(first.id, WORSE, runs=400, minutes=30)

    second = created(here).rollout

    assert (second.attempt, second.id != first.id) == (2, True)


@pytest.mark.clause("LI-11")
def test_since_reads_what_is_there() -> None:
    """Runs of both arms from before the rollout decide at its first tick; without `since` they don't count."""
    outcomes = []
    for since_s in (None, 7200):
        here = world()
        here.serve_both(APP, {"v36": 2000, "abc123": 2000}, WORSE, minutes=20)

        rollout = created(here, since_s=since_s).rollout
        outcomes.append(tick(rollout.id, here.house).rollout.status)

    assert outcomes == [Status.ACTIVE, Status.ROLLED_BACK]


@pytest.mark.clause("LI-11")
def test_imported_files_decide_at_the_first_tick() -> None:
    """Two files whose times overlap, one create, one tick."""
    here = world()
    for release, every in (("v36", 100), ("abc123", 5)):
        runs = [
            {"release": release, "started_at": at(-60 + number / 50), "status": "ok" if number % every else "error"}
            for number in range(2000)
        ]
        ingest(batch(*runs), here.house, by_start_time=True)
    rollout = created(here, since_s=7200).rollout

    turn = tick(rollout.id, here.house)

    assert turn.rollout.status is Status.ROLLED_BACK
    assert turn.transition.decision.cause == "regression"


@pytest.mark.clause("LI-11")
def test_imported_runs_from_before_are_not_fresh() -> None:
    """Runs that began before a rollout entered its step say nothing about that step, however late they come."""
    here = world()
    rollout = created(here, since_s=600).rollout
    here.clock.advance(3600)
    for minute in (-30, 30):
        runs = [{"release": release, "started_at": at(minute)} for release in ("v36", "abc123", "abc123")]
        ingest(batch(*runs), here.house, by_start_time=True)
    here.clock.advance(MINUTE)

    tick(rollout.id, here.house)

    assert trial_of(here, rollout.id).progress.state.fresh_runs == 2


@pytest.mark.clause("LI-12")
def test_arms_that_never_ran_together_are_not_compared() -> None:
    """A baseline of yesterday says nothing about today, and the hold says what to do."""
    here = world()
    for release, every, day in (("v36", 100, 1), ("abc123", 5, 0)):
        runs = [
            {
                "release": release,
                "started_at": at(-60 - 1440 * day + number / 50),
                "status": "ok" if number % every else "error",
            }
            for number in range(2000)
        ]
        ingest(batch(*runs), here.house, by_start_time=True)
    rollout = created(here, since_s=48 * 3600).rollout

    turn = tick(rollout.id, here.house)

    assert turn.rollout.status is Status.ACTIVE
    assert turn.transition.decision.reason == NEVER_TOGETHER


@pytest.mark.clause("LI-12")
def test_an_arm_waits_for_the_other() -> None:
    """Where the candidate has a run every few minutes, the baseline's runs in between are not lost."""
    here = world()
    rollout = created(here, policy={"steps": [{"weight": 1}, {"weight": 100}]}).rollout

    here.walk(rollout.id, WORSE, runs=40, minutes=1)
    for _ in range(20):
        here.serve_both(APP, {"v36": 100}, WORSE, minutes=1)
        here.serve_both(APP, {"abc123": 20}, WORSE, minutes=1)
        tick(rollout.id, here.house)

    assert trial_of(here, rollout.id).rollout.status is Status.ROLLED_BACK


@pytest.mark.clause("LI-13")
def test_the_slow_end_gates_where_there_is_latency() -> None:
    """What the baseline never carried cannot be asked of the candidate."""
    bare, timed = world(), world()
    timed.serve_both(APP, {"v36": 10}, EQUAL, minutes=1)

    names = [[gate.id for gate in created(here).policy.gates] for here in (bare, timed)]

    assert names == [["error_rate"], ["error_rate", "latency_ms:p95"]]


@pytest.mark.clause("LI-13")
def test_the_champion_is_the_baseline() -> None:
    """Who has promoted once need not say against what the next is tried; before that one must."""
    here = world()
    with pytest.raises(UsageError, match="no champion"):
        created(here, baseline=None)
    with pytest.raises(UsageError, match="both"):
        created(here, candidate="v36")
    here.walk(created(here).rollout.id, EQUAL, runs=2000, minutes=60)

    following = create(order(candidate="def456", baseline=None), here.house)

    assert following.rollout.baseline == "abc123"


@pytest.mark.clause("LI-20")
@pytest.mark.clause("LI-27")
def test_a_good_candidate_is_promoted_to_all_traffic() -> None:
    """It walks every step, one at a time, and becomes the champion."""
    here = world()
    rollout = created(here).rollout

    turns = here.walk(rollout.id, EQUAL, runs=1000, minutes=120)

    weights = [turn.rollout.weight for turn in turns if not turn.transition.is_look]
    with here.house.store.reading() as seen:
        app, told = seen.app(APP), [message.event for message in seen.messages()]
    assert app is not None
    assert (weights, turns[-1].rollout.status) == ([25, 50, 100], Status.PROMOTED)
    assert (app.champion, app.former_champion) == ("abc123", "v36")
    assert told == [Event.CREATED, *[Event.PROMOTE] * 3, Event.COMPLETED]


@pytest.mark.clause("LI-20")
def test_a_bad_candidate_is_rolled_back_at_the_first_step() -> None:
    """Harm that shows at 5 % never reaches 25 %."""
    here = world()
    rollout = created(here).rollout

    turns = here.walk(rollout.id, WORSE, runs=400, minutes=60)

    last = turns[-1].rollout
    assert (last.status, last.step, last.weight) == (Status.ROLLED_BACK, 0, 0.0)
    assert len(turns) <= 10
    assert [turn.rollout.weight for turn in turns[:-1]] == [5] * (len(turns) - 1)


@pytest.mark.clause("LI-20")
def test_without_runs_nothing_moves() -> None:
    """Missing data never reads as good data."""
    here = world()
    rollout = created(here).rollout

    turns = []
    for _ in range(30):
        here.clock.advance(MINUTE)
        turns.append(tick(rollout.id, here.house))

    assert {turn.transition.decision.cause for turn in turns} == {"insufficient"}
    assert trial_of(here, rollout.id).rollout == rollout


@pytest.mark.clause("LI-21")
def test_a_tick_repeated_changes_nothing() -> None:
    """A client that asks again after a crash does not advance twice."""
    here = world()
    rollout = created(here).rollout
    turns = here.walk(rollout.id, EQUAL, runs=2000, minutes=3)
    while turns[-1].transition.is_look:
        turns = here.walk(rollout.id, EQUAL, runs=2000, minutes=1)
    before, signed = trial_of(here, rollout.id), receipts(here.house, rollout.id)

    again = [tick(rollout.id, here.house) for _ in range(3)]

    after = trial_of(here, rollout.id)
    assert all(turn.transition.is_look for turn in again)
    assert (after.rollout, receipts(here.house, rollout.id)) == (before.rollout, signed)
    assert after.chain.looks == 3


@pytest.mark.clause("LI-21")
def test_after_its_end_a_tick_leaves_nothing() -> None:
    """Not even a look."""
    here = world()
    rollout = created(here).rollout
    here.walk(rollout.id, WORSE, runs=400, minutes=60)
    before = trial_of(here, rollout.id)

    turn = tick(rollout.id, here.house)

    assert turn.transition.is_look
    assert trial_of(here, rollout.id) == before


@pytest.mark.clause("LI-22")
def test_the_bucket_after_a_change_is_read_by_no_comparison() -> None:
    """Nobody knows which weight was live in it; the next one counts."""
    here = world()
    rollout = created(here).rollout

    turns = here.walk(rollout.id, EQUAL, runs=400, minutes=2)

    fresh = trial_of(here, rollout.id).progress.state.fresh_runs
    assert len(turns) == 2
    assert fresh == 20


@pytest.mark.clause("LI-22")
def test_traffic_that_settles_is_read_by_no_comparison() -> None:
    """Buckets that opened within `settle` are not evidence."""
    here = world()
    steps = [{"weight": 5, "settle": "3m"}, {"weight": 100}]
    rollout = created(here, policy={"steps": steps}).rollout

    here.walk(rollout.id, EQUAL, runs=400, minutes=5)

    assert trial_of(here, rollout.id).progress.state.fresh_runs == 40


@pytest.mark.clause("LI-23")
def test_shadow_signs_every_tick_and_moves_nothing() -> None:
    """It walks to the end, and says at which weight it would be."""
    here = world()
    rollout = created(here, policy={"mode": "shadow"}).rollout
    turns: list[Turn] = []
    while not turns or not turns[-1].rollout.is_terminal:
        here.serve_both(APP, {"v36": 800, "abc123": 200}, EQUAL, minutes=1)
        turns.append(tick(rollout.id, here.house))

    with here.house.store.reading() as seen:
        app, told = seen.app(APP), seen.messages()
    signed = receipts(here.house, rollout.id)
    assert app is not None
    assert (turns[-1].rollout.status, turns[-1].rollout.exposed_weight) == (Status.PROMOTED, 0.0)
    assert (app.champion, told, len(signed)) == (None, (), len(turns) + 1)
    assert predicate(signed[-1])["to"]["wouldBeWeight"] == 100


@pytest.mark.clause("LI-24")
def test_looks_are_bound_within_the_hour() -> None:
    """A rollout that holds for hours leaves a receipt for each."""
    here = world()
    rollout = created(here).rollout

    for _ in range(150):
        here.clock.advance(MINUTE)
        tick(rollout.id, here.house)

    signed = receipts(here.house, rollout.id)
    counts = [predicate(receipt)["evidence"]["looks"]["count"] for receipt in signed]
    assert counts == [0, 60, 60]
    assert {later.at - earlier.at for earlier, later in pairwise(signed)} == {HOUR}
    assert {receipt.revision for receipt in signed} == {1}


@pytest.mark.clause("LI-26")
def test_receipts_chain() -> None:
    """Nothing can be left out, put in or exchanged without showing."""
    here = world()
    rollout = created(here).rollout
    here.walk(rollout.id, EQUAL, runs=1000, minutes=120)

    signed = receipts(here.house, rollout.id)

    said = [predicate(receipt) for receipt in signed]
    digests = [None, *({"sha256": receipt.digest.removeprefix("sha256:")} for receipt in signed)]
    with here.house.store.reading() as seen:
        folded = len(seen.folded(rollout.id, -1))
    assert [receipt.seq for receipt in signed] == [1, 2, 3, 4]
    assert [each["prevReceipt"] for each in said] == digests[:-1]
    assert [each["evidence"]["stateBefore"] for each in said[1:]] == [
        each["evidence"]["stateAfter"] for each in said[:-1]
    ]
    assert sum(each["evidence"]["buckets"]["count"] for each in said) == folded
    assert [verified(here.house, receipt).entry is not None for receipt in signed] == [True] * 4


@pytest.mark.clause("LI-28")
def test_a_rule_that_nothing_measures_holds() -> None:
    """Nobody would notice a breach, so the rollout does not go on as if there were none."""
    here = world()
    rule = {"invariants": [{"id": "pii_leak", "event": "pii_leak", "max": 0}], "limits": {"spend": "1 EUR"}}
    begun = created(here, policy=rule)

    turns = here.walk(begun.rollout.id, EQUAL, runs=4000, minutes=20)

    assert any(said.startswith("pii_leak, spend is declared") for said in begun.warnings)
    assert turns[-1].transition.decision.cause == "alarm"
    assert "pii_leak" in turns[-1].transition.decision.reason


@pytest.mark.clause("LI-28")
@pytest.mark.parametrize(("limits", "name"), [({"time": "5m"}, "time"), ({"runs": 100}, "runs")])
def test_a_limit_that_is_reached_acts(limits: dict[str, object], name: str) -> None:
    """A rollout does not outlast what it may last and touch."""
    here = world()
    rollout = created(here, policy={"limits": limits}).rollout

    turns = here.walk(rollout.id, EQUAL, runs=400, minutes=30)

    assert turns[-1].rollout.status is Status.ROLLED_BACK
    assert turns[-1].transition.decision.reason.startswith(f"{name}: ")


@pytest.mark.clause("LI-29")
def test_explaining_writes_nothing() -> None:
    """What a tick would say at this moment, before anybody ticks."""
    here = world()
    rollout = created(here).rollout
    better = {"v36": Law(0.02), "abc123": Law(0.0)}
    here.walk(rollout.id, better, runs=400, minutes=4)
    here.serve(APP, 400, better, "v36")
    here.clock.advance(MINUTE)
    before = trial_of(here, rollout.id)

    said = explain(rollout.id, here.house)

    assert trial_of(here, rollout.id) == before
    assert said.decision == tick(rollout.id, here.house).transition.decision
    assert said.runs_per_hour is not None
    assert said.seconds_left(said.verdict.findings[0]) is not None
    assert said.overdue is None


@pytest.mark.clause("LI-29")
def test_a_step_held_too_long_is_overdue() -> None:
    """Whoever looks sees that it waits for longer than it may, also when nobody ticks."""
    here = world()
    rollout = created(here, policy={"steps": [{"weight": 5, "max_hold": "10m"}, {"weight": 100}]}).rollout

    here.clock.advance(601)

    assert "5 % has held for 10 min" in (explain(rollout.id, here.house).overdue or "")


def ticks(folder: str, rollout_id: str, times: int) -> list[tuple[str, int]]:
    """Tick a rollout in a process of its own, a minute after the world's beginning plus two."""
    here = World(sqlite_store(Path(folder)))
    here.clock.advance(3 * MINUTE)
    turns = [tick(rollout_id, here.house) for _ in range(times)]
    return [(turn.transition.decision.action.value, turn.rollout.revision) for turn in turns]


@pytest.mark.clause("LI-25")
def test_of_two_tickers_one_wins(tmp_path: Path) -> None:
    """Two processes at once take each turn once between them."""
    here = World(sqlite_store(tmp_path))
    rollout = created(here).rollout
    for _ in range(3):
        ingest(here.batch(APP, {"v36": 4000, "abc123": 1000}, {"v36": Law(0.05), "abc123": Law(0.05)}), here.house)
        here.clock.advance(MINUTE)

    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        racing = [pool.submit(ticks, str(tmp_path), rollout.id, 10) for _ in range(2)]
        said = [each for one in racing for each in one.result(timeout=60)]

    trial = trial_of(here, rollout.id)
    assert [action for action, _ in said].count("promote") == 1
    assert (trial.rollout.revision, trial.turn, trial.chain.looks) == (2, 21, 19)
    assert [receipt.seq for receipt in receipts(here.house, rollout.id)] == [1, 2]


@pytest.mark.clause("LI-25")
def test_all_active_rollouts_are_ticked() -> None:
    """One call takes a turn for each, and none for those that have ended."""
    here = world()
    ended = created(here).rollout
    here.walk(ended.id, WORSE, runs=400, minutes=60)
    others = [created(here, candidate=name, policy={"mode": "shadow"}).rollout.id for name in ("d", "e")]

    turns = tick_all(here.house).turns

    assert [turn.rollout.id for turn in turns] == others


@pytest.mark.clause("LI-06")
def test_a_gate_reads_its_slice() -> None:
    """Runs whose labels hold the slice's, whatever other labels they have."""
    here = world()
    medical = (("intent", "medical"), ("region", "eu"))
    gate = {"metric": "error_rate", "slice": {"intent": "medical"}}
    rollout = created(here, policy={"gates": [gate]}).rollout
    for _ in range(12):
        ingest(here.batch(APP, {"v36": 400, "abc123": 100}, WORSE, medical), here.house)
        ingest(here.batch(APP, {"v36": 400, "abc123": 100}, EQUAL, WHOLE), here.house)
        here.clock.advance(MINUTE)

    turn = tick(rollout.id, here.house)

    assert turn.rollout.status is Status.ROLLED_BACK
    assert turn.verdict.findings[0].candidate.n == 1100
