# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; one turn of the loop is taken in one transaction, and what it came to goes out.

Runs became tallies in buckets when they were ingested; messages are delivered after the transaction is kept.
A rollout with more unread buckets than are read at once reads on in transactions of its own, and decides in the last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockgate.core.app import App
from lockgate.core.decision.chain import decide
from lockgate.core.notice import noticed
from lockgate.core.receipt import Actor
from lockgate.core.rollout import Rollout
from lockgate.core.surroundings import Surroundings, situation
from lockgate.core.transition import Transition, apply
from lockgate.core.verdict.judge import judge
from lockgate.core.verdict.verdict import Verdict
from lockgate.crash_point import reach
from lockgate.operations.line.committing import Case, commit
from lockgate.operations.line.current import current
from lockgate.operations.line.reading import load, planned
from lockgate.operations.line.untold import why_untold
from lockgate.operations.vault.keeping import writing
from lockgate.ports.house import House
from lockgate.ports.store import Transaction

LOOP = Actor()


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn came to; `receipt` is the seq of the rollout's latest, and `is_signed` says that it is new."""

    transition: Transition
    verdict: Verdict
    receipt: int
    is_signed: bool = False

    @property
    def rollout(self) -> Rollout:
        """Return the rollout as it stands."""
        return self.transition.after


def tick(rollout_id: str, house: House, actor: Actor = LOOP) -> Turn:
    """Take one turn of the loop; a rollout that has ended stays as it is."""
    while True:
        with writing(house) as work:
            turn = turn_in(work, rollout_id, house, actor)
        if turn is not None:
            return turn


def turn_in(work: Transaction, rollout_id: str, house: House, actor: Actor = LOOP) -> Turn | None:
    """Take one turn in a transaction; None while it reads on, so that nothing is decided on a part."""
    now = house.clock.now()
    trial, policy = load(work, rollout_id)
    rollout, judged = trial.rollout, planned(work, trial.rollout.policy_digest)
    app = work.app(rollout.app) or App(name=rollout.app)

    if not rollout.is_terminal:
        read = current(work, replace(trial, ticked_at=now), judged, now)
        if read is None:
            return None
        trial = read
        reach("tick.read")
    verdict = judge(trial.progress.state, trial.progress.totals, judged, rollout.step)
    beside = Surroundings(now=now, freeze=app.frozen, untold=why_untold(work, rollout, now))
    around = situation(rollout, trial.progress, policy, beside)
    decision = decide(rollout, policy, verdict, around)
    transition = noticed(apply(rollout, decision, now), policy)
    reach("tick.decided")
    latest = trial.chain.seq
    if not rollout.is_terminal:
        case = Case(trial=trial, transition=transition, verdict=verdict, policy=policy, actor=actor)
        trial = commit(work, house, case)
    return Turn(transition, verdict, trial.chain.seq, is_signed=trial.chain.seq > latest)
