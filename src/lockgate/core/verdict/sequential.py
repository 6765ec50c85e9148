# SPDX-License-Identifier: Apache-2.0
"""Folded evidence comes in; what each gate says at a step, with an error rate that holds over all looks, goes out.

P(any gate regresses although none is worse than its tolerance) <= alpha over the whole rollout: by Ville's inequality
for each gate at alpha x share, and by a union over gates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from lockgate.core.evidence.entered import is_harmed
from lockgate.core.evidence.plan import GatePlan, Plan, Role, why_not
from lockgate.core.evidence.sealed import NO_PAIRS, Arms
from lockgate.core.evidence.state import EvidenceState, GateState
from lockgate.core.evidence.totals import Cohorts, Totals
from lockgate.core.finding import Evidence, Finding, Outcome, Reading
from lockgate.core.metric import Kind
from lockgate.core.policy.gate import Gate
from lockgate.core.policy.policy import Inference, Policy, Promote
from lockgate.core.stats.sequential.projection import runs_to_decision
from lockgate.core.stats.sequential.wealth import round_evidence, threshold
from lockgate.core.verdict.estimate import fixed_difference, reading
from lockgate.core.verdict.missing import missing
from lockgate.core.verdict.reason import sequential_reason
from lockgate.core.verdict.unpaired import unpaired
from lockgate.core.verdict.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reader sees beside a verdict, and no sequential decision reads: tallies of the step, and of all steps."""

    at_step: Cohorts
    totals: Totals

    def of(self, gate: Gate) -> Cohorts:
        """Return what a gate's numbers are read from: the step, or of pairs, which no weight moves, all steps."""
        return self.totals.whole if gate.metric.kind is Kind.PAIRED else self.at_step


def judge_sequential(state: EvidenceState, shown: Shown, plan: Plan) -> Verdict:
    """Return the verdict at the step that a state has entered."""
    findings = tuple(
        _finding(_View(gate, evidence, state, plan.policy), shown)
        for gate, evidence in zip(plan.gates, state.gates, strict=True)
    )
    return Verdict(findings, Inference.SEQUENTIAL)


def displayed(verdict: Verdict, shown: Shown, plan: Plan) -> Verdict:
    """Return a sequential verdict with fixed-sample intervals, for people; no decision reads them."""
    # The one look of an offline step tells of the step's own gates alone, and has its intervals already.
    gates = {each.gate.id: each.gate for each in plan.gates}
    return replace(
        verdict,
        findings=tuple(
            finding if finding.evidence is None else _with_difference(finding, gates[finding.gate], shown)
            for finding in verdict.findings
        ),
    )


def _with_difference(finding: Finding, gate: Gate, shown: Shown) -> Finding:
    arms = shown.of(gate).arm(gate.slice)
    pairs = shown.of(gate).pairs.get((gate.metric.field, gate.slice), NO_PAIRS)
    seen = replace(finding, difference=fixed_difference(gate, arms.baseline, arms.candidate, pairs))
    has_values = finding.baseline.value is not None and finding.candidate.value is not None
    is_judged = has_values and finding.outcome is not Outcome.UNAVAILABLE
    return replace(seen, reason=_told(seen, gate, shown.of(gate))) if is_judged else seen


def ratio_alarm(state: EvidenceState) -> str | None:
    """Return in words that the observed split is not the declared one, if the evidence says so."""
    ratio = state.ratio
    if not state.is_split_alarmed:
        return None
    if ratio.share is None or not ratio.candidate + ratio.baseline:
        return "the split was off at an earlier step; find out why, then clear the alarm"
    units = ratio.candidate + ratio.baseline
    observed = ratio.candidate / units
    return (
        f"the split is off: {observed:.2%} of {units:,} units met the candidate instead of {ratio.share:.2%}; "
        "find out why, then clear the alarm"
    )


@dataclass(frozen=True, slots=True)
class _View:
    """One gate's evidence, seen from one step."""

    plan: GatePlan
    gate: GateState
    state: EvidenceState
    policy: Policy

    @property
    def step(self) -> int:
        return self.state.step

    def peak(self, role: Role, share: float | None = None) -> float | None:
        """Return the highest rounded evidence of a process, or None when the gate has no such process."""
        index = self.plan.index(role, share)
        return None if index is None else float(round_evidence(self.gate.peaks[index]))

    @property
    def harm_level(self) -> float:
        """Return the rounded evidence of harm as it stands now."""
        return float(round_evidence(self.gate.levels[self.plan.index(Role.HARM) or 0]))

    def has_crossed(self, role: Role, share: float | None = None) -> bool:
        """Say whether a promoting process has excluded its null, or needs no run to do so."""
        index = self.plan.index(role, share)
        if index is None:
            return False
        if self.plan.processes[index].is_settled:
            return True
        return float(round_evidence(self.gate.peaks[index])) >= threshold(self.policy.alpha_promote)

    @property
    def judged(self) -> tuple[int, ...]:
        """Return how many runs of each release that it reads the gate judged at this step; of pairs, at all steps."""
        if self.plan.gate.metric.kind is Kind.PAIRED:
            return (self.gate.judged_runs,)
        return (self.gate.fresh,) if self.plan.gate.is_objective else (self.gate.fresh, self.gate.fresh_baseline)

    @property
    def next_share(self) -> float:
        return self.policy.next_share(self.step)

    @property
    def fresh_runs(self) -> int:
        return self.state.fresh_runs


