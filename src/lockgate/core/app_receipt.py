# SPDX-License-Identifier: Apache-2.0
"""What was done to an app comes in; the unsigned statement of it goes out.

It has the predicate of a rollout's receipts in a small shape: `rolloutId` is the series of the app's own receipts,
`subject` the app, `baseline` its champion, `candidate` nothing, `from` and `to` how the app stands before and after
({champion, formerChampion, frozen, killed, actuator, keptFrom}, the actuator as the digest of what was declared),
`decision` an action (`freeze`, `unfreeze`, `set_actuator`, `remove_actuator`, `prune`) with cause and reason;
`verdict` is null, and `promise`, `policy` and `evidence` are empty.
"""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.app import App, series_name
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.instant import Instant
from lockgate.core.receipt import Actor, Draft
from lockgate.core.series_receipt import SeriesAct, draft_act


@dataclass(frozen=True, slots=True, kw_only=True)
class AppAct:
    """What was done to an app, and what ties its receipt to the one before it in the app's own series."""

    org: str
    before: App
    after: App
    action: Action
    cause: Cause
    reason: str
    at: Instant
    seq: int
    previous: str | None
    engine: str


def draft_app(act: AppAct, actor: Actor) -> Draft:
    """Return the unsigned receipt of what was done to an app."""
    app = act.after.name
    drafted = SeriesAct(
        org=act.org,
        series=series_name(act.org, app),
        subject=("app", app),
        baseline={"release": act.before.champion},
        before=act.before.standing(),
        after=act.after.standing(),
        action=act.action,
        cause=act.cause,
        reason=act.reason,
        at=act.at,
        seq=act.seq,
        previous=act.previous,
        engine=act.engine,
    )
    return draft_act(drafted, actor)
