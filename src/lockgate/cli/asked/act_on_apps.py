# SPDX-License-Identifier: Apache-2.0
"""What an operator asks of an app, or of all, comes in; it is done, and where the apps stand goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lockgate.cli.asked.desk import PASS_S, Desk
from lockgate.cli.asked.lost_keys import with_lost_keys
from lockgate.cli.said import Said
from lockgate.errors import UsageError
from lockgate.operations.steering.freeze import freeze, unfreeze, unfreeze_all
from lockgate.operations.steering.kill import kill, planned_kill
from lockgate.operations.vault.app_series import AppStanding
from lockgate.ports.house import House
from lockgate.report.answered import plan_text, render_app
from lockgate.report.signed import signed_app, signed_apps

# Every router that can be told is told before this ends.
KILL_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called; without an app it is of all."""

    reason: str
    app_id: str | None = None
    by: str | None = None
    yes: bool = False
    as_json: bool = False


def answer_freeze(words: Words, desk: Desk) -> Said:
    """Let nothing of an app start or be promoted; rollback always works."""
    if words.app_id is None:
        raise UsageError("a freeze is of one app", advice="Name it.")
    house = desk.place.known_house()
    return _stands(words, (freeze(words.app_id, desk.place.actor(words.by, words.reason), house),), house, desk)


def answer_unfreeze(words: Words, desk: Desk) -> Said:
    """End an app's freeze, whether a freeze or a kill began it."""
    house = _house(words, desk)
    actor = desk.place.actor(words.by, words.reason)
    stands = unfreeze_all(actor, house) if words.app_id is None else (unfreeze(words.app_id, actor, house),)
    return _stands(words, stands, house, desk)


def answer_kill(words: Words, desk: Desk) -> Said:
    """Roll back everything on trial in an app, or return it to its former champion; freeze it."""
    house = _house(words, desk)
    actor, plans = desk.place.actor(words.by, words.reason), planned_kill(words.app_id, house)
    if not plans:
        raise UsageError(
            "no app is known, so nothing can be killed",
            advice="Is LOCKGATE_HOME the right folder, or LOCKGATE_URL the right server?",
        )
    if not words.yes:
        return desk.said(question=f"{plan_text(plans)}Kill?")
    which = ["--all"] if words.app_id is None else ["--app-id", words.app_id]
    with with_lost_keys(["kill", *which], words.reason, words.by):
        stands = kill(words.app_id, actor, house)
    return _stands(words, stands, house, desk, KILL_S)


def _house(words: Words, desk: Desk) -> House:
    if words.app_id is None:
        desk.place.check_every_app()
    return desk.place.known_house()


def _stands(words: Words, stands: Sequence[AppStanding], house: House, desk: Desk, seconds: float = PASS_S) -> Said:
    """Let the routers of apps be told, and say where the apps stand."""
    untold = desk.place.deliver(house, words.app_id, seconds)
    if words.as_json:
        is_all = words.app_id is None
        desk.emit_json({"apps": signed_apps(stands, house)} if is_all else signed_app(stands[0], house))
    else:
        desk.say("".join(render_app(each, desk.screen) for each in stands))
    desk.tell(*untold)
    return desk.said()