def _finding(view: _View, shown: Shown) -> Finding:
    gate = view.plan.gate
    baseline, candidate = _readings(gate, shown.of(gate))
    outcome, why = _outcome(view, (baseline, candidate), shown.of(gate).arm(gate.slice))
    finding = Finding(
        gate=gate.id,
        metric=gate.metric,
        outcome=outcome,
        reason=why,
        baseline=baseline,
        candidate=candidate,
        evidence=None if outcome is Outcome.NOT_APPLICABLE else _evidence(view),
        breach=gate.breach,
        is_objective=gate.is_objective,
        is_critical=gate.critical,
    )
    return finding if why else _with_reason(finding, gate, shown)


def _readings(gate: Gate, shown: Cohorts) -> tuple[Reading, Reading]:
    arms, pairs = shown.arm(gate.slice), shown.pairs.get((gate.metric.field, gate.slice), NO_PAIRS)
    return reading(gate, arms.baseline, arms.candidate, pairs)


def _with_reason(finding: Finding, gate: Gate, shown: Shown) -> Finding:
    """Return it with a reason by the numbers of the step, or where harm was shown before it, by those of all steps."""
    has_numbers = finding.candidate.n and (finding.baseline.n or gate.is_objective)
    if finding.outcome is not Outcome.REGRESSED or has_numbers:
        return replace(finding, reason=_told(finding, gate, shown.of(gate)))
    baseline, candidate = overall = _readings(gate, shown.totals.whole)
    pooled = replace(finding, baseline=baseline, candidate=candidate)
    return replace(finding, overall=overall, reason=f"over all steps {sequential_reason(pooled, gate)}")


def _told(finding: Finding, gate: Gate, shown: Cohorts) -> str:
    """Return the reason, and which of the runs made no pair."""
    beside = unpaired(gate, shown.arm(gate.slice), finding.candidate.n)
    return "; ".join(filter(None, (sequential_reason(finding, gate), beside)))


def _outcome(view: _View, readings: tuple[Reading, Reading], arms: Arms) -> tuple[Outcome, str]:
    """Return the outcome, and the reason where it needs no numbers."""
    gate = view.plan.gate
    if is_harmed(view.plan, view.gate, view.policy):
        return Outcome.REGRESSED, ""
    if gate.steps is not None and view.step not in gate.steps:
        return Outcome.NOT_APPLICABLE, f"{gate.metric.name} is not gated at {view.policy.steps[view.step].label()}"
    cannot = why_not(view.policy, gate, view.step)
    if cannot is not None:
        return Outcome.NOT_APPLICABLE, cannot
    why = missing(gate, readings, arms, view.fresh_runs)
    if why is not None:
        return Outcome.UNAVAILABLE, why
    if readings[1].n == 0:
        return Outcome.INSUFFICIENT, f"no candidate run at this step has carried {gate.metric.name} yet"
    if min(view.judged) < gate.min_runs:
        # Evidence of earlier steps says nothing of a step at which hardly a run could be compared.
        return Outcome.INSUFFICIENT, ""
    return _promoting_outcome(view), ""


def _promoting_outcome(view: _View) -> Outcome:
    """Return the finest rung that was reached.

    Under `promote: clean` the coarse rung must be reached too: a margin that is budgeted for little traffic may be
    wider than `detect`.
    """
    gate, policy = view.plan.gate, view.policy
    is_proven = gate.margin is not None and (view.next_share == 0.0 or view.has_crossed(Role.PROVEN, view.next_share))
    if is_proven and policy.promote is Promote.PROVEN:
        return Outcome.PROVEN
    is_clean = gate.detect is None or view.has_crossed(Role.CLEAN)
    if not is_clean:
        return Outcome.INSUFFICIENT
    return Outcome.PROVEN if is_proven else Outcome.CLEAN


def _evidence(view: _View) -> Evidence:
    gate = view.plan.gate
    harm, clean, proven = view.peak(Role.HARM), view.peak(Role.CLEAN), view.peak(Role.PROVEN, view.next_share)
    sought = proven if view.policy.promote is Promote.PROVEN else clean
    promote = threshold(view.policy.alpha_promote)
    judged, *beside = view.judged
    return Evidence(
        harm=harm or 0.0,
        harm_level=view.harm_level,
        harm_threshold=threshold(view.policy.sequential_alpha, gate.share),
        clean=clean,
        proven=proven,
        promote_threshold=promote,
        projected_runs=_projected(view, sought, promote),
        judged_runs=judged,
        judged_baseline_runs=beside[0] if beside else None,
    )


def _projected(view: _View, sought: float | None, promote: float) -> int | None:
    """Return about how many more candidate runs settle the gate; None where nobody can say."""
    more = None if sought is None else runs_to_decision(sought, promote, view.gate.judged_runs)
    if min(view.judged) >= view.plan.gate.min_runs or (more is None and sought is not None):
        return more
    return max(more or 0, _lacking(view))


def _lacking(view: _View) -> int:
    """Return about how many more candidate runs it takes until a gate has judged enough of each release."""
    least, (ours, *beside) = view.plan.gate.min_runs, view.judged
    share = view.policy.steps[view.step].compared_share
    if not beside or share == 1.0:
        return least - ours
    # Where the baseline's runs are the rarer ones, more of the candidate's come beside them: as they came, and before
    # any came as the step declares.
    for_each = ours / beside[0] if beside[0] else share / (1.0 - share)
    return max(least - ours, math.ceil(round((least - beside[0]) * for_each, 6)))
