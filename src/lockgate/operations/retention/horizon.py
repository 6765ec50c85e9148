# SPDX-License-Identifier: Apache-2.0
"""How long what is kept comes in; up to when things may go, signed before the first of them does, goes out.

Where nothing is that old nothing is signed, and nothing goes beyond what was signed before. A clock that runs ahead
signs nothing of the time to come: what is kept once it was set back would be taken for pruned when it is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockgate.core.custody import Custody, custody_series
from lockgate.core.decision.decision import Action
from lockgate.core.instant import SECOND, Instant
from lockgate.core.receipt import Actor, operator
from lockgate.core.retention import Retention
from lockgate.operations.vault.custody import change, standing
from lockgate.operations.vault.keeping import writing
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Transaction

PORTION = 500
# Later than any clock says.
EVER = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """Before when raw runs, and looks and deliveries, go; and the receipt that says so, where one was needed."""

    raw: Instant
    deliveries: Instant
    receipt: tuple[str, int] | None = None


def horizon(house: House, retention: Retention, actor: Actor, *, save: bool) -> Horizon:
    """Sign up to when things go, if any of them does or other spans are kept, and keep that."""
    now = house.clock.now()
    before = Horizon(raw=now - retention.raw_s * SECOND, deliveries=now - retention.buckets_s * SECOND)
    with writing(house) as work:
        kept = work.retention()
        spans = retention if save else kept
        is_other = (spans.raw_s, spans.buckets_s) != (kept.raw_s, kept.buckets_s)
        # From what was signed: a row that somebody changed is not signed after the fact.
        signed = standing(work, house)
        after = signed
        if is_other or _has_raw(work, before.raw):
            after = replace(after, raw_until=max(signed.raw_until, _raw_end(work, before.raw)))
        if is_other or work.has_settled(before.deliveries) or _has_looks(work, before.deliveries):
            ended = _told_end(work, before.deliveries)
            after = replace(after, deliveries_until=max(signed.deliveries_until, ended))
        work.put_retention(replace(spans, raw_until=after.raw_until, deliveries_until=after.deliveries_until))
        receipt = None if after == signed else _signed(work, house, after, actor)
    raw, deliveries = min(before.raw, after.raw_until), min(before.deliveries, after.deliveries_until)
    return Horizon(raw=raw, deliveries=deliveries, receipt=receipt)


def _signed(work: Transaction, house: House, after: Custody, actor: Actor) -> tuple[str, int]:
    checked = operator(actor.name or "", actor.reason or "", actor.kind)
    return custody_series(house.org), change(work, house, after, Action.PRUNE, checked).seq


def _has_raw(seen: Snapshot, before: Instant) -> bool:
    """Say whether raw runs came before that nothing pins."""
    pinned, after = seen.pinned(), (-1, "")
    while rows := seen.segments_before(before, after, PORTION):
        if any(digest not in pinned for _, digest in rows):
            return True
        after = rows[-1]
    return False


def _raw_end(seen: Snapshot, before: Instant) -> Instant:
    """Return a time, or the end of all raw runs where they end before."""
    if seen.segments_before(EVER, (before, ""), 1):
        return before
    end, after = 0, (-1, "")
    while rows := seen.segments_before(before, after, PORTION):
        after = rows[-1]
        end = after[0] + 1
    return end


def _told_end(seen: Snapshot, before: Instant) -> Instant:
    """Return a time, or the end of all that rollouts decided where that ends before."""
    end = 0
    # The latest first, because with it the question is mostly answered.
    for trial in (seen.trial(rollout.id) for rollout in reversed(seen.rollouts())):
        if trial is not None:
            end = max(end, trial.chain.at + 1)
        if end > before:
            return before
    return end


def _has_looks(seen: Snapshot, before: Instant) -> bool:
    """Say whether a rollout that ended before has looks."""
    after = ""
    while names := seen.rollouts_with_looks(after, PORTION):
        for trial in map(seen.trial, names):
            if trial is not None and trial.rollout.is_terminal and trial.chain.at < before:
                return True
        after = names[-1]
    return False
