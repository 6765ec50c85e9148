# SPDX-License-Identifier: Apache-2.0
"""A decided transition comes in; the trial as it is kept, with receipt or look, spans and champion, goes out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockgate.core.instant import HOUR
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.receipt import Actor
from lockgate.core.rollout import Status
from lockgate.core.transition import Transition
from lockgate.core.trial import Chain, Look, Trial, entered, looked
from lockgate.core.verdict.verdict import Verdict
from lockgate.crash_point import reach
from lockgate.operations.intake.sealing import seal_all
from lockgate.operations.line.pinning import pin
from lockgate.operations.vault.record import Entry, record
from lockgate.ports.house import House
from lockgate.ports.store import Transaction

# A receipt binds the looks of a rollout at least so often.
ROLL_UP = HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that one turn of the loop, or one operator's action, comes to."""

    trial: Trial
    transition: Transition
    verdict: Verdict
    policy: Policy
    actor: Actor


def commit(work: Transaction, house: House, case: Case) -> Trial:
    """Keep what a turn came to; if another turn was first, nothing is kept and TryAgainError is raised."""
    trial = replace(case.trial, rollout=case.transition.after, turn=case.trial.turn + 1)
    chain = trial.chain
    is_look = case.transition.is_look and trial.rollout.mode is Mode.CANARY
    if is_look:
        look = _look(case, trial.turn)
        work.add_look(trial.rollout.id, look)
        chain = looked(chain, look)
    if not is_look or case.transition.at - chain.at >= ROLL_UP:
        chain = record(work, house, _entry(case, chain))
    if _is_moved(case.transition):
        trial = _entered(work, trial, case)
    if trial.rollout.mode is Mode.CANARY:
        _crown(work, case.transition)
    kept = replace(trial, chain=chain)
    pin(work, kept, case.transition)
    work.save(kept)
    reach("trial.saved")
    return kept


def _look(case: Case, number: int) -> Look:
    decision = case.transition.decision
    return Look(
        number=number,
        at=case.transition.at,
        action=decision.action.value,
        cause=decision.cause.value,
        reason=decision.reason,
        outcome=case.verdict.outcome.value,
        last_bucket=case.trial.progress.state.last_bucket,
    )


def _entry(case: Case, chain: Chain) -> Entry:
    progress = case.trial.progress
    return Entry(
        transition=case.transition,
        verdict=case.verdict,
        policy=case.policy,
        actor=case.actor,
        chain=chain,
        state=progress.digest(),
        bucket=progress.state.last_bucket,
        events=case.transition.events,
    )


def _is_moved(transition: Transition) -> bool:
    before, after = transition.before, transition.after
    return before.step != after.step or before.weight != after.weight


def _entered(work: Transaction, trial: Trial, case: Case) -> Trial:
    """Seal the buckets of the weight that was, and begin the span of the weight that is."""
    rollout = trial.rollout
    following = seal_all(work, rollout.app, case.transition.at)
    if rollout.is_terminal:
        return trial
    span = entered(rollout, case.policy, following, is_moved=case.transition.moves)
    return replace(trial, spans=(*trial.spans, span))


def _crown(work: Transaction, transition: Transition) -> None:
    """Keep who is champion after a rollout has ended: its candidate, or whoever has the traffic back."""
    rollout, decision = transition.after, transition.decision
    app = work.app(rollout.app)
    if app is None or transition.before.status is rollout.status:
        return
    if rollout.status is Status.PROMOTED:
        work.put_app(app.crowned(rollout.candidate, rollout.baseline))
    if rollout.status is Status.ROLLED_BACK and decision.way_back is not None:
        work.put_app(app.dethroned(rollout.candidate, decision.way_back.release))
