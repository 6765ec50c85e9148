# SPDX-License-Identifier: Apache-2.0
"""The state so far and one newly sealed bucket come in; the state afterwards goes out.

The cost depends on the gates and the bucket, not on how much was folded before.
A bucket that was folded already changes nothing, so a fold may be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lockgate.core.bucket import Events, Values
from lockgate.core.evidence import bets
from lockgate.core.evidence.entered import enter_step
from lockgate.core.evidence.nuisance import learn
from lockgate.core.evidence.plan import GatePlan, Plan
from lockgate.core.evidence.sealed import NO_ARMS, NO_PAIRS, Assignment, SealedBucket
from lockgate.core.evidence.state import (
    Carry,
    EvidenceState,
    GateState,
    ShareState,
    Tally,
    Wealth,
    wealth_of,
)
from lockgate.core.evidence.tally import tally
from lockgate.core.metric import Kind
from lockgate.core.policy.policy import Policy
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.sequential import share, wealth
from lockgate.core.stats.sequential.exceedance import WARM_UP_RUNS
from lockgate.core.stats.sequential.mean import WARM_UP_BUCKETS


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one gate makes of a bucket: its state but for the wealth, and what its processes are to gain."""

    state: GateState
    gains: list[bets.Counts] | Floats | None = None


def fold(state: EvidenceState, sealed: SealedBucket, plan: Plan) -> EvidenceState:
    """Return the state with one more sealed bucket in it."""
    if sealed.number <= state.last_bucket:
        return state
    if sealed.step != state.step:
        state = enter_step(state, sealed.step, plan)
    sealed = sealed.compared(plan.policy.steps[sealed.step].settle_s)
    if not (sealed.arms or sealed.pairs):
        return replace(state, last_bucket=sealed.number, buckets=state.buckets + 1)
    whole = sealed.arm()
    turns = [_turn(gate, before, sealed, plan) for gate, before in zip(plan.gates, state.gates, strict=True)]
    gates, grown = _grow(plan, state, turns)
    ratio = _assign(state.ratio, sealed.assignment)
    fresh = whole if _is_fresh(sealed, plan) else NO_ARMS
    return replace(
        state,
        gates=gates,
        wealth=grown,
        last_bucket=sealed.number,
        buckets=state.buckets + 1,
        fresh_runs=state.fresh_runs + fresh.candidate.runs,
        fresh_baseline_runs=state.fresh_baseline_runs + fresh.baseline.runs,
        candidate_runs=state.candidate_runs + whole.candidate.runs,
        earlier_runs=state.earlier_runs + (whole.candidate.runs if sealed.is_earlier else 0),
        ratio=ratio,
        is_split_alarmed=state.is_split_alarmed or is_split_off(ratio, plan.policy),
    )


def _is_fresh(sealed: SealedBucket, plan: Plan) -> bool:
    """Say whether runs of a bucket count towards leaving its step: those that met the weight that users meet."""
    return not (sealed.is_earlier and plan.policy.is_met(sealed.step))


def _turn(gate: GatePlan, before: GateState, sealed: SealedBucket, plan: Plan) -> _Turn:
    if not plan.applies(gate.gate, sealed.step):
        return _Turn(before)
    if gate.gate.metric.kind is Kind.PAIRED:
        new = sealed.pairs.get((gate.gate.metric.field, gate.gate.slice), NO_PAIRS)
        if new.n == 0:
            return _Turn(before)
        return _Turn(before.judging(before.nuisance, new.n, is_fresh=False), bets.pair_increments(gate, new))
    arms = sealed.arm(gate.gate.slice)
    baseline, candidate = (tally(gate.gate.metric, arm) for arm in (arms.baseline, arms.candidate))
    is_fresh = _is_fresh(sealed, plan)
    if gate.gate.is_objective:
        return _objective_turn(gate, before, candidate, is_fresh=is_fresh)
    if baseline is None or candidate is None:
        if baseline is candidate is None:
            return _Turn(before)
        # What waited is merged only with a bucket that lacks the other arm: runs of one bucket ran together.
        met = before.carry.joined(Carry(baseline, candidate, sealed.time, sealed.time, is_fresh))
        baseline, candidate = met.baseline, met.candidate
        if baseline is None or candidate is None:
            return _Turn(replace(before, carry=met))
    learned = learn(gate.gate, before.nuisance, baseline)
    after = before.judging(learned, candidate.n, baseline.n, is_fresh=is_fresh)
    return _Turn(after, _gains(gate, before, baseline, candidate))


