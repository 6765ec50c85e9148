# SPDX-License-Identifier: Apache-2.0
"""What was done to an app or an organisation comes in; the unsigned statement of it goes out.

It has the predicate of a rollout's receipts: `rolloutId` is the series of receipts that it is in, `verdict` is null,
and whatever else is of a rollout alone is empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from lockgate.core.canonical import Json, canonicalize
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.instant import Instant, instant_text
from lockgate.core.policy.policy import Mode
from lockgate.core.receipt import Actor, Draft, clipped, digest_set
from lockgate.core.statement import PREDICATE_TYPE, SCHEMA_VERSION, STATEMENT_TYPE, receipt_name


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesAct:
    """What was done, how what it was done to stood before and after, and what ties its receipt to the one before it.

    `subject` names what it was done to, by the name of its kind.
    """

    org: str
    series: str
    subject: tuple[str, str]
    baseline: Mapping[str, Json]
    before: Mapping[str, Json]
    after: Mapping[str, Json]
    action: Action
    cause: Cause
    reason: str
    at: Instant
    seq: int
    previous: str | None
    engine: str


def draft_act(act: SeriesAct, actor: Actor) -> Draft:
    """Return the unsigned receipt of what was done."""
    receipt_id, (kind, name) = receipt_name(act.org, act.series, act.seq), act.subject
    statement: dict[str, Json] = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": hashlib.sha256(canonicalize({kind: name})).hexdigest()}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "schemaVersion": SCHEMA_VERSION,
            "receiptId": receipt_id,
            "org": act.org,
            "rolloutId": act.series,
            "seq": act.seq,
            "prevReceipt": None if act.previous is None else digest_set(act.previous),
            "mode": Mode.CANARY.value,
            "advisory": False,
            "baseline": act.baseline,
            "candidate": {},
            "from": act.before,
            "to": act.after,
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
