# SPDX-License-Identifier: Apache-2.0
"""The name of an app comes in; nothing of it may start or be promoted, or may again, and where it stands goes out."""

from __future__ import annotations

from lockgate.core.app import App
from lockgate.core.decision.decision import Cause
from lockgate.core.receipt import Actor
from lockgate.operations.asking.known_app import known_app
from lockgate.operations.vault.acting import checked_actor
from lockgate.operations.vault.app_series import AppStanding, stand
from lockgate.operations.vault.keeping import writing
from lockgate.ports.house import House
from lockgate.ports.store import Transaction


def freeze(name: str, actor: Actor, house: House) -> AppStanding:
    """Let nothing of an app start or be promoted; rollback always works."""
    with writing(house) as work:
        app = known_app(work, name)
        return stand(work, app, app.froze(actor.reason or ""), Cause.OPERATOR, actor, house)


def freeze_all(actor: Actor, house: House) -> tuple[AppStanding, ...]:
    """Let nothing of any app that is known start or be promoted."""
    # Also where no app is known yet: what cannot be meant is told before anybody relies on it.
    checked = checked_actor(actor)
    with writing(house) as work:
        reason = checked.reason or ""
        return tuple(stand(work, app, app.froze(reason), Cause.OPERATOR, checked, house) for app in work.apps())


def unfreeze(name: str, actor: Actor, house: House) -> AppStanding:
    """End the freeze of an app, whether a freeze or a kill began it."""
    with writing(house) as work:
        return _end(work, known_app(work, name), actor, house)


def unfreeze_all(actor: Actor, house: House) -> tuple[AppStanding, ...]:
    """End the freeze of every app that is known."""
    checked = checked_actor(actor)
    with writing(house) as work:
        return tuple(_end(work, app, checked, house) for app in work.apps())


def _end(work: Transaction, app: App, actor: Actor, house: House) -> AppStanding:
    return stand(work, app, app.unfroze(), Cause.OPERATOR, actor, house)
