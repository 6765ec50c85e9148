# SPDX-License-Identifier: Apache-2.0
"""What an operator asks of a rollout comes in; its answer, kept in one transaction, goes out.

Who goes on does so on all that is sealed. What stops or takes back acts on the evidence as the last tick folded it,
and waits for no more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from lockgate.core.app import App
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.decision.intervention import NEEDS_SIGHT, Change, Outlook, Request, Seen, intervene
from lockgate.core.evidence.state import clear_ratio_alarm
from lockgate.core.instant import Instant
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.receipt import Actor
from lockgate.core.rollout import Rollout, Status
from lockgate.core.situation import Target, WayBack
from lockgate.core.surroundings import Surroundings, situation
from lockgate.core.transition import apply
from lockgate.core.verdict.judge import judge
from lockgate.core.verdict.sequential import ratio_alarm
from lockgate.errors import TryAgainError
from lockgate.operations.line.committing import Case, commit
from lockgate.operations.line.current import current
from lockgate.operations.line.reading import load, planned
from lockgate.operations.line.untold import why_untold
from lockgate.operations.steering.champion import proven
from lockgate.operations.vault.acting import checked_actor
from lockgate.operations.vault.keeping import writing
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Transaction

T = TypeVar("T")
# The store waits for others by itself at each try.
TRIES = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """A rollout as it stands after a request, its policy, the seq of its latest receipt, and whether that is new."""

    rollout: Rollout
    policy: Policy
    receipt: int
    # Of the call, not of what it came to: a repetition is answered the same.
    is_signed: bool = field(default=False, compare=False)


def ask(rollout_id: str, request: Request, actor: Actor, house: House) -> Answer:
    """Do what an operator asks, in one transaction; what is so already is answered as it is."""
    while True:
        with writing(house) as work:
            if _catch_up(work, rollout_id, request, house.clock.now()):
                return act(work, rollout_id, request, actor, house)


def _catch_up(work: Transaction, rollout_id: str, request: Request, now: Instant) -> bool:
    """Let a rollout read what is sealed where a request goes on because of it; say whether it has read the whole."""
    trial, _ = load(work, rollout_id)
    rollout = trial.rollout
    is_seen = request.seen == Seen(rollout.step, rollout.revision)
    if request.action not in NEEDS_SIGHT or rollout.is_terminal or not is_seen:
        return True
    read = current(work, trial, planned(work, rollout.policy_digest), now)
    if read is not None and read.progress is not trial.progress:
        work.save(replace(read, turn=read.turn + 1))
    return read is not None


def insist(attempt: Callable[[], T]) -> T:
    """Return what an attempt comes to; each time that somebody else wins it begins again, and so reads again."""
    for _ in range(TRIES - 1):
        try:
            return attempt()
        except TryAgainError:
            continue
    return attempt()


def requested(action: Action, actor: Actor, seen: Seen | None = None, cause: Cause = Cause.OPERATOR) -> Request:
    """Return a request for the reason that its actor gives."""
    return Request(action=action, reason=actor.reason or "", cause=cause, seen=seen)


def act(work: Transaction, rollout_id: str, request: Request, actor: Actor, house: House) -> Answer:
    """Do what an operator asks within a transaction."""
    checked = checked_actor(actor)
    now = house.clock.now()
    trial, policy = load(work, rollout_id)
    rollout, progress = trial.rollout, trial.progress
    app = work.app(rollout.app) or App(name=rollout.app)
    if rollout.status is Status.PROMOTED:
        app = proven(work, house, app)
    verdict = judge(progress.state, progress.totals, planned(work, rollout.policy_digest), rollout.step)
    may_return = _may_return(work, app, rollout, request)
    beside = Surroundings(now=now, freeze=app.frozen, untold=why_untold(work, rollout, now))
    around = situation(rollout, progress, policy, beside)
    if may_return:
        former = WayBack(Target.FORMER_CHAMPION, app.former_champion or rollout.baseline)
        around = replace(around, ways_back=(former,))
    outlook = Outlook(
        verdict=verdict,
        situation=around,
        changes=_changes(work, rollout, request.seen),
        may_return=may_return,
        ratio_alarm=ratio_alarm(progress.state),
    )
    decision = intervene(rollout, policy, request, outlook)
    if decision is None:
        return Answer(rollout, policy, trial.chain.seq)
    if decision.action is Action.CLEAR:
        trial = replace(trial, progress=replace(progress, state=clear_ratio_alarm(progress.state)))
    transition = apply(rollout, decision, now)
    case = Case(trial=trial, transition=transition, verdict=verdict, policy=policy, actor=checked)
    kept = commit(work, house, case)
    return Answer(kept.rollout, policy, kept.chain.seq, is_signed=True)


def _may_return(seen: Snapshot, app: App, rollout: Rollout, request: Request) -> bool:
    """Say whether a promoted rollout is what its app's traffic rests on; but for a kill, only the latest is."""
    is_in_place = rollout.mode is Mode.CANARY and rollout.status is Status.PROMOTED
    if not is_in_place or app.champion != rollout.candidate:
        return False
    canaries = [each.id for each in seen.rollouts(app.name) if each.mode is Mode.CANARY]
    return request.cause is Cause.KILL or canaries[-1] == rollout.id


def _changes(seen: Snapshot, rollout: Rollout, sight: Seen | None) -> tuple[Change, ...]:
    """Return what raised the revision since the operator looked."""
    if sight is None or sight.revision >= rollout.revision:
        return ()
    found: dict[int, Change] = {}
    for receipt in seen.receipts(rollout.id):
        if receipt.revision > sight.revision:
            # A later receipt of the same revision is of a turn that changed nothing.
            found.setdefault(receipt.revision, Change(receipt.revision, receipt.action, receipt.cause))
    return tuple(found.values())
