# SPDX-License-Identifier: Apache-2.0
"""How long what is kept comes in; raw runs and buckets that are older are dropped, and how many they were goes out.

What is dropped is first marked as dropped, in a transaction of its own, so that what is gone and what was lost are
never taken for each other. Each transaction drops a bounded number of rows, so that nobody waits for long.
Receipts, the log, rollouts and what they folded stay for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.decision.decision import Cause
from lockgate.core.dedupe import MAX_WINDOW_S
from lockgate.core.instant import SECOND, Instant
from lockgate.core.receipt import Actor
from lockgate.core.retention import Pin, Retention
from lockgate.errors import UsageError
from lockgate.operations.retention.dropped import PORTION, drop_in_portions
from lockgate.operations.retention.forget import forget_deliveries, forget_looks
from lockgate.operations.retention.horizon import horizon
from lockgate.operations.vault.app_series import stand
from lockgate.operations.vault.keeping import changing, writing
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot
from lockgate.ports.tell import Tell

# Rows of run ids that one transaction drops.
MARKS = 20_000
MIN_S = 3_600
JOB = Actor("job", "prune", "it was older than is kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How many batches of raw runs, buckets, batch rows, rows of run ids, looks, deliveries and answers to probes are
    older than is kept.

    `pinned` counts batches of raw runs that stay although they are older, `until` is from when on raw runs are kept.
    `receipts`: what says who dropped what, each by its series and seq.
    """

    raw: int = 0
    pinned: int = 0
    buckets: int = 0
    batches: int = 0
    ids: int = 0
    looks: int = 0
    deliveries: int = 0
    answers: int = 0
    until: Instant = 0
    receipts: tuple[tuple[str, int], ...] = ()


def retained(house: House) -> Retention:
    """Return how long things are kept."""
    with house.store.reading(house.org) as seen:
        return seen.retention()


def check_retention(retention: Retention) -> None:
    """Refuse spans that would drop what is still written to."""
    if min(retention.raw_s, retention.buckets_s) < MIN_S:
        raise UsageError("less than an hour would be kept", advice="Keep raw runs and buckets for 1h at least.")
    if retention.buckets_s < retention.raw_s:
        raise UsageError(
            "raw runs would be kept for longer than the buckets that they are in",
            advice="Let --keep-buckets be as long as --keep-raw at least.",
        )


def prune(
    house: House,
    retention: Retention,
    *,
    save: bool = False,
    told: Tell = lambda _what, _count: None,
    actor: Actor = JOB,
) -> Pruned:
    """Drop what is older than is kept, and give its room back; `save` keeps the spans for the next time.

    That it is gone is signed first, so that nobody can say of what they took away that it was pruned.
    """
    check_retention(retention)
    now = house.clock.now()
    raw_before, buckets_before = now - retention.raw_s * SECOND, now - retention.buckets_s * SECOND
    edge = horizon(house, retention, actor, save=save)
    raw, pinned = _drop_raw(house, edge.raw, told)
    buckets, signed = _drop_buckets(house, buckets_before, told, actor)
    counted = Pruned(
        raw=raw,
        pinned=pinned,
        buckets=buckets,
        batches=_drop_batches(house, buckets_before, told),
        ids=_drop_ids(house, min(raw_before, now - MAX_WINDOW_S * SECOND), told),
        looks=forget_looks(house, edge.deliveries, told),
        deliveries=forget_deliveries(house, edge.deliveries, told),
        answers=_drop_answers(house, raw_before),
        until=max(edge.raw, raw_before),
        receipts=(*([] if edge.receipt is None else [edge.receipt]), *signed),
    )
    house.store.give_back()
    return counted


def preview(house: House, retention: Retention) -> Pruned:
    """Return how much of raw runs and buckets `prune` would drop."""
    check_retention(retention)
    now = house.clock.now()
    before, raw, kept, after = now - retention.raw_s * SECOND, 0, 0, (-1, "")
    with house.store.reading(house.org) as seen:
        pinned = seen.pinned()
        while rows := seen.segments_before(before, after, PORTION):
            kept += sum(digest in pinned for _, digest in rows)
            raw += len(rows)
            after = rows[-1]
        buckets = 0
        for app in seen.apps():
            last = app.kept_from - 1
            while (upto := _old(seen, app.name, last, now - retention.buckets_s * SECOND)) is not None:
                buckets, last = buckets + upto - last, upto
        until = max(before, seen.retention().raw_until)
    return Pruned(raw=raw - kept, pinned=kept, buckets=buckets, until=until)


