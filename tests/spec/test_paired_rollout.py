# SPDX-License-Identifier: Apache-2.0
"""Probes that both releases answered decide in rollouts: docs/spec.md, The line, Probes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.app import MAX_SLICES
from lockgate.core.bucket import Pairs
from lockgate.core.finding import Outcome
from lockgate.core.intake import WHOLE, Question, Slice
from lockgate.core.rollout import Status
from lockgate.core.spine import PairCell
from lockgate.operations.create import create
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.intake.pairing import LATEST
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.tick import tick
from lockgate.testing.world import Law, World
from lockgate.wiring import run_files, sqlite_store
from tests.spec.line import APP, at, batch, created, order, run_lines, trial_of, world

METRIC = "scores.groundedness:paired"
FIELD = "scores.groundedness"
MEDICAL: Slice = (("intent", "medical"),)
STEPS = {"steps": [50, 100], "min_runs": 10}


def answer(release: str, probe: object, score: float, **fields: Any) -> dict[str, Any]:
    """Return a run that answered a probe."""
    return {"release": release, "probe_id": f"probe-{probe}", "scores": {"groundedness": score}, **fields}


def pairs(here: World, app: str = APP) -> list[PairCell]:
    """Return all pairs of an app."""
    with here.house.store.reading() as seen:
        return list(seen.pairs(app, 0, 10_000))


def total(cells: Iterable[PairCell], baseline: str = "v36", candidate: str = "abc123", name: str = FIELD) -> Pairs:
    """Return what two releases' pairs add up to."""
    return sum((cell.seen_by(baseline, candidate).get(name, Pairs()) for cell in cells), start=Pairs())


def walk(here: World, rollout_id: str, lost: float, *, minutes: int, **fields: Any) -> Status:
    """Let both releases answer ten new probes a minute, of which the candidate loses some, and tick."""
    draw = np.random.default_rng(3)
    for minute in range(minutes):
        runs = []
        for number in range(10):
            is_lost, is_won = draw.random() < lost, draw.random() < 0.2
            score = 0.5 if is_lost else 0.9 if is_won else 0.8
            runs.append(answer("v36", f"{minute}-{number}", 0.8, **fields))
            runs.append(answer("abc123", f"{minute}-{number}", score, **fields))
        ingest(batch(*runs), here.house)
        here.clock.advance(60)
        tick(rollout_id, here.house)
        if trial_of(here, rollout_id).rollout.is_terminal:
            break
    return trial_of(here, rollout_id).rollout.status


@pytest.mark.clause("LI-81")
def test_a_candidate_that_loses_most_probes_is_rolled_back() -> None:
    """A paired gate speaks in a rollout."""
    here = world()
    rollout = created(here, policy={"gates": [METRIC], **STEPS}).rollout

    status = walk(here, rollout.id, 0.8, minutes=60)

    assert status is Status.ROLLED_BACK


@pytest.mark.clause("LI-81")
def test_a_candidate_that_answers_as_well_is_promoted() -> None:
    """Equal losses and wins exclude the gate's `detect` in time."""
    here = world()
    rollout = created(here, policy={"gates": [METRIC], **STEPS}).rollout

    status = walk(here, rollout.id, 0.15, minutes=120)

    trial = trial_of(here, rollout.id)
    assert status is Status.PROMOTED
    assert trial.progress.state.gates[0].judged_runs == trial.progress.totals.whole.pairs[FIELD, WHOLE].n > 0


