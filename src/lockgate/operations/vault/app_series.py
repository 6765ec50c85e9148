# SPDX-License-Identifier: Apache-2.0
"""What is done to an app comes in; the app as it is kept, with its receipt and message, goes out."""

from __future__ import annotations

from dataclasses import dataclass, field

from lockgate import __version__
from lockgate.core.app import App, series_name
from lockgate.core.app_receipt import AppAct, draft_app
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.outbox import app_message
from lockgate.core.receipt import Actor
from lockgate.core.transition import Event
from lockgate.operations.vault.acting import checked_actor
from lockgate.operations.vault.keeping import Marks, keep
from lockgate.operations.vault.telling import tell
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Transaction

# What else is done to an app is told to nobody.
EVENTS = {Action.FREEZE: Event.FREEZE, Action.UNFREEZE: Event.UNFREEZE}


@dataclass(frozen=True, slots=True)
class AppStanding:
    """An app as it stands, the id of its own series of receipts, and the seq of the latest; 0 where there is none.

    `version` is the app's. `is_signed`: whether the call wrote that receipt. `rolled_back`: the rollouts whose ends it
    wrote besides, each by its id and the seq of that receipt. Both are of the call, not of what it came to: a
    repetition is answered the same.
    """

    app: App
    series: str
    receipt: int
    is_signed: bool = field(default=False, compare=False)
    rolled_back: tuple[tuple[str, int], ...] = field(default=(), compare=False)
    version: int = field(default=0, compare=False)


def version_of(seen: Snapshot, org: str, app: str) -> int:
    """Return an app's version: how many things were done to it, and how often its rollouts changed.

    Each counts one up: a start, a step, an end and with it a champion, an operator's action, a freeze and a kill.
    """
    latest = seen.latest_receipt(series_name(org, app))
    return (0 if latest is None else latest.seq) + seen.revisions_of(app)


def stand(work: Transaction, before: App, after: App, cause: Cause, actor: Actor, house: House) -> AppStanding:
    """Keep an app to which one thing was done, with the receipt that says so; one that is as before needs none."""
    checked = checked_actor(actor)
    series = series_name(house.org, before.name)
    latest = work.latest_receipt(series)
    seq = 0 if latest is None else latest.seq
    if after == before:
        return AppStanding(before, series, seq, version=version_of(work, house.org, before.name))
    act = AppAct(
        org=house.org,
        before=before,
        after=after,
        action=_action(before, after),
        cause=cause,
        reason=checked.reason or "",
        at=house.clock.now(),
        seq=seq + 1,
        previous=None if latest is None else latest.digest,
        engine=__version__,
    )
    marks = Marks(series=series, seq=act.seq, revision=act.seq, action=act.action, cause=cause, at=act.at)
    receipt = keep(work, house, draft_app(act, checked), marks)
    work.put_app(after)
    event = EVENTS.get(act.action)
    tell(work, () if event is None else (app_message(house.org, after, receipt, event),))
    return AppStanding(after, series, act.seq, is_signed=True, version=version_of(work, house.org, after.name))


def _action(before: App, after: App) -> Action:
    if after.actuator != before.actuator:
        return Action.REMOVE_ACTUATOR if after.actuator is None else Action.SET_ACTUATOR
    if after.kept_from != before.kept_from:
        return Action.PRUNE
    return Action.UNFREEZE if after.frozen is None else Action.FREEZE
