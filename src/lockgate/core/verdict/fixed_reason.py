# SPDX-License-Identifier: Apache-2.0
"""What one look found comes in; one sentence that a person can act on goes out."""

from __future__ import annotations

from enum import StrEnum

from lockgate.core.finding import Finding, Outcome
from lockgate.core.metric import Kind
from lockgate.core.policy.gate import Margin
from lockgate.core.verdict.estimate import SHOWN_LEVEL, contrast
from lockgate.core.verdict.needed import factor_to_exclude, factor_to_regress, round_up, runs_to_bound
from lockgate.core.verdict.reason import change_sentence
from lockgate.core.verdict.sample import Sample
from lockgate.core.wording import count_text, level_text, limit_text, margin_text, subject_text


class Aside(StrEnum):
    """What the shown interval alone does not say: why a gate that might have spoken does not, or how it does."""

    NONE = "none"
    FEW_RUNS = "few runs"
    RARE = "rare"
    SHARED = "shared"
    CAPPED = "capped"


# Arms that differ by less than this are told one number of runs.
_ALIKE = 1.25


def fixed_reason(finding: Finding, sample: Sample, level: float, aside: Aside) -> str:
    """Return why a gate says what it says."""
    gate, metric = sample.gate, sample.gate.metric
    match finding.outcome:
        case Outcome.UNAVAILABLE:
            return _missing(sample)
        case Outcome.REGRESSED:
            capped = " even with its extreme values made milder" if aside is Aside.CAPPED else ""
            return f"{change_sentence(finding, gate)}, {_beyond(sample)}{capped}"
        case Outcome.PROVEN:
            excluded = margin_text(metric, gate.margin or Margin())
            return f"{change_sentence(finding, gate)}; worse than {_than(sample, excluded)} is excluded"
        case Outcome.CLEAN if gate.detect is None:
            promised = "no harm is shown; without `detect` that promises nothing"
            return f"{change_sentence(finding, gate)}; {promised}"
        case Outcome.CLEAN:
            excluded = margin_text(metric, gate.detect or Margin())
            return f"{change_sentence(finding, gate)}; worse than {_than(sample, excluded)} is excluded"
    if aside is Aside.FEW_RUNS:
        return _few_runs(sample)
    return f"{change_sentence(finding, gate)}; {_undecided(sample, level, aside)}"


def _beyond(sample: Sample) -> str:
    gate = sample.gate
    if gate.limit is None:
        return f"beyond the tolerance of {margin_text(gate.metric, gate.tolerance)}"
    beyond = f"beyond the limit of {_limit(sample)}"
    return beyond + ("" if gate.tolerance.is_zero else f" by more than {margin_text(gate.metric, gate.tolerance)}")


def _than(sample: Sample, margin: str) -> str:
    if sample.gate.limit is None:
        return margin
    return f"the limit of {_limit(sample)}" + ("" if margin == "0" else f" by {margin}")


def _limit(sample: Sample) -> str:
    return limit_text(sample.gate.metric, sample.gate.limit or 0.0)


def _missing(sample: Sample) -> str:
    """Say which arm lacks what, because that is where to look."""
    gate, name = sample.gate, subject_text(sample.gate)
    if sample.kind is Kind.PAIRED:
        return f"no probe_id is answered with {gate.metric.field} by both releases, so {name} has no pairs"
    arms = [("candidate", sample.candidate.runs, sample.counts[1])]
    if not gate.is_objective:
        arms.insert(0, ("baseline", sample.baseline.runs, sample.counts[0]))
    lacking = [(arm, runs) for arm, runs, n in arms if n == 0]
    parts = [f"none of the {count_text(runs, f'{arm} run')}" if runs else f"no {arm} run" for arm, runs in lacking]
    if all(runs == 0 for _, runs in lacking) and gate.slice:
        labels = ", ".join(f"{label}={value}" for label, value in gate.slice)
        return f"{' and '.join(parts)} is labelled {labels}"
    return f"{' and '.join(parts)} carries {gate.metric.field}"


def _few_runs(sample: Sample) -> str:
    gate, (baseline, candidate) = sample.gate, sample.counts
    if sample.kind is Kind.PAIRED:
        return f"{count_text(candidate, 'pair')} of the {gate.min_runs:,} that {subject_text(gate)} needs"
    arms = [("candidate", candidate)] if gate.is_objective else [("baseline", baseline), ("candidate", candidate)]
    short = " and ".join(f"{count_text(n, f'{arm} run')}" for arm, n in arms if n < gate.min_runs)
    most = max(gate.min_runs - n for _, n in arms)
    return f"{short} of the {gate.min_runs:,} that {subject_text(gate)} needs; {most:,} more before it says anything"


def _undecided(sample: Sample, level: float, aside: Aside) -> str:
    gate = sample.gate
    tolerance = f"the tolerance of {margin_text(gate.metric, gate.tolerance)}"
    if gate.limit is not None:
        tolerance = f"the limit of {_limit(sample)}"
    if aside is Aside.RARE:
        return f"that is beyond {tolerance}, but so few events may be chance; {_more_runs(sample, level)}"
    if aside is Aside.SHARED:
        asked = f"at the {level_text(level)} that its share of alpha asks"
        return f"that is beyond {tolerance}, but not {asked}; {_more_runs(sample, level)}"
    return f"that neither shows nor excludes harm; {_more_runs(sample, level)}"


def _more_runs(sample: Sample, level: float) -> str:
    """Say how many more runs would do if the values stayed as they are."""
    factor = _factor(sample, level)
    if factor is None and (unbounded := _unbounded(sample, level)):
        return unbounded
    if factor is None:
        return "the difference is too near to what is allowed for more runs to settle it soon"
    baseline, candidate = (round_up((factor - 1.0) * n) for n in sample.counts)
    noun = "pair" if sample.kind is Kind.PAIRED else "run"
    if sample.gate.is_objective or sample.kind is Kind.PAIRED:
        return f"about {count_text(candidate, f'more {noun}')} would settle it"
    if max(baseline, candidate) <= _ALIKE * min(baseline, candidate):
        return f"about {count_text(max(baseline, candidate), 'more run')} per release would settle it"
    return f"about {count_text(candidate, 'more candidate run')}, and {baseline:,} of the baseline, would settle it"


def _unbounded(sample: Sample, level: float) -> str:
    """Say from how many runs on a quantile has an interval at all, where an arm has fewer."""
    gate = sample.gate
    if gate.metric.quantile is None:
        return ""
    needed = runs_to_bound(gate.metric.quantile, SHOWN_LEVEL if gate.detect is not None else level)
    arm, count = ("candidate run", sample.counts[1]) if gate.is_objective else ("run", min(sample.counts))
    if count >= needed:
        return ""
    per = "" if gate.is_objective else " per release"
    return f"{gate.metric.name} is not bounded from both sides before about {count_text(round_up(needed), arm)}{per}"


def _factor(sample: Sample, level: float) -> float | None:
    gate = sample.gate
    factors = []
    tolerance = gate.bound(gate.tolerance)
    judged = contrast(sample, level, tolerance.ratio)
    if judged is not None:
        factors.append(factor_to_regress(judged, tolerance))
    if gate.detect is not None:
        detect = gate.bound(gate.detect)
        shown = contrast(sample, SHOWN_LEVEL, detect.ratio)
        if shown is not None:
            factors.append(factor_to_exclude(shown, detect))
    known = [factor for factor in factors if factor is not None]
    return min(known) if known else None
