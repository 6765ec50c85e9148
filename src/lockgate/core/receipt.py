# SPDX-License-Identifier: Apache-2.0
"""A transition, its verdict and the digests of its evidence come in; the unsigned statement of the decision goes out.

The statement is an in-toto Statement v1 in the one byte form of RFC 8785.
Drafting is pure: the same decision drafts the same bytes, so a signer that crashed may simply draft again.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from dataclasses import dataclass
from datetime import UTC, datetime

from lockgate.core.canonical import Json, canonicalize
from lockgate.core.policy.policy import Inference, Mode, Policy
from lockgate.core.rollout import Instant, Rollout
from lockgate.core.transition import Transition
from lockgate.core.verdict.verdict import Verdict

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
# The URI carries the major version of the predicate only.
PREDICATE_TYPE = "urn:lockgate:attestation:rollout-decision:v1"
SCHEMA_VERSION = 1
ID_LENGTH = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Bindings:
    """What ties a receipt to its evidence and to the receipt before it.

    `seq` counts from 1 without gaps in each rollout; `previous` is None for the first.
    """

    seq: int
    previous: str | None
    state_before: str
    state_after: str
    buckets: tuple[str, ...]
    looks: int = 0
    looks_digest: str | None = None
    engine: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused the decision: the loop itself, or a person or job with a reason."""

    kind: str = "tick"
    name: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An unsigned receipt: its id, its statement and the bytes to sign."""

    id: str
    statement: dict[str, Json]

    @property
    def payload(self) -> bytes:
        """Return the canonical bytes that the signature covers."""
        return canonicalize(self.statement)


def draft(transition: Transition, verdict: Verdict, policy: Policy, bindings: Bindings, actor: Actor) -> Draft:
    """Return the unsigned receipt of one decision."""
    rollout = transition.after
    receipt_id = receipt_name(rollout.org, rollout.id, bindings.seq)
    statement: dict[str, Json] = {
        "_type": STATEMENT_TYPE,
        "subject": [_subject(rollout)],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "schemaVersion": SCHEMA_VERSION,
            "receiptId": receipt_id,
            "org": rollout.org,
            "rolloutId": rollout.id,
            "seq": bindings.seq,
            "prevReceipt": bindings.previous,
            "mode": rollout.mode.value,
            "advisory": rollout.mode is Mode.SHADOW,
            "baseline": {"release": rollout.baseline},
            "candidate": {"release": rollout.candidate, "attempt": rollout.attempt},
            "from": _standing(transition.before),
            "to": _standing(rollout),
            "decision": transition.decision.document(),
            "verdict": verdict.document(),
            "promise": promise(policy),
            "policy": {"sha256": policy.digest().removeprefix("sha256:")},
            "evidence": _evidence(bindings),
            "engine": {"name": "lockgate", "version": bindings.engine},
            "actor": {"type": actor.kind, "name": actor.name, "reason": actor.reason},
            "decidedAt": instant_text(transition.at),
        },
    }
    return Draft(receipt_id, statement)


def receipt_name(org: str, rollout_id: str, seq: int) -> str:
    """Return the id that a receipt has whoever drafts it, so that a redo is the same receipt."""
    name = hashlib.sha256(f"{org}|{rollout_id}|{seq}".encode()).digest()
    return "rcp_" + b32encode(name).decode("ascii").lower()[:ID_LENGTH]


def promise(policy: Policy) -> dict[str, Json]:
    """Return what the decision's error rates promise, and on which assumption."""
    sequential = policy.inference is Inference.SEQUENTIAL
    gates = [gate for gate in policy.gates if gate.detect is None]
    return {
        "inference": policy.inference.value,
        "promote": policy.promote.value,
        "falseRollback": policy.alpha if sequential else None,
        "falsePromotion": policy.alpha_promote if sequential and not gates else None,
        "independence": "unit" if policy.unit is not None else "assumed",
    }


def instant_text(instant: Instant) -> str:
    """Return an instant as RFC 3339 in UTC with milliseconds."""
    whole = datetime.fromtimestamp(instant // 1000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{instant % 1000:03d}Z"


def _subject(rollout: Rollout) -> dict[str, Json]:
    named = canonicalize({"app": rollout.app, "release": rollout.candidate})
    return {"name": f"{rollout.app}@{rollout.candidate}", "digest": {"sha256": hashlib.sha256(named).hexdigest()}}


def _standing(rollout: Rollout) -> dict[str, Json]:
    return {
        "status": rollout.status.value,
        "step": rollout.step,
        "weight": rollout.exposed_weight,
        "wouldBeWeight": rollout.weight if rollout.mode is Mode.SHADOW else None,
        "revision": rollout.revision,
    }


def _evidence(bindings: Bindings) -> dict[str, Json]:
    return {
        "stateBefore": bindings.state_before,
        "stateAfter": bindings.state_after,
        "buckets": list(bindings.buckets),
        "looksSince": bindings.looks,
        "looksDigest": bindings.looks_digest,
    }
