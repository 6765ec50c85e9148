# SPDX-License-Identifier: Apache-2.0
"""What was read comes in; sentences about it that a reader of the comparison should know go out."""

from __future__ import annotations

from lockgate.core.declaration.nearest import suggestion
from lockgate.core.intake import Intake
from lockgate.core.metric import SCORE_PREFIX
from lockgate.core.policy.policy import Policy
from lockgate.core.wording import count_text


def notes(intake: Intake, policy: Policy, baseline: str, candidate: str) -> tuple[str, ...]:
    """Return what was set aside, what is missing, and what may have been meant."""
    said = []
    if intake.duplicates:
        said.append(f"{count_text(intake.duplicates, 'run')} came again with the same run_id; the first of each counts")
    others = [runs for name, runs in intake.releases.items() if name not in (baseline, candidate)]
    if others:
        said.append(f"{count_text(sum(others), 'run')} of {count_text(len(others), 'other release')} left aside")
    said += [text for name in (baseline, candidate) if (text := _without_status(intake, name))]
    return (*said, *_unknown_scores(intake, policy, baseline, candidate))


def _without_status(intake: Intake, release: str) -> str:
    """Say that some runs tell nothing of success, where others do."""
    bucket = intake.bucket(release)
    stated = sum(bucket.statuses.values())
    if not 0 < stated < bucket.runs:
        return ""
    missing = count_text(bucket.runs - stated, "run")
    return f"{missing} of {release} without a status; error_rate counts the other {stated:,}"


def _unknown_scores(intake: Intake, policy: Policy, baseline: str, candidate: str) -> list[str]:
    known = {name for release in (baseline, candidate) for name in intake.bucket(release).values}
    scores = {name for name in known if name.startswith(SCORE_PREFIX)}
    asked = dict.fromkeys(gate.metric.field for gate in policy.gates if gate.metric.is_score)
    return [f"no run carries {name}{suggestion(name, scores)}" for name in asked if name not in known]