@pytest.mark.clause("VE-230")
@pytest.mark.parametrize(
    "steps",
    [
        [5, 25, 100],
        [{"kind": "offline", "gates": [METRIC], "min_runs": 100}, {"weight": 5}, {"weight": 100}],
    ],
    ids=["right after create", "at an offline step"],
)
def test_probes_that_were_answered_once_are_enough_for_every_step(steps: list[Any]) -> None:
    """Whichever step they were answered at, and though nobody knew which weight was live then."""
    here = world()
    name = created(here, policy={"gates": [METRIC, "error_rate"], "steps": steps}).rollout.id
    scores = (0.5, *(0.8,) * 8, 0.9)
    for release in ("v36", "abc123"):
        runs = (answer(release, each, 0.8 if release == "v36" else scores[each % 10]) for each in range(400))
        ingest(batch(*runs), here.house)

    here.walk(name, {"v36": Law(0.01), "abc123": Law(0.01)}, runs=1_000, minutes=40)

    trial = trial_of(here, name)
    assert (trial.rollout.status, trial.progress.state.gates[0].judged_runs) == (Status.PROMOTED, 400)
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("VE-230")
@pytest.mark.parametrize(("since_s", "judged"), [(None, 0), (600, 1)])
def test_pairs_from_before_what_a_rollout_reads_are_not_its_own(since_s: int | None, judged: int) -> None:
    """Whoever imports old answers after the start has not asked for them by `since`."""
    here = world()
    here.clock.advance(7_200)
    ingest(batch(answer("v36", "new", 0.8), answer("abc123", "new", 0.8)), here.house)
    name = created(here, since_s=since_s, policy={"gates": [METRIC], **STEPS}).rollout.id
    old = [answer(each, "old", 0.8, started_at=at(30)) for each in ("v36", "abc123")]
    ingest(batch(*old), here.house, by_start_time=True)
    here.clock.advance(120)

    tick(name, here.house)

    assert len(pairs(here)) == 2
    assert trial_of(here, name).progress.state.gates[0].judged_runs == judged


@pytest.mark.clause("VE-230")
def test_of_the_time_in_which_traffic_settles_no_pair_is_read() -> None:
    """Its owner said that what answers then is not what will answer."""
    here = world()
    name = created(
        here, policy={"gates": [METRIC], "steps": [{"weight": 50, "settle": "5m"}, {"weight": 100}]}
    ).rollout.id
    for release in ("v36", "abc123"):
        ingest(batch(*(answer(release, each, 0.8) for each in range(40))), here.house)
    here.clock.advance(60)

    (found,) = tick(name, here.house).verdict.findings

    assert (found.outcome, found.candidate.n) == (Outcome.INSUFFICIENT, 0)


@pytest.mark.clause("LI-81")
def test_a_baseline_that_answered_before_is_compared() -> None:
    """The pair belongs to the later of its two runs, and evals need no traffic at the same time."""
    here = world()
    ingest(batch(*(answer("v36", number, 0.8) for number in range(300))), here.house)
    here.clock.advance(7_200)
    rollout = created(here, policy={"gates": [METRIC], **STEPS}).rollout
    for minute in range(30):
        runs = (answer("abc123", number, 0.2) for number in range(minute * 10, minute * 10 + 10))
        ingest(batch(*runs), here.house)
        here.clock.advance(60)
        tick(rollout.id, here.house)

    assert trial_of(here, rollout.id).rollout.status is Status.ROLLED_BACK


@pytest.mark.clause("LI-81")
def test_a_pair_belongs_to_a_slice_when_both_runs_do() -> None:
    """Beside the whole, to which every pair belongs."""
    here = world()
    rollout = created(here, policy={"gates": [{"metric": METRIC, "slice": dict(MEDICAL)}], **STEPS}).rollout
    ingest(
        batch(
            answer("v36", 1, 0.8, labels={"intent": "medical", "tier": "a"}),
            answer("abc123", 1, 0.2, labels={"intent": "medical", "tier": "b"}),
            answer("v36", 2, 0.8, labels={"intent": "medical"}),
            answer("abc123", 2, 0.9, labels={"intent": "billing"}),
        ),
        here.house,
    )
    ingest(batch({}, {"release": "abc123"}), here.house)
    here.clock.advance(121)
    tick(rollout.id, here.house)
    ingest(
        batch(answer("abc123", 3, 0.2, labels=dict(MEDICAL)), answer("v36", 3, 0.8, labels=dict(MEDICAL))), here.house
    )
    here.clock.advance(121)
    tick(rollout.id, here.house)

    assert {cell.labels for cell in pairs(here)} == {MEDICAL, WHOLE}
    found = trial_of(here, rollout.id).progress.totals.whole.pairs
    assert found == {(FIELD, WHOLE): Pairs(2, 0, 1), (FIELD, MEDICAL): Pairs(2, 0, 0)}


