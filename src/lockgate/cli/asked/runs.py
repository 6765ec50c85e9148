# SPDX-License-Identifier: Apache-2.0
"""An app, a release and a status come in; raw runs of that kind that are still kept go out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.core.instant import SECOND
from lockgate.errors import UsageError
from lockgate.operations.asking.example_runs import Wanted, example_runs
from lockgate.report.raw_runs import render_raw_runs

MOST = 1_000
STATUSES = ("ok", "error", "timeout", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called; `since_s` is how long ago runs came at most."""

    app_id: str
    release: str | None = None
    status: str | None = None
    since_s: int | None = None
    limit: int = 20
    as_json: bool = False


def answer(words: Words, desk: Desk) -> Said:
    """Show raw runs, the latest to come first."""
    if not 1 <= words.limit <= MOST or words.status not in (None, *STATUSES):
        raise UsageError("no such runs can be asked for", advice=f"At most {MOST:,}, of {', '.join(STATUSES)}.")
    house = desk.place.house_to_read()
    moment = None if words.since_s is None else house.clock.now() - words.since_s * SECOND
    wanted = Wanted(app=words.app_id, release=words.release, status=words.status, since=moment, limit=words.limit)
    found = example_runs(wanted, house)
    if words.as_json:
        document = [{"came_at": each.came_at, "counted": each.is_counted, "run": each.record} for each in found.runs]
        desk.emit_json({"runs": document, "kept_from": found.until, "is_cut": found.is_cut})
    else:
        desk.say(render_raw_runs(found, desk.screen))
    return desk.said()
