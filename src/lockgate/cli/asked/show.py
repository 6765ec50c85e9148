# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; where it stands and what each gate's evidence says go out, and nothing is moved."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.operations.asking.overview import frozen_apps
from lockgate.operations.asking.queries import explain
from lockgate.report.ending import ending
from lockgate.report.rollout_document import explanation_document
from lockgate.report.telling import told_document
from lockgate.report.view import render_view


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called."""

    rollout_id: str
    as_json: bool = False


def answer(words: Words, desk: Desk) -> Said:
    """Show where a rollout stands, without a tick."""
    house = desk.place.house_to_read()
    with desk.place.named(words.rollout_id, house):
        said = explain(words.rollout_id, house)
    app = said.rollout.app
    if words.as_json:
        waiting = [told_document(each) for each in desk.place.waiting(house, app)]
        desk.emit_json({**explanation_document(said), "frozen": frozen_apps(house).get(app), "untold": waiting})
    else:
        untold = desk.place.untold(house, app)
        desk.say(render_view(said, house.clock.now(), desk.screen, ending(said.rollout, house), untold))
    return desk.said()