@pytest.mark.clause("LI-81")
def test_pairs_of_labels_without_room_are_in_the_whole_alone() -> None:
    """As their runs are."""
    here = world()
    ingest(batch(*({"labels": {"user": str(number)}} for number in range(MAX_SLICES))), here.house)

    ingest(batch(*(answer(name, 1, 0.5, labels={"user": "new"}) for name in ("v36", "abc123"))), here.house)

    (cell,) = pairs(here)
    assert (cell.labels, total([cell])) == ((("", "other"),), Pairs(ties=1))


@pytest.mark.clause("LI-82")
def test_the_pairs_of_a_rollout_are_those_of_compare(tmp_path: Path) -> None:
    """Ingested and ticked, or read from a file, the same runs make the same pairs, in every field and slice."""
    draw = np.random.default_rng(5)
    runs = [
        answer(
            release,
            int(draw.integers(200)),
            float(draw.choice([0.2, 0.5, 0.8])),
            started_at=at(int(draw.integers(-50, -1))),
            status=str(draw.choice(["ok", "error"])),
            labels={"intent": str(draw.choice(["medical", "billing"]))},
        )
        for release in ("v36", "abc123")
        for _ in range(300)
    ]
    gates = [METRIC, {"metric": "error_rate:paired", "slice": dict(MEDICAL)}]
    file = tmp_path / "runs.ndjson"
    file.write_bytes(run_lines(*runs))
    here = world()
    for place in range(0, len(runs), 50):
        ingest(batch(*runs[place : place + 50]), here.house, by_start_time=True)

    asked = order(since_s=3_600, policy={"gates": gates, "mode": "shadow", "steps": [50, 100]})
    rollout = create(asked, here.house).rollout
    here.clock.advance(120)
    tick(rollout.id, here.house)

    question = Question(
        baseline="v36", candidate="abc123", slices=(WHOLE, MEDICAL), paired_fields=(FIELD, "error_rate")
    )
    from_file = run_files().read([str(file)], question, lambda _done, _of: None).pairs
    assert trial_of(here, rollout.id).progress.totals.whole.pairs == from_file
    assert all(found.n for found in from_file.values())


@pytest.mark.clause("LI-82")
@given(st.data())
def test_pairs_do_not_depend_on_the_order_of_batches(data: st.DataObject) -> None:
    """Of one run of each release for each probe, in batches cut and ordered anyhow."""
    releases = ["v36", "abc123", "f00"]
    scores = data.draw(
        st.dictionaries(
            st.tuples(st.sampled_from(releases), st.integers(0, 4)), st.sampled_from([0.1, 0.5, 0.9]), min_size=1
        )
    )
    runs = [answer(release, probe, score) for (release, probe), score in sorted(scores.items())]
    once, cut = world(), world()
    ingest(batch(*runs), once.house)
    shuffled = data.draw(st.permutations(runs))
    for place in range(0, len(shuffled), 3):
        ingest(batch(*shuffled[place : place + 3]), cut.house)
        cut.clock.advance(40)

    for baseline in releases:
        for candidate in releases:
            here, there = (total(pairs(each), baseline, candidate) for each in (once, cut))
            assert here == there
            both = [probe for probe in range(5) if {(baseline, probe), (candidate, probe)} <= scores.keys()]
            expected = Pairs(
                losses=sum(scores[candidate, probe] < scores[baseline, probe] for probe in both),
                ties=sum(scores[candidate, probe] == scores[baseline, probe] for probe in both),
                wins=sum(scores[candidate, probe] > scores[baseline, probe] for probe in both),
            )
            assert here == (expected if baseline != candidate else Pairs())


