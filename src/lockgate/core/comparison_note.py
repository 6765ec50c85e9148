# SPDX-License-Identifier: Apache-2.0
"""What was read and judged comes in; sentences that a reader of the comparison should know go out."""

from __future__ import annotations

from collections.abc import Iterable

from lockgate.core.bucket import Bucket
from lockgate.core.comparison_unknown import SCORES, STATUS, run_field, stranger_text
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.finding import Finding, Outcome
from lockgate.core.intake import Intake
from lockgate.core.metric import SCORE_PREFIX
from lockgate.core.policy.gate import Gate
from lockgate.core.policy.policy import Policy, Promote
from lockgate.core.policy.rule import Limits
from lockgate.core.wording import count_text, listed


def reading_notes(intake: Intake, gates: Iterable[Gate], names: Iterable[str]) -> tuple[str, ...]:
    """Return what was set aside, what is missing, and what may have been meant, for the releases that are compared."""
    arms = {name: intake.bucket(name) for name in names}
    said = []
    if intake.duplicates:
        said.append(f"{count_text(intake.duplicates, 'run')} came again with the same run_id; the first of each counts")
    others = [runs for name, runs in intake.releases.items() if name not in arms]
    if others:
        said.append(f"{count_text(sum(others), 'run')} of {count_text(len(others), 'other release')} left aside")
    said += [text for name, bucket in arms.items() if (text := _without_status(name, bucket))]
    fields = {run_field(gate.metric) for gate in gates}
    said += [
        stranger_text(name, meant)
        for name, meant in intake.strangers.items()
        if meant in fields and any(not _has_field(bucket, meant) for bucket in arms.values())
    ]
    return tuple(said)


def policy_notes(policy: Policy, findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return what a policy asks and one look at two releases does not answer."""
    rules = policy.rules
    parts = {
        "steps": policy.steps != declare({}).steps,
        "invariants": bool(rules.invariants),
        "sustained budgets": bool(rules.sustained),
        "disagreement rules": bool(rules.disagreement),
        "limits": rules.limits != Limits(),
    }
    unjudged = [name for name, is_declared in parts.items() if is_declared]
    said = [f"compare judges gates; {listed(unjudged)} are for rollouts and not judged here"] if unjudged else []
    unproven = [finding.gate for finding in findings if finding.outcome is Outcome.CLEAN]
    if policy.promote is Promote.PROVEN and unproven:
        verb = "is" if len(unproven) == 1 else "are"
        said.append(f"the policy promotes what is proven; {listed(unproven)} {verb} only clean")
    return tuple(said)


def _without_status(release: str, bucket: Bucket) -> str:
    """Say that some runs tell nothing of success, where others do."""
    stated = sum(bucket.statuses.values())
    if not 0 < stated < bucket.runs:
        return ""
    missing = count_text(bucket.runs - stated, "run")
    return f"{missing} of {release} without a status; error_rate counts the other {stated:,}"


def _has_field(bucket: Bucket, field: str) -> bool:
    if field == STATUS:
        return bool(bucket.statuses)
    if field == SCORES:
        return any(name.startswith(SCORE_PREFIX) for name in bucket.values)
    return field in bucket.values
