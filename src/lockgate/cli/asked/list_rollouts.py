# SPDX-License-Identifier: Apache-2.0
"""An app's name may come in; its rollouts, one a line, go out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.core.rollout import Rollout
from lockgate.operations.asking.overview import frozen_apps, overview
from lockgate.operations.asking.queries import list_rollouts, overdue_rollouts
from lockgate.report.listing import render_rollouts
from lockgate.report.rollout_document import rollout_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called."""

    app_id: str | None = None
    active: bool = False
    as_json: bool = False


def answer(words: Words, desk: Desk) -> Said:
    """List rollouts, the oldest first."""
    house = desk.place.house_to_read()
    if words.app_id is not None:
        # A mistyped name is refused with those that there are.
        overview(house, words.app_id)
    found = [each for each in list_rollouts(house, words.app_id, active=words.active) if desk.place.covers(each.app)]
    overdue, frozen = overdue_rollouts(house, found), frozen_apps(house)
    if words.as_json:
        documents = [
            {**rollout_document(each), "overdue": overdue.get(each.id), "frozen": frozen.get(each.app)}
            for each in found
        ]
        desk.emit_json({"rollouts": documents})
    elif not found:
        desk.say("There is no rollout; `lockgate create` makes one.\n")
    else:
        desk.say(render_rollouts(found, desk.screen, _notes(found, overdue, frozen)))
    return desk.said()


def _notes(rollouts: Sequence[Rollout], overdue: Mapping[str, str], frozen: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what is to be known of rollouts beside their rows, by id; a freeze of those that it may stop."""
    notes: dict[str, list[str]] = {}
    for each in rollouts:
        if each.id in overdue:
            notes.setdefault(each.id, []).append(f"overdue: {overdue[each.id]}")
        if each.app in frozen and not each.is_terminal:
            notes.setdefault(each.id, []).append(f"{each.app} is frozen: {frozen[each.app]}")
    return notes
