# SPDX-License-Identifier: Apache-2.0
"""A rollout, what it has read and its policy come in; what a decision reads beside the verdict goes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lockgate.core.evidence.progress import Progress
from lockgate.core.instant import SECOND, Instant
from lockgate.core.metric import Kind
from lockgate.core.policy.policy import Policy
from lockgate.core.rollout import Rollout
from lockgate.core.situation import Broken, Situation
from lockgate.core.verdict.sequential import ratio_alarm
from lockgate.core.wording import count_text, duration_words

NEVER_TOGETHER = (
    "baseline and candidate never ran together: no run of one began within an hour of a run of the other; "
    "send both the same traffic at the same time"
)
UNMEASURED = "is declared, but nothing measures it here, so nobody would notice a breach"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What no evidence says: the time, why the app is frozen, and why nobody was told the weight."""

    now: Instant
    freeze: str | None = None
    untold: str | None = None


def situation(rollout: Rollout, progress: Progress, policy: Policy, around: Surroundings) -> Situation:
    """Return what is true beside the statistics."""
    return Situation(
        now=around.now,
        fresh_runs=progress.state.fresh_at(rollout.step),
        earlier_runs=progress.state.earlier_at(rollout.step),
        limits=tuple(_limits(rollout, progress, policy, around.now)),
        alarms=tuple(_alarms(rollout, progress, policy)),
        freeze=around.freeze,
        untold=around.untold,
    )


def unmeasured(policy: Policy) -> tuple[str, ...]:
    """Return what a policy declares and nothing here measures, so that it holds a rollout."""
    rules = policy.rules
    named = [rule.id for rule in rules.invariants]
    named += [rule.id for rule in rules.sustained]
    named += [rule.id for rule in rules.disagreement]
    named += [name for name, limit in (("spend", rules.limits.spend), ("units", rules.limits.units)) if limit]
    return tuple(named)


def _limits(rollout: Rollout, progress: Progress, policy: Policy, now: Instant) -> Iterator[Broken]:
    limits, waited = policy.rules.limits, (now - rollout.created_at) // SECOND
    if limits.time_s is not None and waited >= limits.time_s:
        whole = duration_words(limits.time_s)
        yield Broken("time", f"the rollout has lasted {duration_words(waited)}, its limit is {whole}")
    runs = progress.state.candidate_runs
    if limits.runs is not None and runs >= limits.runs:
        yield Broken("runs", f"the candidate has served {count_text(runs, 'run')}, its limit is {limits.runs:,}")


def _alarms(rollout: Rollout, progress: Progress, policy: Policy) -> Iterator[str]:
    at = rollout.at(policy)
    has_both = progress.state.candidate_runs > 0 and progress.totals.has_baseline()
    # Probes are answered whenever somebody asks them, and an objective needs no baseline.
    is_concurrent = any(
        not (gate.is_objective or gate.metric.kind is Kind.PAIRED) for gate in policy.gates_at(rollout.step)
    )
    is_compared = has_both and is_concurrent and at.has_concurrent_baseline
    if is_compared and progress.together == 0 and progress.state.candidate_runs >= at.min_runs:
        yield NEVER_TOGETHER
    split = ratio_alarm(progress.state)
    if split is not None:
        yield split
    for name in unmeasured(policy):
        yield f"{name} {UNMEASURED}"
