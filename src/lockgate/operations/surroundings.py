# SPDX-License-Identifier: Apache-2.0
"""A trial, its policy and its app come in; what a decision reads beside the verdict goes out."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.core.app import App
from lockgate.core.instant import SECOND, Instant
from lockgate.core.metric import Kind
from lockgate.core.policy.policy import Policy
from lockgate.core.situation import Broken, Situation
from lockgate.core.trial import Trial
from lockgate.core.verdict.sequential import ratio_alarm
from lockgate.core.wording import count_text, duration_words
from lockgate.operations.unserved import unmeasured

NEVER_TOGETHER = (
    "baseline and candidate never ran together: no run of one began within an hour of a run of the other; "
    "send both the same traffic at the same time"
)
UNMEASURED = "is declared, but nothing measures it here, so nobody would notice a breach"


def situation(trial: Trial, policy: Policy, app: App, now: Instant, untold: str | None = None) -> Situation:
    """Return what is true beside the statistics; `untold` says why nobody was told the weight."""
    return Situation(
        now=now,
        fresh_runs=trial.fresh_runs,
        earlier_runs=trial.earlier_runs,
        limits=tuple(_limits(trial, policy, now)),
        alarms=tuple(_alarms(trial, policy)),
        freeze=app.frozen,
        untold=untold,
    )


def _limits(trial: Trial, policy: Policy, now: Instant) -> Iterator[Broken]:
    limits, waited = policy.rules.limits, (now - trial.rollout.created_at) // SECOND
    if limits.time_s is not None and waited >= limits.time_s:
        whole = duration_words(limits.time_s)
        yield Broken("time", f"the rollout has lasted {duration_words(waited)}, its limit is {whole}")
    runs = trial.progress.state.candidate_runs
    if limits.runs is not None and runs >= limits.runs:
        yield Broken("runs", f"the candidate has served {count_text(runs, 'run')}, its limit is {limits.runs:,}")


def _alarms(trial: Trial, policy: Policy) -> Iterator[str]:
    progress, at = trial.progress, trial.rollout.at(policy)
    has_both = progress.state.candidate_runs > 0 and progress.totals.has_baseline()
    # Probes are answered whenever somebody asks them, and an objective needs no baseline.
    is_concurrent = any(
        not (gate.is_objective or gate.metric.kind is Kind.PAIRED) for gate in policy.gates_at(trial.rollout.step)
    )
    is_compared = has_both and is_concurrent and at.has_concurrent_baseline
    if is_compared and progress.together == 0 and progress.state.candidate_runs >= at.min_runs:
        yield NEVER_TOGETHER
    split = ratio_alarm(progress.state)
    if split is not None:
        yield split
    for name in unmeasured(policy):
        yield f"{name} {UNMEASURED}"
