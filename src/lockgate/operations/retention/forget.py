# SPDX-License-Identifier: Apache-2.0
"""A time comes in; looks of rollouts that ended before it, and what was told of commits before it, are dropped.

Receipts bind both for ever, by count and digest; nothing that is still to be decided or told reads them.
"""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.instant import Instant
from lockgate.operations.retention.dropped import PORTION, drop_in_portions
from lockgate.operations.vault.keeping import changing
from lockgate.ports.house import House
from lockgate.ports.tell import Tell


def forget_looks(house: House, before: Instant, told: Tell) -> int:
    """Drop the looks of rollouts whose last receipt is of before, and say how many they were."""
    dropped, after = 0, ""
    while True:
        with house.store.reading(house.org) as seen:
            names = seen.rollouts_with_looks(after, PORTION)
        for name in names:
            while _is_marked(house, name, before) and (count := _drop_looks(house, name)):
                dropped += count
                told("looks", dropped)
        if not names:
            return dropped
        after = names[-1]


def forget_deliveries(house: House, before: Instant, told: Tell) -> int:
    """Drop deliveries of messages that were committed before, but for those that may still be told; say how many."""
    return drop_in_portions(house, lambda work: work.drop_deliveries(before, PORTION), "deliveries", told)


def _is_marked(house: House, rollout_id: str, before: Instant) -> bool:
    """Say whether a rollout is marked as one without looks, as one that ended before is from now on."""
    with changing(house) as work:
        trial = work.trial(rollout_id)
        if trial is None or not trial.has_looks:
            return trial is not None
        is_old = trial.rollout.is_terminal and trial.chain.at < before
        if is_old:
            work.save(replace(trial, turn=trial.turn + 1, has_looks=False))
    return is_old


def _drop_looks(house: House, rollout_id: str) -> int:
    with changing(house) as work:
        return work.drop_looks(rollout_id, PORTION)
