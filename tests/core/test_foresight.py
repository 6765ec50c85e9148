# SPDX-License-Identifier: Apache-2.0
"""What is foreseen must be what simulated rollouts of the engine take: docs/spec.md, Verdicts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.calibration import rollouts
from bench.calibration.rollouts import World as Engine
from lockgate.core.bucket import Events, Values
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.evidence.state import Tally
from lockgate.core.flow import Flow
from lockgate.core.foresight import ASSUMED_SHARE, ENOUGH_RUNS, Foreseen, foresee
from lockgate.core.policy.gate import Margin
from lockgate.core.policy.policy import Inference, Policy, Promote
from lockgate.core.rollout import Status
from lockgate.operations.asking.foresee import foresee as foresee_stored
from lockgate.operations.create import Order, create
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import tick
from lockgate.testing.world import Law, World
from lockgate.wiring import memory_store

STUDIED: Mapping[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "bench" / "results" / "studies.json").read_text(encoding="utf-8")
)
# What is foreseen lies within this part of what is measured.
WITHIN = 0.3
REPLICATES = 300


def default(**fields: Any) -> Policy:
    """Return the default policy for runs that carry a status and nothing else."""
    return declare({"mode": "canary", **fields}, ("error_rate",))


def measured(share: float, runs: int = 100_000) -> dict[str, Events]:
    """Return a baseline's tally."""
    return {"error_rate": Events(runs, round(share * runs))}


def gate_of(share: float, policy: Policy | None = None) -> Foreseen:
    """Return what the one gate of a policy takes."""
    (found,) = foresee(policy or default(), measured(share)).gates
    return found


def near(found: float | None, seen: float | None) -> bool:
    """Say whether a number is foreseen well enough."""
    assert found is not None
    assert seen is not None
    return abs(found - seen) <= WITHIN * seen


@pytest.mark.clause("VE-60")
@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_the_runs_to_full_exposure_are_those_of_the_engine(share: float) -> None:
    """Over base rates, and with so little traffic that buckets hardly matter."""
    seen = rollouts.engine(np.random.default_rng(1), Engine(40, share, 0.0), default(), REPLICATES)

    assert near(foresee(default(), measured(share)).to_full, seen.median_runs(1))


@pytest.mark.clause("VE-60")
@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
def test_the_runs_to_a_breach_are_those_of_the_engine(share: float) -> None:
    """A candidate that is as harmful as is said."""
    gate = gate_of(share)
    assert gate.harm is not None
    world = Engine(40, share, gate.harm - share)

    seen = rollouts.engine(np.random.default_rng(2), world, default(), REPLICATES)

    assert near(gate.to_rollback, seen.median_runs(-1))


@pytest.mark.clause("VE-60")
@pytest.mark.parametrize(("share", "margin", "runs"), [(0.05, 0.02, 100), (0.1, 0.05, 40), (0.02, 0.01, 400)])
def test_the_runs_to_prove_are_those_of_the_engine(share: float, margin: float, runs: int) -> None:
    """The whole ramp under `proven`, each step against the budget of the next weight."""
    policy = default(promote="proven", gates=[{"metric": "error_rate", "margin": f"{100 * margin:g}pp"}])
    ramp = rollouts.policy(Promote.PROVEN, Margin(absolute=margin))

    seen = rollouts.engine(np.random.default_rng(3), Engine(runs, share, 0.0), ramp, REPLICATES)

    assert near(gate_of(share, policy).to_prove, seen.median_runs(1))


@pytest.mark.clause("VE-60")
def test_what_is_foreseen_is_what_was_studied() -> None:
    """Through the real operations, with buckets of 40 and of 400 runs."""
    for row in STUDIED["flows"]:
        foresight = foresee(default(), measured(row["baseline"]), Flow(row["runs"]))
        is_harmed = row["candidate"] > row["baseline"]
        found = foresight.gates[0].to_rollback if is_harmed else foresight.to_full
        assert near(found, row["runs_to_rollback" if is_harmed else "runs_to_full"])


