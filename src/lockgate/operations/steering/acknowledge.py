# SPDX-License-Identifier: Apache-2.0
"""A weight that somebody read back comes in; from now on the rollout knows what is live, and comparisons go on.

It is no transition and has no receipt of its own: it is a look, which the next receipt binds, and buckets carry whether
the weight was known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.receipt import Actor
from lockgate.core.rollout import Rollout, is_met
from lockgate.core.trial import Look, Trial, acknowledged, looked, unacknowledged
from lockgate.core.verdict.judge import judge
from lockgate.errors import DataError, UsageError
from lockgate.operations.intake.sealing import seal_all
from lockgate.operations.line.reading import load, planned
from lockgate.operations.vault.acting import checked_actor
from lockgate.operations.vault.keeping import changing
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Transaction

FULL = 100.0
ACTION = CAUSE = "acknowledgement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Which weight is live, as somebody saw it who had been told what a rollout asked for at a revision."""

    rollout_id: str
    revision: int
    weight: float


def acknowledge(observed: Observation, actor: Actor, house: House) -> Rollout:
    """Let a rollout know the weight that is live; what it knows already, or asked for before, changes nothing."""
    with changing(house) as work:
        return observe(work, house, observed, actor)


def observe(work: Transaction, house: House, observed: Observation, actor: Actor) -> Rollout:
    """Let a rollout know the weight that is live, within a transaction."""
    checked = checked_actor(actor)
    now = house.clock.now()
    trial, policy = load(work, observed.rollout_id)
    _check(trial.rollout, observed)
    if _is_known(trial, observed):
        return trial.rollout
    after = acknowledged(trial, policy, observed.weight, seal_all(work, trial.rollout.app, now), now)
    reason = f"{checked.reason}, {after.rollout.exposed_weight:g} % was asked for, says {checked.name}"
    return _keep(work, _noted(work, after, reason, now))


def forget(work: Transaction, house: House, rollout_id: str) -> None:
    """Let a rollout go on as one whose weights nobody reads back, within a transaction."""
    trial, policy = load(work, rollout_id)
    if trial.rollout.acknowledged is None:
        return
    now = house.clock.now()
    after = unacknowledged(trial, policy, seal_all(work, trial.rollout.app, now), now)
    _keep(work, _noted(work, after, "nobody reads the weight back any more", now))


def _check(rollout: Rollout, observed: Observation) -> None:
    if rollout.mode is Mode.SHADOW:
        raise UsageError(f"{rollout.id} is in shadow mode and moves no weight", advice="Nothing is to be acknowledged.")
    if not 0 <= observed.weight <= FULL:
        raise DataError(f"a weight of {observed.weight:g} % is not between 0 and 100", advice="Nothing was stored.")
    if observed.revision > rollout.revision:
        raise DataError(
            f"{rollout.id} has revision {rollout.revision}, not yet {observed.revision}", advice="Nothing was stored."
        )


def _is_known(trial: Trial, observed: Observation) -> bool:
    rollout, span = trial.rollout, trial.spans[-1]
    # What was seen of an earlier weight says nothing of this one.
    if observed.revision < (rollout.revision if rollout.is_terminal else span.revision):
        return True
    # What differs by rounding alone is the same: else each reading would begin to settle anew.
    is_near = rollout.acknowledged is not None and is_met(rollout.exposed_weight, rollout.acknowledged)
    is_same = rollout.acknowledged == observed.weight or (is_near and is_met(rollout.exposed_weight, observed.weight))
    return is_same and (rollout.is_terminal or span.is_awaited is not rollout.is_acknowledged)


def _noted(work: Transaction, trial: Trial, reason: str, now: int) -> Trial:
    progress, rollout = trial.progress, trial.rollout
    verdict = judge(progress.state, progress.totals, planned(work, rollout.policy_digest), rollout.step)
    look = Look(
        number=trial.turn + 1,
        at=now,
        action=ACTION,
        cause=CAUSE,
        reason=reason,
        outcome=verdict.outcome.value,
        last_bucket=progress.state.last_bucket,
    )
    work.add_look(rollout.id, look)
    return replace(trial, turn=look.number, chain=looked(trial.chain, look))


def _keep(work: Transaction, trial: Trial) -> Rollout:
    work.save(trial)
    return trial.rollout


def awaiting(seen: Snapshot, app: str, policy: Policy) -> float | None:
    """Return what a rollout that begins knows of the live weight: 0 where somebody will read it back."""
    if policy.mode is Mode.SHADOW:
        return None
    is_read = any(each.is_acknowledging and each.app in (None, app) for each in seen.endpoints())
    return 0.0 if is_read else None