@pytest.mark.clause("LI-82")
def test_of_several_runs_of_a_probe_the_first_is_paired() -> None:
    """In one batch and over batches; a run that comes again with its id is no answer at all."""
    here = world()
    ingest(batch(answer("v36", 1, 0.8, run_id="a"), answer("v36", 1, 0.1, run_id="b")), here.house)
    ingest(batch(answer("v36", 1, 0.2)), here.house)

    ingest(batch(answer("abc123", 1, 0.5), answer("abc123", 1, 0.9), answer("abc123", 2, 0.9)), here.house)

    assert total(pairs(here)) == Pairs(losses=1)


@pytest.mark.clause("LI-83")
def test_a_pair_joins_the_later_of_its_two_slots() -> None:
    """Whichever of the two runs is imported first, while that slot is open."""
    for releases in (("v36", "abc123"), ("abc123", "v36")):
        here, minute = world(), {"v36": -30.0, "abc123": -10.0}
        for release in releases:
            runs = answer(release, 1, 0.5, started_at=at(minute[release]))
            ingest(batch(runs), here.house, by_start_time=True)

        with here.house.store.reading() as seen:
            times = {slot.number: slot.time for slot in seen.slots(APP)}
        (cell,) = pairs(here)

        assert times[cell.number] == max(times.values())


@pytest.mark.clause("LI-83")
def test_pairs_are_bound_by_the_digest_of_their_slot() -> None:
    """Two slots with the same tallies and other pairs have other digests; and a sealed one takes no more pairs."""
    digests = []
    for probe in (1, 2):
        here = world()
        ingest(batch(answer("v36", 1, 0.8)), here.house)
        here.clock.advance(61)
        ingest(batch(answer("abc123", probe, 0.8)), here.house)
        here.clock.advance(61)
        ingest(batch(answer("v36", 2, 0.8)), here.house)
        with here.house.store.reading() as seen:
            slot = seen.slots(APP)[1]
            again = [cell.document() for cell in seen.pairs(APP, 1, 1)]
        digests.append((slot.digest, again))

    assert digests[0][0] != digests[1][0]
    assert [len(found) for _, found in digests] == [1, 0]
    assert [cell.number for cell in pairs(here)] == [2]


@pytest.mark.clause("LI-83")
def test_a_probe_that_every_build_answers_is_compared_with_few(tmp_path: Path) -> None:
    """With the eight latest, and with the releases that active rollouts stand on, however long ago they answered."""
    here = World(sqlite_store(tmp_path))
    create(order(policy={"gates": [METRIC]}), here.house)
    ingest(batch(answer("v36", 1, 0.8)), here.house)
    for build in range(20):
        here.clock.advance(1)
        ingest(batch(answer(f"b{build:02}", 1, 0.5)), here.house)

    ingest(batch(answer("abc123", 1, 0.5)), here.house)

    met = {
        cell.second if cell.first == "abc123" else cell.first
        for cell in pairs(here)
        if "abc123" in (cell.first, cell.second)
    }
    assert met == {"v36", *(f"b{build:02}" for build in range(20 - LATEST, 20))}


@pytest.mark.clause("LI-80")
def test_a_flag_s_variants_are_paired() -> None:
    """By the probes that runs with the flag answered."""
    here = world()

    ingest(
        batch(
            answer("v36", 1, 0.8, flags={"dark": "off"}, run_id="a"),
            answer("v36", 1, 0.9, flags={"dark": "on"}, run_id="b"),
        ),
        here.house,
    )

    assert total(pairs(here, "dark"), "off", "on") == Pairs(wins=1)
    assert pairs(here) == []