@pytest.mark.clause("VE-60")
@pytest.mark.parametrize("metric", ["latency_ms:p95", "latency_ms:p99", "latency_ms"])
def test_quantiles_and_means_are_foreseen_from_the_stored_runs(metric: str) -> None:
    """The shape of the baseline's values is what decides, and it is there."""
    laws = {"v1": Law(), "v2": Law()}
    order = Order(
        app="web",
        baseline="v1",
        candidate="v2",
        policy={"mode": "canary", "gates": [metric], "steps": [5, 100], "min_runs": 5},
    )
    runs, foreseen = [], None
    for seed in range(9):
        here = World(memory_store(), seed)
        here.serve_both("web", {"v1": 3_000}, laws, minutes=30)
        made = create(order, here.house)
        foreseen = foresee_stored(made.rollout, made.policy, here.house)
        here.walk(made.rollout.id, laws, runs=100, minutes=300)
        with here.house.store.reading() as seen:
            trial = seen.trial(made.rollout.id)
        assert trial is not None
        runs.append(trial.progress.state.candidate_runs)

    assert foreseen is not None
    assert foreseen.to_full is not None
    assert abs(foreseen.to_full - median(runs)) <= WITHIN * median(runs) + 10


@pytest.mark.clause("VE-61")
@settings(max_examples=25)
@given(share=st.floats(0.001, 0.3))
def test_harm_is_a_doubling_or_what_detect_excludes(share: float) -> None:
    """What the promise of `clean` does not cover is not promised."""
    gate = gate_of(share)

    assert gate.share is not None
    assert gate.harm == pytest.approx(max(2 * gate.share, 1.75 * gate.share + 0.01))


@pytest.mark.clause("VE-61")
def test_a_baseline_that_nobody_has_seen_is_assumed() -> None:
    """And is said to be; so is one of a few runs."""
    unseen = foresee(default(), {}).gates[0]
    few = foresee(default(), measured(0.2, ENOUGH_RUNS - 1)).gates[0]

    assert (unseen.share, unseen.is_measured) == (ASSUMED_SHARE, False)
    assert few == unseen


@pytest.mark.clause("VE-61")
def test_what_cannot_be_said_is_not_said() -> None:
    """No runs of a latency; a candidate that could never be clean; one look at a fixed sample."""
    unseen = foresee(default(gates=["error_rate", "latency_ms:p95"]), {})
    nothing = foresee(default(gates=[{"metric": "error_rate", "detect": "none"}]), measured(0.05))
    fixed = foresee(replace(default(), inference=Inference.FIXED), measured(0.05))

    assert ([gate.gate for gate in unseen.gates], unseen.to_full) == (["error_rate"], None)
    assert nothing.gates[0].to_clean is None
    assert (fixed.gates, fixed.to_full) == ((), None)


@pytest.mark.clause("VE-61")
@pytest.mark.parametrize("gate", [{"metric": "scores.g:paired"}, {"metric": "scores.g", "min": 0.5}])
def test_of_pairs_and_fixed_limits_nothing_is_foreseen_whatever_is_measured(gate: dict[str, object]) -> None:
    """How the baseline's values lie says nothing of either."""
    known: dict[str, Tally] = {"g": Values(300, 300 * 10**8, 300 * 10**16, ((1000, 300),), (0,))}

    foresight = foresee(default(gates=[{**gate, "id": "g"}]), known)

    assert (foresight.gates, foresight.to_full) == ((), None)


@pytest.mark.clause("VE-61")
def test_a_baseline_without_spread_is_foreseen_too() -> None:
    """All values alike, or a rate of nothing: no division by it."""
    policy = default(gates=["latency_ms:p95", "latency_ms", "error_rate"])
    alike = Values(300, 300 * 10**8, 300 * 10**16, ((1000, 300),), (0,))
    few = Values(200, 200 * 10**8, 200 * 10**16, ((0, 100), (1000, 100)), (0, 0))

    for values in (alike, few):
        known: dict[str, Tally] = {"latency_ms:p95": values, "latency_ms": values, "error_rate": Events(300, 0)}
        assert len(foresee(policy, known).gates) == 3


@pytest.mark.clause("LI-385")
@pytest.mark.parametrize("part", [0.5, 0.02])
def test_a_gate_that_reads_few_runs_takes_all_that_bring_them(part: float) -> None:
    """Of a slice, or of a metric that few runs carry, all candidate runs are foreseen, and the ramp with them."""
    sliced = default(gates=[{"metric": "error_rate", "slice": {"intent": "medical"}}])
    (name,) = (gate.id for gate in sliced.gates)
    known, whole = {name: measured(0.05)["error_rate"]}, gate_of(0.05)

    foresight = foresee(sliced, known, Flow(parts={name: part}))

    (gate,) = foresight.gates
    for found, judged in ((gate.to_clean, whole.to_clean), (gate.to_rollback, whole.to_rollback)):
        assert found is not None
        assert judged is not None
        assert found == pytest.approx(judged / part, rel=0.1)
    assert foresight.to_full is not None
    assert foresight.to_full >= (gate.to_clean or 0)


