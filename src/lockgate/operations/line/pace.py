# SPDX-License-Identifier: Apache-2.0
"""A trial comes in; how many candidate runs an hour come at its step, while comparisons read buckets, goes out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from lockgate.core.evidence.sealed import Phase
from lockgate.core.evidence.window import Span, span_at
from lockgate.core.instant import HOUR, SECOND, Instant
from lockgate.core.policy.policy import Policy
from lockgate.core.spine import Slot
from lockgate.core.trial import Trial
from lockgate.ports.store import Snapshot

# A pace over less time than this says nothing about the next hours.
LEAST = 60 * SECOND
# Traffic settles within so many buckets, or nothing is said.
LOOKED_AT = 100


def runs_per_hour(seen: Snapshot, trial: Trial, policy: Policy) -> float | None:
    """Return the pace of the candidate runs that count at a step; None where nobody can say, or it has ended."""
    rollout, state = trial.rollout, trial.progress.state
    if rollout.is_terminal or state.step != rollout.step:
        return None
    first = _first(trial, policy)
    slots = [*seen.slots(rollout.app, first - 1, LOOKED_AT), *seen.slots(rollout.app, state.last_bucket - 1, 1)]
    steady = [slot for slot in slots if first <= slot.number <= state.last_bucket and _is_steady(trial.spans, slot)]
    if not steady:
        return None
    time = max(map(_end, steady)) - min(slot.time for slot in steady)
    return trial.fresh_runs / time * HOUR if time >= LEAST else None


def _first(trial: Trial, policy: Policy) -> int:
    """Return the number of the first bucket that counts at the step that the rollout stands at."""
    here: Iterator[Span] = takewhile(lambda span: span.step == trial.rollout.step, reversed(trial.spans))
    counting = [span.first for span in here if not (span.is_earlier and trial.rollout.is_met(policy))]
    return min(counting, default=trial.spans[-1].first)


def _is_steady(spans: tuple[Span, ...], slot: Slot) -> bool:
    span = span_at(spans, slot.number)
    return span is not None and span.phase(slot) is Phase.STEADY


def _end(slot: Slot) -> Instant:
    """Return when a slot's time was over; one that nobody sealed at once lasted no longer for it."""
    early = 0 if slot.sealed_at is None or slot.starts_at is not None else max(0, slot.seals_at - slot.sealed_at)
    return slot.time + (slot.seals_at - slot.opened_at) - early
