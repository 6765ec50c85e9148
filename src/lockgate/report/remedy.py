# SPDX-License-Identifier: Apache-2.0
"""What keeps a rollout where it is comes in; what ends each of it, and how long that takes, goes out in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lockgate.core.decision.decision import Action, Cause
from lockgate.core.finding import Finding, Outcome
from lockgate.core.instant import Instant
from lockgate.core.metric import Kind
from lockgate.core.policy.policy import Promote
from lockgate.core.policy.step import OnDeadline, StepKind
from lockgate.core.surroundings import NEVER_TOGETHER, UNMEASURED
from lockgate.core.verdict.needed import round_up
from lockgate.core.verdict.sequential import ratio_alarm
from lockgate.core.wording import count_text, duration_words
from lockgate.operations.asking.queries import Explanation
from lockgate.report.view import aside_words, seal_words

LEARNING = "the first bucket only teaches how the baseline varies; a second sealed one is needed"
LEARNING_MORE = "the first buckets only teach how the baseline varies; further sealed ones are needed"


def remedies(said: Explanation, now: Instant) -> Iterator[str]:
    """Yield what ends everything that holds a rollout, in the order in which a person should care."""
    if said.decision.action is not Action.HOLD:
        yield f"Nothing more is needed: run `lockgate tick --id {said.rollout.id}`."
        return
    if said.trial.spans[-1].is_awaited:
        yield from _acknowledgement(said, now)
    for cause in dict.fromkeys(call.cause for call in said.holds):
        if cause is not Cause.ACKNOWLEDGEMENT or not said.trial.spans[-1].is_awaited:
            yield from _BY_CAUSE[cause](said, now)
    yield from _deadline(said, now)
    aside = aside_words(said)
    if aside:
        yield f"{aside}."
    if said.seals_at is None:
        yield "Only sealed buckets are read, and none is open: no run has come since the last one was sealed."
    else:
        yield f"Only sealed buckets are read; the next one {seal_words(said, now)}."


def learning(said: Explanation, finding: Finding) -> str | None:
    """Return that a gate has met both releases and cannot yet hold anything against the candidate; None where it can.

    Means and quantiles learn from several buckets.
    """
    places = {gate.id: place for place, gate in enumerate(said.policy.gates)}
    gate = said.trial.progress.state.gates[places[finding.gate]]
    if finding.evidence is None or gate.judged_runs == 0 or any((*gate.levels, *gate.peaks)):
        return None
    return LEARNING if finding.metric.kind in (Kind.BINARY, Kind.RATE) else LEARNING_MORE


def is_apart(finding: Finding) -> bool:
    """Say whether both releases have runs for a gate, and none that began near enough to be compared."""
    evidence = finding.evidence
    if evidence is None or evidence.judged_baseline_runs is None:
        return False
    return evidence.judged_runs == 0 and finding.baseline.n > 0 and finding.candidate.n > 0


def _command(said: Explanation, verb: str) -> str:
    return f'`lockgate {verb} --id {said.rollout.id} --reason "..."`'


def _seen_command(said: Explanation, verb: str) -> str:
    seen = f"--step {said.rollout.step} --revision {said.rollout.revision}"
    return f'`lockgate {verb} --id {said.rollout.id} {seen} --reason "..."`'


def _time(said: Explanation, runs: int) -> str:
    seconds = said.seconds_for(runs)
    if seconds is None:
        return ""
    return f", which takes about {duration_words(seconds)} at {said.runs_per_hour:,.0f} an hour"


def _acknowledgement(said: Explanation, _now: Instant) -> Iterator[str]:
    asked = f"An actuator that reads {said.rollout.exposed_weight:g} % back, because until then nothing is compared"
    yield f"{asked}: `lockgate actuator test --app-id {said.rollout.app}` asks it."


def _untold(said: Explanation, _now: Instant) -> Iterator[str]:
    again = (
        "A delivery that succeeds: where the store is, `lockgate deliver --retry-dead` tries again what was given up"
    )
    enabled = "`lockgate webhooks enable` ends that a webhook is disabled"
    yield f"{again}, {enabled}; or a person who saw to it: {_seen_command(said, 'promote')}."


def _unavailable(said: Explanation, _now: Instant) -> Iterator[str]:
    for finding in _held(said, Outcome.UNAVAILABLE):
        yield f"{finding.gate}: {_carriers(said, finding)}."


def _carriers(said: Explanation, finding: Finding) -> str:
    carrying = f"that carry {finding.metric.name}"
    if finding.metric.kind is Kind.PAIRED:
        new = "probes that one of both releases has not answered before, each run with its probe_id"
        return f"{new}; what both answered before this rollout is read by a new one, with `create --since`"
    if finding.baseline.n and finding.candidate.n:
        scored = f"runs of the candidate {carrying} as often as the baseline's do"
        past = f"a person who goes past it: {_seen_command(said, 'promote')}"
        return f"{scored}, so score the same share of each release and not the same number; or {past}"
    if finding.is_objective or finding.baseline.n:
        return f"runs of the candidate {carrying}"
    return f"runs of the {'baseline' if finding.candidate.n else 'candidate and of the baseline'} {carrying}"


def _insufficient(said: Explanation, _now: Instant) -> Iterator[str]:
    is_told = any(NEVER_TOGETHER in call.reason for call in said.holds)
    for finding in _held(said, Outcome.INSUFFICIENT, Outcome.CLEAN):
        if not (is_told and is_apart(finding)):
            yield f"{finding.gate}: {_needed(said, finding)}."


def _held(said: Explanation, *outcomes: Outcome) -> Iterator[Finding]:
    """Yield the findings that keep the rollout where it is."""
    for finding in said.verdict.findings:
        is_enough = finding.outcome is Outcome.CLEAN and said.policy.promote is not Promote.PROVEN
        if finding.outcome in outcomes and not is_enough and said.rollout.waiver(finding.gate) is None:
            yield finding


def _needed(said: Explanation, finding: Finding) -> str:
    at = said.rollout.at(said.policy)
    if at.kind is StepKind.OFFLINE:
        return _offline(said)
    runs = said.runs_left(finding)
    taught = learning(said, finding)
    if taught is not None:
        return taught
    if finding.candidate.n == 0:
        projected = None if finding.evidence is None else finding.evidence.projected_runs
        about = f", about {round_up(projected):,} of them" if projected else ""
        return f"runs of the candidate at this step that carry {finding.metric.name}{about}"
    if is_apart(finding):
        return "runs of both releases that began within an hour of each other"
    if runs is None:
        return "more runs of both releases; how many cannot be said yet"
    if runs == 0:
        return "fresh runs at this step; the evidence itself is enough"
    least = "" if finding.evidence is None else _of_them(finding.evidence.projected_runs, runs)
    return f"about {count_text(runs, 'more candidate run')}{least}, if they go on like this{_time(said, runs)}"


def _of_them(judged: int | None, runs: int) -> str:
    """Say how many of the runs that are needed a gate reads, where that is not most of them."""
    if judged is None or 10 * judged > 9 * runs:
        return ""
    return f", of which it reads about {round_up(judged):,}"


def _offline(said: Explanation) -> str:
    """Return what an offline step waits for; after its one look nothing that arrives changes it."""
    at = said.rollout.at(said.policy)
    if said.trial.progress.totals.at_step.is_complete(said.policy, said.rollout.step):
        past = f"a person who goes past it, {_seen_command(said, 'promote')}"
        return (
            f"nothing that arrives, because {at.label()} has had its one look; {past}, or a new rollout with more runs"
        )
    return f"{at.min_runs:,} runs of each release"


def _pairwise(said: Explanation, _now: Instant) -> Iterator[str]:
    nobody = "A pairwise comparison, which nothing here makes yet"
    yield f"{nobody}; a person may go past it: {_seen_command(said, 'promote')}."


def _alarm(said: Explanation, _now: Instant) -> Iterator[str]:
    split = ratio_alarm(said.trial.progress.state)
    for reason in (call.reason for call in said.holds if call.cause is Cause.ALARM):
        if reason == split:
            yield f"A person who has found out why the split is off: {_command(said, 'clear-alarm')}."
        elif UNMEASURED in reason:
            without = f"A new rollout without {reason.removesuffix(UNMEASURED).strip()}"
            yield f"{without}, or a person who goes past it: {_seen_command(said, 'promote')}."
        else:
            yield "Runs of both releases at the same time, within an hour of each other: send both the same traffic."


def _freeze(said: Explanation, _now: Instant) -> Iterator[str]:
    yield f'A person who unfreezes it: `lockgate unfreeze --app-id {said.rollout.app} --reason "..."`.'


def _paused(said: Explanation, _now: Instant) -> Iterator[str]:
    yield f"A person who resumes it, and so lets pass what pauses it now: {_command(said, 'resume')}."


def _approval(said: Explanation, _now: Instant) -> Iterator[str]:
    yield f"A person who approves leaving this step: {_seen_command(said, 'approve')}."


def _min_runs(said: Explanation, _now: Instant) -> Iterator[str]:
    missing = said.rollout.at(said.policy).min_runs - said.fresh_runs
    yield f"{count_text(missing, 'more candidate run')} at this step{_time(said, missing)}."


def _waiting(said: Explanation, now: Instant, what: str) -> Iterator[str]:
    at, waited = said.rollout.at(said.policy), said.rollout.seconds_at_step(now)
    seconds = {"min_hold": at.min_hold_s, "settle": at.settle_s, "soak": at.soak_s}[what]
    if waited < seconds:
        yield f"{duration_words(seconds - waited)} more of {what}."


def _deadline(said: Explanation, now: Instant) -> Iterator[str]:
    at, waited = said.rollout.at(said.policy), said.rollout.seconds_at_step(now)
    if at.max_hold_s is not None and at.on_deadline is not OnDeadline.HOLD and waited < at.max_hold_s:
        left = duration_words(at.max_hold_s - waited)
        yield f"Its deadline: a tick in {left} or later decides to {at.on_deadline.value}, if it still holds."


_BY_CAUSE: dict[Cause, Callable[[Explanation, Instant], Iterator[str]]] = {
    Cause.UNAVAILABLE: _unavailable,
    Cause.PAIRWISE: _pairwise,
    Cause.ALARM: _alarm,
    Cause.INSUFFICIENT: _insufficient,
    Cause.FREEZE: _freeze,
    Cause.PAUSED: _paused,
    Cause.ACKNOWLEDGEMENT: _acknowledgement,
    Cause.UNTOLD: _untold,
    Cause.MIN_RUNS: _min_runs,
    Cause.SETTLE: lambda said, now: _waiting(said, now, "settle"),
    Cause.MIN_HOLD: lambda said, now: _waiting(said, now, "min_hold"),
    Cause.SOAK: lambda said, now: _waiting(said, now, "soak"),
    Cause.APPROVAL: _approval,
}
