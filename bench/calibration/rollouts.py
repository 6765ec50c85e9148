# SPDX-License-Identifier: Apache-2.0
"""A policy of one error-rate gate and true rates come in; how simulated rollouts end goes out.

Nulls, copies, thresholds and steps are those of the product's own plan of the policy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from bench.calibration.laws import Counts, Integers
from bench.calibration.replicates import Flags
from lockgate.core.evidence.plan import GatePlan, Plan, Role, plan
from lockgate.core.metric import parse_metric
from lockgate.core.policy.gate import Gate, Margin, default_detect
from lockgate.core.policy.policy import Policy, Promote
from lockgate.core.policy.step import Step, StepKind
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.fixed.proportion import newcombe
from lockgate.core.stats.sequential import binary, wealth
from lockgate.core.stats.sequential.null import Null
from lockgate.core.stats.sequential.wealth import threshold

WEIGHTS = (5.0, 25.0, 50.0, 100.0)
MIN_RUNS = 30
# A rollout that has not ended by then counts as holding.
MOST_TICKS = 1_600
_DRIFT_TICKS = 50


@dataclass(frozen=True, slots=True)
class World:
    """Runs per tick over both arms, the baseline's rate, the candidate's excess, and how far the base drifts."""

    runs: int
    base: float
    harm: float
    drift: float = 0.0

    def rates(self, tick: int) -> tuple[float, float]:
        """Return candidate and baseline rate during a tick."""
        base = self.base * (1.0 + self.drift * math.sin(2.0 * math.pi * tick / _DRIFT_TICKS))
        return min(base + self.harm, 1.0), base


@dataclass(frozen=True, slots=True)
class Ends:
    """Where each rollout ended, +1 promoted to all traffic, -1 rolled back, 0 holding, and its candidate runs."""

    state: Integers
    runs: Integers

    def share(self, state: int) -> float:
        """Return the share of rollouts that ended like this."""
        return float((self.state == state).mean())

    def median_runs(self, state: int) -> float | None:
        """Return the median of candidate runs of those that ended like this."""
        ended = self.runs[self.state == state]
        return float(np.median(ended)) if len(ended) else None


def policy(promote: Promote, margin: Margin | None = None) -> Policy:
    """Return the policy under test: one gate on the error rate, steps 5, 25, 50 and 100 %."""
    metric = parse_metric("error_rate")
    gate = Gate(
        id="error_rate", metric=metric, share=1.0, min_runs=MIN_RUNS, detect=default_detect(metric), margin=margin
    )
    steps = tuple(Step(kind=StepKind.WEIGHT, weight=weight, min_runs=MIN_RUNS) for weight in WEIGHTS)
    return Policy(promote=promote, gates=(gate,), steps=steps, min_runs=MIN_RUNS)


def engine(rng: Generator, world: World, rules: Policy, replicates: int) -> Ends:
    """Return how rollouts end that the engine judges at every bucket."""
    judged = Judged(plan(rules), replicates)
    return _walk(rng, world, replicates, judged)


def plain_rule(rng: Generator, world: World, replicates: int) -> Ends:
    """Return how rollouts end under the seed's rule: Newcombe 95 % over the runs so far, promotion when not worse."""
    return _walk(rng, world, replicates, Plain(replicates))