@pytest.mark.clause("LI-512")
@pytest.mark.parametrize(("part", "share"), [(0.1, 0.2), (0.1, 0.5), (0.03, 0.5)])
def test_the_ramp_of_a_slice_is_foreseen_over_all_steps(part: float, share: float) -> None:
    """Through the real operations, where the fewest runs decide at each step, or a bucket has hardly one of them."""
    taken, foreseen = [], []
    for seed in range(11):
        here = Sliced(World(memory_store(), seed), np.random.default_rng(seed), part, share)
        here.serve({"v1": 400}, minutes=60)
        made = create(Order(app="web", baseline="v1", candidate="v2", policy=SLICED), here.world.house)
        said = foresee_stored(made.rollout, made.policy, here.world.house).to_full
        assert said is not None
        foreseen.append(said)
        # One that is rolled back although nothing is wrong takes for ever, which a median bears.
        taken.append(here.walk(made.rollout.id))

    assert near(median(foreseen), median(taken))


SLICED = {"mode": "canary", "gates": [{"metric": "error_rate", "slice": {"intent": "medical"}}]}


@dataclass(frozen=True, slots=True)
class Sliced:
    """An app of whose runs a part is of one slice, drawn anew each minute; all fail as often."""

    world: World
    draw: np.random.Generator
    part: float
    share: float

    def serve(self, runs: Mapping[str, int], *, minutes: int = 1) -> None:
        """Serve so many runs of each release a minute."""
        laws = dict.fromkeys(runs, Law(error_rate=self.share, latency_ms=None))
        for _ in range(minutes):
            within = {release: int(self.draw.binomial(count, self.part)) for release, count in runs.items()}
            others = {release: count - within[release] for release, count in runs.items()}
            for counts, labels in ((within, (("intent", "medical"),)), (others, ())):
                if any(counts.values()):
                    ingest(self.world.batch("web", counts, laws, labels), self.world.house)
            self.world.clock.advance(60)

    def walk(self, name: str) -> float:
        """Walk a rollout to all traffic, 400 runs a minute, and return how many its candidate had on the way."""
        for _ in range(600):
            turn = tick(name, self.world.house)
            if turn.rollout.is_terminal:
                break
            ours = round(4 * turn.rollout.exposed_weight)
            self.serve({"v1": 400 - ours, "v2": ours})
        with self.world.house.store.reading() as seen:
            trial = seen.trial(name)
        assert trial is not None
        return trial.progress.state.candidate_runs if turn.rollout.status is Status.PROMOTED else math.inf


@pytest.mark.clause("LI-385")
def test_of_a_slice_that_nobody_has_seen_nothing_is_foreseen() -> None:
    """How much of the traffic it is decides how long all takes."""
    sliced = default(gates=[{"metric": "error_rate", "slice": {"intent": "medical"}}])

    foresight = foresee(sliced, {})

    assert [(gate.to_clean, gate.to_rollback, gate.to_prove) for gate in foresight.gates] == [(None, None, None)]
    assert foresight.to_full is None


@pytest.mark.clause("LI-386")
def test_what_is_foreseen_is_said_at_the_ends_of_buckets() -> None:
    """With 2,000 candidate runs a bucket the first teaches, the second decides, and one event has one number."""
    policy = default(promote="proven", gates=[{"metric": "error_rate", "margin": "1pp"}])

    (gate,) = foresee(default(), measured(0.05), Flow(40_000)).gates
    proven = foresee(policy, measured(0.05), Flow(40_000))

    assert (gate.to_clean, gate.to_rollback) == (4_000, 4_000)
    assert proven.gates[0].to_prove == proven.to_full


@pytest.mark.clause("LI-386")
def test_buckets_that_seal_by_runs_hold_no_more_than_those() -> None:
    """A busy app with small buckets answers after few runs."""
    few = foresee(default(bucket_runs=20), measured(0.05), Flow(40_000)).gates[0]

    assert few.to_rollback is not None
    assert few.to_rollback < 300
