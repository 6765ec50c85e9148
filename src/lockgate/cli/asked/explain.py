# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; why it holds, what would change that and how long it takes go out in words."""

from __future__ import annotations

from lockgate.cli.asked.desk import Desk
from lockgate.cli.asked.show import Words
from lockgate.cli.said import Said
from lockgate.operations.asking.anytime import anytime_intervals
from lockgate.operations.asking.queries import explain
from lockgate.report.ending import ending
from lockgate.report.explained import explained, explained_document, render_explained


def answer(words: Words, desk: Desk) -> Said:
    """Say why a rollout holds, what would change it, and how long that takes at this rate."""
    house = desk.place.house_to_read()
    with desk.place.named(words.rollout_id, house):
        said = explain(words.rollout_id, house)
        intervals = anytime_intervals(said.trial, house)
    now, end = house.clock.now(), ending(said.rollout, house)
    if words.as_json:
        desk.emit_json(explained_document(said, explained(said, now, end, intervals), intervals))
    else:
        desk.say(render_explained(said, now, desk.screen, end, intervals))
    return desk.said()
