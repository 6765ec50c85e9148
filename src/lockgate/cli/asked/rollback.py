# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; it is rolled back, and where it stands goes out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.cli.asked import act
from lockgate.cli.asked.desk import Desk
from lockgate.cli.asked.lost_keys import with_lost_keys
from lockgate.cli.said import Said
from lockgate.operations.asking.queries import find_rollout, find_way_back
from lockgate.operations.steering.rollback import rollback


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called."""

    rollout_id: str
    reason: str
    by: str | None = None
    yes: bool = False
    as_json: bool = False


def answer(words: Words, desk: Desk) -> Said:
    """Take a candidate out of traffic for good; the last promoted one too, until the next rollout starts."""
    house, actor = desk.place.known_house(), desk.place.actor(words.by, words.reason)
    with desk.place.named(words.rollout_id, house):
        rollout = find_rollout(words.rollout_id, house)
        back = find_way_back(rollout, house)
        goes = "" if back is None else f" to {back}"
        if not words.yes:
            return desk.said(question=f"Roll back {rollout.candidate} in {rollout.app}{goes}, for good?")
        with with_lost_keys(["rollback", "--id", words.rollout_id], words.reason, words.by):
            given = rollback(words.rollout_id, actor, house)
    return act.stands(given, house, desk, as_json=words.as_json)
