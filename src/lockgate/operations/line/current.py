# SPDX-License-Identifier: Apache-2.0
"""A trial comes in; it goes out current, with every bucket that is over sealed and read."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.evidence.plan import Plan
from lockgate.core.instant import Instant
from lockgate.core.trial import Trial
from lockgate.operations.intake.sealing import seal_next
from lockgate.operations.line.reading import AT_ONCE, read_on
from lockgate.ports.store import Transaction


def current(work: Transaction, trial: Trial, judged: Plan, now: Instant) -> Trial | None:
    """Seal and read what is over; None when more is left than is read at once, and what was read is saved."""
    rollout = trial.rollout
    sealed = seal_next(work, rollout.app, now, AT_ONCE)
    if sealed is None:
        return None
    read = read_on(work, trial, judged, now, sealed)
    work.add_folded(rollout.id, read.buckets)
    trial = replace(trial, progress=read.progress)
    if read.is_whole:
        return trial
    work.save(replace(trial, turn=trial.turn + 1))
    return None
