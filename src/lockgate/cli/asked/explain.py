# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; why it holds, what would change that and how long it takes go out in words."""

from __future__ import annotations

from lockgate.cli.asked.desk import Desk
from lockgate.cli.asked.ending import ending
from lockgate.cli.asked.show import Words
from lockgate.cli.said import Said
from lockgate.operations.anytime import anytime_intervals
from lockgate.operations.queries import explain
from lockgate.report.explained import explained, render_explained


def answer(words: Words, desk: Desk) -> Said:
    """Say why a rollout holds, what would change it, and how long that takes at this rate."""
    house = desk.place.house_to_read()
    with desk.place.named(words.rollout_id, house):
        said = explain(words.rollout_id, house)
        intervals = anytime_intervals(said.trial, house)
    now, end = house.clock.now(), ending(said.rollout, house)
    if words.as_json:
        parts = explained(said, now, end, intervals)
        desk.emit_json(
            {
                "id": said.rollout.id,
                "parts": [{"heading": part.heading, "sentences": list(part.sentences)} for part in parts],
                "anytime": {interval.gate.id: interval.document() for interval in intervals},
            }
        )
    else:
        desk.say(render_explained(said, now, desk.screen, end, intervals))
    return desk.said()
