# SPDX-License-Identifier: Apache-2.0
"""How many runs of each release carry a metric comes in; why it cannot be judged, if it cannot, goes out in words."""

from __future__ import annotations

from lockgate.core.evidence.sealed import Arms
from lockgate.core.finding import Reading
from lockgate.core.metric import Kind
from lockgate.core.policy.gate import Gate
from lockgate.core.verdict.unpaired import pairless
from lockgate.core.wording import count_text, subject_text

NO_ROOM = (
    "see whether runs name these labels; where `ingest` said that labels found no room, earlier runs count in no slice"
)
# A candidate whose runs carry a metric so many times less often than the baseline's hides something.
MISSED = 2


def missing(gate: Gate, readings: tuple[Reading, Reading], arms: Arms, fresh_runs: int) -> str | None:
    """Return in words which release's runs lack the metric although there are runs enough to carry it."""
    baseline, candidate = readings
    withheld = _withheld(gate, baseline.n, candidate.n, arms)
    if withheld is not None or fresh_runs < gate.min_runs:
        return withheld
    if candidate.n == 0:
        without = pairless(gate, arms)
        if without is not None:
            return without
        lacking = f"none of {fresh_runs:,} candidate runs at this step carries {subject_text(gate)}"
        return f"{lacking}; {NO_ROOM}" if gate.slice else lacking
    if baseline.n == 0 and not gate.is_objective:
        return f"no baseline run beside the candidate carries {gate.metric.name}"
    return None


def _withheld(gate: Gate, baseline: int, candidate: int, arms: Arms) -> str | None:
    """Return in words that few runs carry what the baseline's do; what is missing may be what is bad."""
    ours, theirs = arms.candidate.runs, arms.baseline.runs
    # As many as would carry it if the candidate's runs did as often as the baseline's.
    is_enough = baseline * ours >= gate.min_runs * theirs
    if gate.is_objective or gate.metric.kind is Kind.PAIRED or not candidate or not is_enough:
        return None
    if MISSED * candidate * theirs >= baseline * ours:
        return None
    carried = f"only {candidate:,} of {count_text(ours, 'candidate run')} at this step carry it"
    return f"{subject_text(gate)}: {carried}, of the baseline's {baseline:,} of {theirs:,}"
