# SPDX-License-Identifier: Apache-2.0
"""What was done to an app comes in; the unsigned statement of it goes out.

It has the predicate of a rollout's receipts in a small shape: `rolloutId` is the series of the app's own receipts,
`subject` the app, `baseline` its champion, `candidate` nothing, `from` and `to` how the app stands before and after
({champion, formerChampion, frozen, killed, actuator, keptFrom}, the actuator as the digest of what was declared),
`decision` an action (`freeze`, `unfreeze`, `set_actuator`, `remove_actuator`, `prune`) with cause and reason;
`verdict` is null, and `promise`, `policy` and `evidence` are empty.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from lockgate.core.app import App, series_name
from lockgate.core.canonical import Json, canonicalize
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.instant import Instant, instant_text
from lockgate.core.policy.policy import Mode
from lockgate.core.receipt import Actor, Draft, clipped, digest_set
from lockgate.core.statement import PREDICATE_TYPE, SCHEMA_VERSION, STATEMENT_TYPE, receipt_name


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
    app, series = act.after.name, series_name(act.org, act.after.name)
    receipt_id = receipt_name(act.org, series, act.seq)
    statement: dict[str, Json] = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": app, "digest": {"sha256": hashlib.sha256(canonicalize({"app": app})).hexdigest()}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "schemaVersion": SCHEMA_VERSION,
            "receiptId": receipt_id,
            "org": act.org,
            "rolloutId": series,
            "seq": act.seq,
            "prevReceipt": None if act.previous is None else digest_set(act.previous),
            "mode": Mode.CANARY.value,
            "advisory": False,
            "baseline": {"release": act.before.champion},
            "candidate": {},
            "from": act.before.standing(),
            "to": act.after.standing(),
            "decision": {"action": act.action.value, "cause": act.cause.value, "reason": clipped(act.reason)},
            "verdict": None,
            "promise": {},
            "policy": {},
            "evidence": {},
            "engine": {"name": "lockgate", "version": act.engine},
            "actor": actor.document(),
            "decidedAt": instant_text(act.at),
        },
    }
    return Draft(receipt_id, canonicalize(statement))