def _objective_turn(gate: GatePlan, before: GateState, candidate: Tally | None, *, is_fresh: bool) -> _Turn:
    if candidate is None:
        return _Turn(before)
    # Bets on a mean are sized by what came before; without a baseline that is the candidate's own past.
    is_mean, nuisance = gate.gate.metric.kind is Kind.MEAN, before.nuisance
    learned = learn(gate.gate, nuisance, candidate) if is_mean else nuisance
    after = before.judging(learned, candidate.n, is_fresh=is_fresh)
    if is_mean and nuisance.extent is None:
        return _Turn(after)
    return _Turn(after, bets.objective_increments(gate, nuisance, candidate))


def _gains(gate: GatePlan, before: GateState, baseline: Tally, candidate: Tally) -> list[bets.Counts] | Floats | None:
    """Return what the bucket says, or None while the baseline has not yet taught enough to bet on."""
    nuisance = before.nuisance
    if isinstance(baseline, Events) and isinstance(candidate, Events):
        return bets.share_counts(gate, nuisance, baseline, candidate) if nuisance.n else None
    assert isinstance(baseline, Values)
    assert isinstance(candidate, Values)
    match gate.gate.metric.kind:
        case Kind.QUANTILE:
            warm = nuisance.n >= WARM_UP_RUNS
            return bets.quantile_counts(gate, nuisance, baseline, candidate) if warm else None
        case Kind.RATE:
            return bets.rate_increments(gate, nuisance, baseline, candidate) if nuisance.n else None
        case _:
            warm = nuisance.extent is not None and nuisance.buckets >= WARM_UP_BUCKETS
            return bets.mean_increments(gate, nuisance, baseline, candidate) if warm else None


def _grow(plan: Plan, before: EvidenceState, turns: list[_Turn]) -> tuple[tuple[GateState, ...], Wealth]:
    """Return the gates and the wealth with the bucket's log e-values; all processes grow in one computation."""
    gains = _stacked(plan, _increments(turns))
    grown = wealth.grow(before.wealth.array(), gains, plan.starts <= before.furthest_step)
    levels = wealth.mixed(grown, plan.weights).tolist()
    gates, row = [], 0
    for turn in turns:
        state, end = turn.state, row + len(turn.state.levels)
        reached = tuple(levels[row:end])
        peaks = tuple(map(max, state.peaks, reached))
        gates.append(
            GateState(peaks, reached, state.carry, state.nuisance, state.judged_runs, state.fresh, state.fresh_baseline)
        )
        row = end
    return tuple(gates), wealth_of(grown)


def _stacked(plan: Plan, increments: list[Floats | None]) -> Floats:
    """Return the log e-values of all processes as one array; a gate without any stays where it is."""
    stacked = np.zeros((len(plan.rows), int(plan.grids.max())))
    row = 0
    for gate, gains in zip(plan.gates, increments, strict=True):
        if gains is not None:
            stacked[row : row + len(gains), : gate.alternatives] = gains
        row += len(gate.processes)
    return stacked


def _increments(turns: list[_Turn]) -> list[Floats | None]:
    """Return each gate's log e-values; all two-arm counts are judged in one computation."""
    counted = [each for turn in turns if isinstance(turn.gains, list) for each in turn.gains]
    judged, found = bets.judged(counted) if counted else np.zeros(0), list[Floats | None]()
    for turn in turns:
        if isinstance(turn.gains, list):
            found.append(judged[: len(turn.gains)])
            judged = judged[len(turn.gains) :]
        else:
            found.append(turn.gains)
    return found


def _assign(before: ShareState, new: Assignment | None) -> ShareState:
    if new is None:
        return before
    settled, candidate, baseline = before.settled, before.candidate, before.baseline
    if before.share is not None and before.share != new.share:
        settled, candidate, baseline = before.log_evidence, 0, 0
    candidate, baseline = candidate + new.candidate, baseline + new.baseline
    level = settled + float(share.log_evidence(new.share, candidate, baseline))
    return ShareState(level, new.share, candidate, baseline, settled)


def is_split_off(ratio: ShareState, policy: Policy) -> bool:
    """Say whether the units of a step show another split than the declared one."""
    return float(wealth.round_evidence(ratio.log_evidence)) >= wealth.threshold(policy.alpha_ratio)
