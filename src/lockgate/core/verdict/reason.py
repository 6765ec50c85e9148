# SPDX-License-Identifier: Apache-2.0
"""A finding's numbers come in; a sentence that says how the value went and what the evidence says goes out."""

from __future__ import annotations

from lockgate.core.finding import Difference, Evidence, Finding, Outcome
from lockgate.core.metric import Kind
from lockgate.core.policy.gate import Gate
from lockgate.core.verdict.needed import round_up
from lockgate.core.wording import (
    count_text,
    decimals_for,
    difference_text,
    interval_text,
    level_text,
    limit_text,
    margin_text,
    subject_text,
    value_text,
)

# From this part of what shows harm on a reason says that there is evidence of it, as its meter does.
SPOKEN_HARM = 0.1


def change_sentence(finding: Finding, gate: Gate) -> str:
    """Return how the value went from baseline to candidate, with the interval of the difference."""
    metric, difference = finding.metric, finding.difference
    values = (finding.baseline.value, finding.candidate.value)
    decimals = decimals_for(metric, difference, values)
    before, after = (value_text(metric, value, decimals) for value in values)
    if gate.is_objective:
        return f"{subject_text(gate)} is {after}{_from_limit(difference, gate, decimals)}"
    if metric.kind is Kind.PAIRED:
        went = f"the candidate was worse in {after} and better in {before} of {count_text(finding.candidate.n, 'pair')}"
        moved = f"{subject_text(gate)}: {went}"
    elif before == after:
        moved = f"{subject_text(gate)} stayed at {after}"
    else:
        rose = (finding.candidate.value or 0.0) > (finding.baseline.value or 0.0)
        moved = f"{subject_text(gate)} {'rose' if rose else 'fell'} from {before} to {after}"
    if difference is None:
        return moved
    by = difference_text(metric, difference.estimate, decimals)
    return f"{moved}: {by} ({_interval(difference, gate, decimals)})"


def _from_limit(difference: Difference | None, gate: Gate, decimals: int) -> str:
    if difference is None or gate.limit is None:
        return ""
    metric = gate.metric
    low, high = (value_text(metric, gate.limit + end, decimals) for end in (difference.low, difference.high))
    return f" ({level_text(difference.level)} interval {low} to {high})"


def _interval(difference: Difference, gate: Gate, decimals: int) -> str:
    return f"{level_text(difference.level)} interval {interval_text(gate.metric, difference, decimals)}"


def sequential_reason(finding: Finding, gate: Gate) -> str:
    """Return why a gate of a rollout says what it says, from its evidence."""
    change = change_sentence(finding, gate)
    metric, evidence = gate.metric, finding.evidence
    against = "" if gate.limit is None else f" of the limit of {limit_text(metric, gate.limit)}"
    match finding.outcome:
        case Outcome.REGRESSED:
            return f"{change}; harm beyond the tolerance of {margin_text(metric, gate.tolerance)}{against} is shown"
        case Outcome.PROVEN if gate.margin is not None:
            return f"{change}; harm beyond the margin of {margin_text(metric, gate.margin)}{against} is excluded"
        case Outcome.CLEAN if gate.detect is not None:
            return f"{change}; worse than {margin_text(metric, gate.detect)}{against} is excluded"
        case Outcome.CLEAN:
            return f"{change}; no harm is shown; without `detect` that promises nothing"
    thin = _thin(finding, gate)
    if thin:
        return f"{change}; {thin}"
    if evidence is None or evidence.projected_runs is None:
        return f"{change}; {_learning(finding) or _undecided(evidence)}"
    noun = "more pair" if metric.kind is Kind.PAIRED else "more candidate run"
    more = f"{count_text(round_up(evidence.projected_runs), noun)}{' of its slice' if gate.slice else ''}"
    return f"{change}; at this pace about {more} will settle it"


def _learning(finding: Finding) -> str:
    """Return that what was judged has taught what to expect, and held nothing against the candidate yet."""
    evidence = finding.evidence
    if evidence is None or evidence.judged_runs == 0 or evidence.judged_baseline_runs is None:
        return ""
    if evidence.harm or evidence.harm_level or evidence.clean or evidence.proven:
        return ""
    if finding.metric.kind in (Kind.BINARY, Kind.RATE):
        return "the first bucket only teaches how the baseline varies, and one more sealed bucket is needed"
    return "the first buckets only teach how the baseline varies, and more sealed ones are needed"


def _undecided(evidence: Evidence | None) -> str:
    """Return which way evidence points that does not grow towards excluding harm."""
    if evidence is None or evidence.harm_level < SPOKEN_HARM * evidence.harm_threshold:
        return "the evidence does not yet grow towards excluding harm"
    return "there is evidence of harm, and not enough to show it"


def _thin(finding: Finding, gate: Gate) -> str:
    """Return in words that a gate has judged too few runs at this step; nothing where it has judged enough."""
    evidence = finding.evidence
    if evidence is None:
        return ""
    candidate, baseline, needed = evidence.judged_runs, evidence.judged_baseline_runs, f"{gate.min_runs:,}"
    if min(candidate, candidate if baseline is None else baseline) >= gate.min_runs:
        return ""
    if baseline is None:
        is_paired = gate.metric.kind is Kind.PAIRED
        judged = (
            count_text(candidate, "pair") if is_paired else f"{count_text(candidate, 'candidate run')} at this step"
        )
        return f"only {judged} could be judged, {needed} are needed"
    if candidate == 0 and finding.baseline.n and finding.candidate.n:
        return "nothing could be compared, because no such run of one release began within an hour of one of the other"
    pair = f"{count_text(candidate, 'candidate run')} with {count_text(baseline, 'baseline run')}"
    return f"only {pair} could be compared at this step, {needed} of each are needed"