def pins(house: House) -> tuple[Pin, ...]:
    """Return the pins of all rollouts."""
    with house.store.reading(house.org) as seen:
        return seen.pins()


def _drop_raw(house: House, before: Instant, told: Tell) -> tuple[int, int]:
    dropped, kept, after = 0, 0, (-1, "")
    while True:
        with changing(house) as work:
            rows = work.segments_before(before, after, PORTION)
            # A decision of this moment may have pinned more.
            pinned = work.pinned() if rows else frozenset()
            old = [digest for _, digest in rows if digest not in pinned]
            work.drop_segments(old)
        if not rows:
            return dropped, kept
        dropped, kept, after = dropped + len(old), kept + len(rows) - len(old), rows[-1]
        told("batches of raw runs", dropped)


def _drop_buckets(house: House, before: Instant, told: Tell, actor: Actor) -> tuple[int, list[tuple[str, int]]]:
    dropped, signed = 0, []
    with house.store.reading(house.org) as seen:
        names = [app.name for app in seen.apps()]
    for name in names:
        kept_from, receipt = _mark_buckets(house, name, before, actor)
        signed += [] if receipt is None else [receipt]
        while count := _drop_some(house, name, kept_from):
            dropped += count
            told("buckets", dropped)
    return dropped, signed


def _mark_buckets(house: House, name: str, before: Instant, actor: Actor) -> tuple[int, tuple[str, int] | None]:
    """Sign from which slot on an app's are kept, if that is another one, and return it and the receipt."""
    with writing(house) as work:
        app = work.app(name)
        assert app is not None
        kept_from = app.kept_from
        while (upto := _old(work, name, kept_from - 1, before)) is not None:
            kept_from = upto + 1
        stands = stand(work, app, app.pruned(kept_from), Cause.OPERATOR, actor, house)
    return kept_from, None if kept_from == app.kept_from else (stands.series, stands.receipt)


def _drop_some(house: House, name: str, kept_from: int) -> int:
    """Drop some of the slots that are marked as gone, those too that an earlier call left, and say how many."""
    with changing(house) as work:
        first = next((slot.number for slot in work.slots(name, -1, 1)), kept_from)
        upto = min(first + PORTION, kept_from)
        if upto > first:
            work.drop_slots(name, first, upto - 1)
    return max(0, upto - first)


def _old(seen: Snapshot, app: str, after: int, before: Instant) -> int | None:
    """Return up to which number a portion of an app's slots is old and read by nobody; None if not even the next is.

    The last slot stays, because the next number follows from it, and so does what an active rollout may still read
    and what a pin names.
    """
    bounds = [pin.first for pin in seen.pins() if pin.app == app]
    for rollout in seen.rollouts(app, active=True):
        trial = seen.trial(rollout.id)
        bounds += [trial.spans[0].first] if trial is not None else [0]
    last = seen.last_slot(app)
    bounds.append(0 if last is None else last.number)
    found = None
    for slot in seen.slots(app, after, PORTION):
        if not slot.is_sealed or slot.opened_at >= before or slot.number >= min(bounds):
            break
        found = slot.number
    return found


def _drop_batches(house: House, before: Instant, told: Tell) -> int:
    """Drop what became of batches, once no slot is left that one of them may stand in."""
    with house.store.reading(house.org) as seen:
        # Not of the first that is kept: where the clock was set back, later slots opened earlier.
        opened = (seen.oldest_slot(app.name) for app in seen.apps())
        horizon = min([before, *(each for each in opened if each is not None)])
    return drop_in_portions(house, lambda work: work.drop_batches(horizon, PORTION), "batches", told)


def _drop_ids(house: House, before: Instant, told: Tell) -> int:
    return drop_in_portions(house, lambda work: work.drop_ids(before, MARKS), "ids of runs", told)


def _drop_answers(house: House, before: Instant) -> int:
    with house.store.reading(house.org) as seen:
        names = [app.name for app in seen.apps()]
    dropped = 0
    for name in names:
        with changing(house) as work:
            dropped += work.forget_probes(name, before)
    return dropped
