# SPDX-License-Identifier: Apache-2.0
"""Both arms' tallies come in, once; what each gate says of them at one look goes out.

One look at runs that are all in: `compare`, an offline step, and `inference: fixed`, where no error rate is promised
over repeated looks. Clauses: CO-01 to CO-09. What is shown is 95 % each; what decides shares alpha over the gates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockgate.core.bucket import Pairs
from lockgate.core.evidence.totals import Cohorts
from lockgate.core.finding import Finding, Outcome
from lockgate.core.policy.gate import Bound, Gate
from lockgate.core.policy.policy import Inference
from lockgate.core.verdict.capped import capped_low
from lockgate.core.verdict.estimate import SHOWN_LEVEL, contrast, fixed_difference, reading
from lockgate.core.verdict.fixed_reason import Aside, fixed_reason
from lockgate.core.verdict.rare import is_beyond_chance
from lockgate.core.verdict.sample import Sample
from lockgate.core.verdict.verdict import Verdict
from lockgate.core.verdict.wide import is_within_chance


@dataclass(frozen=True, slots=True)
class Levels:
    """At which two-sided levels intervals are shown and gates judged.

    Without `per_gate` all gates share `alpha`: two equal releases are called regressed at most that often.
    """

    alpha: float = 0.05
    per_gate: float | None = None
    shown: float = SHOWN_LEVEL

    def of(self, gate: Gate) -> float:
        """Return the level that a gate is judged at."""
        return 1.0 - self.alpha * gate.share if self.per_gate is None else self.per_gate


def judge_fixed(cohorts: Cohorts, gates: tuple[Gate, ...], levels: Levels) -> Verdict:
    """Return the verdict of one look at both arms, slice by slice."""
    return Verdict(tuple(fixed_finding(gate, cohorts, levels) for gate in gates), Inference.FIXED)


def fixed_finding(gate: Gate, cohorts: Cohorts, levels: Levels) -> Finding:
    """Return what one gate says at one look."""
    arms = cohorts.arm(gate.slice)
    pairs = cohorts.pairs.get((gate.metric.field, gate.slice), Pairs())
    sample = Sample(gate, arms.baseline, arms.candidate, pairs)
    outcome, aside = _outcome(sample, levels.of(gate), levels.shown)
    baseline, candidate = reading(gate, arms.baseline, arms.candidate, pairs)
    finding = Finding(
        gate=gate.id,
        metric=gate.metric,
        outcome=outcome,
        reason="",
        baseline=baseline,
        candidate=candidate,
        difference=fixed_difference(gate, arms.baseline, arms.candidate, pairs, levels.shown),
        breach=gate.breach,
        is_objective=gate.is_objective,
        is_critical=gate.critical,
    )
    return replace(finding, reason=fixed_reason(finding, sample, levels.of(gate), aside))


def _outcome(sample: Sample, level: float, shown: float) -> tuple[Outcome, Aside]:
    gate, (baseline, candidate) = sample.gate, sample.counts
    if not sample.is_complete:
        return Outcome.UNAVAILABLE, Aside.NONE
    if candidate < gate.min_runs or (baseline < gate.min_runs and not gate.is_objective):
        return Outcome.INSUFFICIENT, Aside.FEW_RUNS
    tolerance = gate.bound(gate.tolerance)
    is_beyond = _is_beyond(sample, tolerance, level)
    if is_beyond and is_beyond_chance(sample, tolerance, 1.0 - level):
        return Outcome.REGRESSED, Aside.NONE
    if capped_low(sample, level, tolerance.ratio) > tolerance.offset:
        return Outcome.REGRESSED, Aside.CAPPED
    if gate.detect is None or _is_within(sample, gate.bound(gate.detect), shown):
        is_proven = gate.margin is not None and _is_within(sample, gate.bound(gate.margin), shown)
        return Outcome.PROVEN if is_proven else Outcome.CLEAN, Aside.NONE
    if is_beyond:
        return Outcome.INSUFFICIENT, Aside.RARE
    return Outcome.INSUFFICIENT, Aside.SHARED if _is_beyond(sample, tolerance, shown) else Aside.NONE


def _is_beyond(sample: Sample, bound: Bound, level: float) -> bool:
    interval = contrast(sample, level, bound.ratio)
    return interval is not None and interval.low > bound.offset


def _is_within(sample: Sample, bound: Bound, level: float) -> bool:
    interval = contrast(sample, level, bound.ratio)
    is_within = interval is not None and interval.high <= bound.offset
    return is_within and is_within_chance(sample, bound, level)
