# SPDX-License-Identifier: Apache-2.0
"""A rollout that begins comes in; its trial before any bucket, its first entry and its app, resized, go out."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.app import App
from lockgate.core.evidence.plan import plan
from lockgate.core.evidence.progress import begin
from lockgate.core.evidence.window import Span
from lockgate.core.instant import SECOND, Instant
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.receipt import Actor
from lockgate.core.rollout import Rollout
from lockgate.core.transition import Event, begun
from lockgate.core.trial import Chain, Trial, entered
from lockgate.core.verdict.verdict import Verdict
from lockgate.operations.intake.sealing import seal_all
from lockgate.operations.vault.record import Entry
from lockgate.ports.store import Snapshot, Transaction


def sized(work: Snapshot, app: App, policy: Policy) -> App:
    """Return the app whose next buckets seal as early, and know as many slices, as active rollouts ask for."""
    others = (work.policy(each.policy_digest) for each in work.rollouts(app.name, active=True))
    policies = [policy, *(other for other in others if other is not None)]
    runs = [each.bucket_runs for each in policies if each.bucket_runs is not None]
    watched = tuple(sorted({gate.slice for each in policies for gate in each.gates if gate.slice}))
    bucket_s = min(each.bucket_s for each in policies)
    return replace(app, bucket_s=bucket_s, bucket_runs=min(runs, default=None), watched=watched)


def opened(work: Transaction, rollout: Rollout, policy: Policy, since_s: int | None, now: Instant) -> Trial:
    """Return the trial before any bucket; the weight changes here, so open buckets are sealed."""
    following = seal_all(work, rollout.app, now)
    moved = entered(rollout, policy, following, is_moved=rollout.exposed_weight > 0)
    spans: tuple[Span, ...] = (moved,)
    if since_s is not None:
        since = now - since_s * SECOND
        there = [slot.number for slot in work.slots(rollout.app) if slot.time >= since]
        spans = (Span(first=there[0], step=0, settles_at=since), moved) if there else spans
    progress = begin(plan(policy))
    return Trial(rollout=rollout, progress=progress, spans=spans, chain=Chain(state=progress.digest()), turn=1)


def first_entry(rollout: Rollout, policy: Policy, trial: Trial, actor: Actor) -> Entry:
    """Return what the first receipt of a rollout states."""
    return Entry(
        transition=begun(replace(rollout, weight=0.0, revision=0), policy),
        verdict=Verdict((), policy.inference),
        policy=policy,
        actor=actor,
        chain=trial.chain,
        state=trial.chain.state,
        bucket=-1,
        events=() if rollout.mode is Mode.SHADOW else (Event.CREATED,),
    )
