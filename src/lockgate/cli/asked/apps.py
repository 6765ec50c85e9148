# SPDX-License-Identifier: Apache-2.0
"""An app's name may come in; where it stands, or where all apps do, goes out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.operations.asking.overview import overview
from lockgate.report.app_listing import overview_document, render_overview


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called."""

    app_id: str | None = None
    as_json: bool = False


def answer(words: Words, desk: Desk) -> Said:
    """Show apps: releases seen, champion, what is on trial, what is frozen and why, and what moves the traffic."""
    known = [each for each in overview(desk.place.house_to_read(), words.app_id) if desk.place.covers(each.app.name)]
    found = [replace(each, endpoint=desk.place.endpoint(each.endpoint)) for each in known]
    if words.as_json:
        desk.emit_json({"apps": [overview_document(each) for each in found]})
    else:
        shown = "\n".join(render_overview(each, desk.screen) for each in found)
        desk.say(shown or "No app is known; the first run or rollout that names one makes it.\n")
    return desk.said()