class Judged:
    """Evidence of one gate for the replicates that still run."""

    def __init__(self, plans: Plan, replicates: int) -> None:
        self.plan = plans
        (self.gate,) = plans.gates
        self.seen = np.zeros((2, replicates), np.int64)
        self.wealth = np.zeros((replicates, *plans.shares.shape, binary.ALTERNATIVES))
        self.peaks = np.zeros((replicates, len(plans.rows)))
        self.harm_at = threshold(plans.policy.sequential_alpha, self.gate.gate.share)
        self.promote_at = threshold(plans.policy.alpha_promote)
        self.sought = np.array([_sought(plans, step) for step in range(len(WEIGHTS) - 1)])

    def look(self, counts: Counts, step: Integers) -> tuple[Flags, Flags]:
        """Return where the candidate regressed and where the claim that promotion needs is made."""
        known = binary.plug_in(self.seen[0], self.seen[1])[:, None]
        gains = gate_gains(self.gate, counts, known)
        self.wealth = wealth.grow(self.wealth, gains, self.plan.starts <= step[:, None, None])
        levels = wealth.round_evidence(wealth.log_evidence(self.wealth, self.plan.shares, self.plan.grids))
        self.peaks = np.maximum(self.peaks, levels)
        self.seen = self.seen + np.stack([counts.n_b, counts.s_b])
        regressed = np.asarray((self.peaks[:, self.gate.harm] >= self.harm_at).any(axis=-1))
        claimed = np.take_along_axis(self.peaks, self.sought[step][:, None], axis=1)[:, 0] >= self.promote_at
        return regressed, claimed

    def keep(self, going: Integers) -> None:
        """Drop the replicates that have ended."""
        self.seen, self.wealth, self.peaks = self.seen[:, going], self.wealth[going], self.peaks[going]


class Plain:
    """Pooled counts of the replicates that still run."""

    def __init__(self, replicates: int) -> None:
        self.seen = np.zeros((4, replicates), np.int64)

    def look(self, counts: Counts, step: Integers) -> tuple[Flags, Flags]:
        """Return where the interval says worse; where it does not, nothing more is asked than fresh runs."""
        del step
        self.seen = self.seen + np.stack([counts.n_a, counts.s_a, counts.n_b, counts.s_b])
        n_a, s_a, n_b, s_b = self.seen
        _, low, _ = newcombe(s_a, n_a, s_b, n_b, 0.95)
        return np.asarray(low > 0.0), np.ones(len(n_a), np.bool_)

    def keep(self, going: Integers) -> None:
        """Drop the replicates that have ended."""
        self.seen = self.seen[:, going]


def gate_gains(gate: GatePlan, counts: Counts, known: Floats) -> Floats:
    """Return the log e-values of all processes of a gate, [replicates, processes, alternatives]."""
    n_a, s_a, n_b, s_b = (column[:, None] for column in (counts.n_a, counts.s_a, counts.n_b, counts.s_b))
    null = Null(gate.ratios, gate.offsets)
    worse = binary.increments(n_a, s_a, n_b, s_b, known, null)
    better = binary.mirrored_increments(n_a, s_a, n_b, s_b, known, null)
    return np.where(gate.harm[:, None], worse, better)


def _sought(plans: Plan, step: int) -> int:
    """Return the process whose crossing lets a rollout leave a step."""
    (gate,) = plans.gates
    if plans.policy.promote is Promote.PROVEN:
        index = gate.index(Role.PROVEN, plans.policy.next_share(step))
    else:
        index = gate.index(Role.CLEAN)
    assert index is not None
    return index


def _walk(rng: Generator, world: World, replicates: int, judge: Judged | Plain) -> Ends:
    """Tick until every rollout has ended; a tick draws one bucket, looks, and moves."""
    ends = Ends(np.zeros(replicates, np.int64), np.zeros(replicates, np.int64))
    alive = np.arange(replicates)
    step, fresh = np.zeros(replicates, np.int64), np.zeros(replicates, np.int64)
    shares = np.array(WEIGHTS) / 100.0
    for tick in range(MOST_TICKS):
        rate_a, rate_b = world.rates(tick)
        n_a = np.rint(world.runs * shares[step]).astype(np.int64)
        n_b = world.runs - n_a
        counts = Counts(n_a, rng.binomial(n_a, rate_a), n_b, rng.binomial(n_b, rate_b))
        regressed, claimed = judge.look(counts, step)
        ends.runs[alive] += n_a
        fresh = fresh + n_a
        leaves = claimed & (fresh >= MIN_RUNS) & ~regressed
        step, fresh = step + leaves, np.where(leaves, 0, fresh)
        arrived = step == len(WEIGHTS) - 1
        ends.state[alive[regressed]] = -1
        ends.state[alive[arrived]] = 1
        going = ~(regressed | arrived)
        if not going.all():
            alive, step, fresh = alive[going], step[going], fresh[going]
            judge.keep(going)
        if not len(alive):
            break
    return ends
