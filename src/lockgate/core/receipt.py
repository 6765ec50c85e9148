# SPDX-License-Identifier: Apache-2.0
"""A transition, its verdict and the digests of its evidence come in; the unsigned statement of the decision goes out.

The statement is an in-toto Statement v1 in the one byte form of RFC 8785.
What an operator does to a rollout has the same shape, with who and why in `actor` and the verdict as it was known.
Drafting is pure: the same decision drafts the same bytes, so a signer that crashed may simply draft again.
Whatever can grow is bounded and bound by digest, so that a decision never is too long to be signed.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from lockgate.core.canonical import Json, canonicalize
from lockgate.core.clipped_text import clipped as clipped_text
from lockgate.core.clipped_text import fitting, text_size
from lockgate.core.decision.decision import Decision
from lockgate.core.envelope import MAX_PAYLOAD_SIZE
from lockgate.core.evidence.window import Lookback
from lockgate.core.instant import instant_text
from lockgate.core.named_contents import named_contents
from lockgate.core.policy.policy import Inference, Mode, Policy
from lockgate.core.rollout import Rollout
from lockgate.core.stated_verdict import MAX_INLINE, MAX_REASON, MAX_REASON_SIZE, stated_verdict
from lockgate.core.statement import PREDICATE_TYPE, SCHEMA_VERSION, STATEMENT_TYPE, receipt_name
from lockgate.core.transition import Transition
from lockgate.core.verdict.verdict import Verdict
from lockgate.errors import UsageError

# Together with names of 256 characters, links and digests these leave a payload room for findings.
MAX_TEXT, MAX_TEXT_SIZE = MAX_REASON, MAX_REASON_SIZE
MAX_CLAIM, MAX_CLAIM_SIZE = 300, 600
# How many bytes findings, and what else spoke, may take together; the first that leave the payload short enough.
ROOMS = ((MAX_INLINE, 4_000), (2_000, 1_000), (0, 0))
_OWN_DIGEST = re.compile(r"(?:.*@)?sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bindings:
    """What ties a receipt to its evidence and to the receipt before it.

    `seq` counts from 1 without gaps in each rollout; `previous`, the digest of the envelope before, is None for the
    first. Digests are written `sha256:<hex>`.
    """

    seq: int
    previous: str | None
    state_before: str
    state_after: str
    buckets: tuple[str, ...]
    lookback: Lookback | None = None
    looks: int = 0
    looks_digest: str | None = None
    engine: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused the decision: the loop, or a person or job with a reason; `claims` are those of a job's token."""

    kind: str = "tick"
    name: str | None = None
    reason: str | None = None
    claims: tuple[tuple[str, str], ...] = ()

    def document(self) -> dict[str, Json]:
        """Return the JSON form, bounded."""
        claims: dict[str, Json] = {name: clipped_text(text, MAX_CLAIM, MAX_CLAIM_SIZE) for name, text in self.claims}
        plain: dict[str, Json] = {"type": self.kind, "name": clipped(self.name), "reason": clipped(self.reason)}
        return {**plain, "claims": claims} if claims else plain


def operator(name: str, reason: str, kind: str = "person") -> Actor:
    """Return who acts and why, or refuse what a receipt would have to cut."""
    for noun, text in (("name", name), ("reason", reason)):
        if not text.strip():
            raise UsageError(f"the {noun} is empty", advice="A receipt says who did it, and why.")
        if len(text) > MAX_TEXT:
            raise UsageError(
                f"the {noun} has {len(text)} characters, a receipt keeps {MAX_TEXT}", advice="Say it shorter."
            )
        if any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
            raise UsageError(f"the {noun} is not UTF-8", advice="Write it in UTF-8.")
        if text_size(text) > MAX_TEXT_SIZE:
            raise UsageError(
                f"the {noun} takes {text_size(text)} bytes, a receipt keeps {MAX_TEXT_SIZE}", advice="Say it shorter."
            )
    return Actor(kind, name, reason)


@dataclass(frozen=True, slots=True)
class Draft:
    """An unsigned receipt: its id, the canonical bytes to sign, and the contents that it names and does not hold."""

    id: str
    payload: bytes
    contents: tuple[bytes, ...] = ()


def draft(transition: Transition, verdict: Verdict, policy: Policy, bindings: Bindings, actor: Actor) -> Draft:
    """Return the unsigned receipt of one decision."""
    rollout, said = transition.after, stated_verdict(verdict)
    predicate = {
        **_standings(transition, bindings),
        "promise": promise(policy, rollout),
        "policy": digest_set(rollout.policy_digest),
        "evidence": _evidence(bindings, rollout),
        "engine": {"name": "lockgate", "version": bindings.engine},
        "actor": actor.document(),
        "decidedAt": instant_text(transition.at),
        **({"links": dict(rollout.links)} if rollout.links else {}),
    }
    for findings_room, also_room in ROOMS:
        predicate["decision"] = _decision(transition.decision, also_room)
        predicate["verdict"] = said.document(findings_room)
        payload = canonicalize(_statement_of(_subject(rollout), predicate))
        if len(payload) <= MAX_PAYLOAD_SIZE:
            break
    contents = tuple(said.whole for _ in named_contents(predicate))
    return Draft(receipt_name(rollout.org, rollout.id, bindings.seq), payload, contents)


def _statement_of(subject: Json, predicate: Json) -> dict[str, Json]:
    """Return the statement of a predicate about a subject."""
    return {"_type": STATEMENT_TYPE, "subject": [subject], "predicateType": PREDICATE_TYPE, "predicate": predicate}


def _standings(transition: Transition, bindings: Bindings) -> dict[str, Json]:
    """Return which receipt of which rollout it is, and where that stood and stands."""
    rollout = transition.after
    return {
        "schemaVersion": SCHEMA_VERSION,
        "receiptId": receipt_name(rollout.org, rollout.id, bindings.seq),
        "org": rollout.org,
        "rolloutId": rollout.id,
        "seq": bindings.seq,
        "prevReceipt": None if bindings.previous is None else digest_set(bindings.previous),
        "mode": rollout.mode.value,
        "advisory": rollout.mode is Mode.SHADOW,
        "baseline": {"release": rollout.baseline},
        "candidate": _candidate(rollout),
        "from": _standing(transition.before),
        "to": _standing(rollout),
    }


def promise(policy: Policy, rollout: Rollout) -> dict[str, Json]:
    """Return what the decision's error rates promise, of one attempt each, and on which assumption."""
    sequential, attempt = policy.inference is Inference.SEQUENTIAL, rollout.attempt
    is_excluded = policy.is_judged and all(gate.detect is not None for gate in policy.gates)
    is_promised = sequential and is_excluded and not rollout.has_let_pass
    return {
        "inference": policy.inference.value,
        "promote": policy.promote.value,
        "falseRollback": policy.alpha if sequential else None,
        "falsePromotion": policy.alpha_promote if is_promised else None,
        # Each run is counted by itself, whatever unit it is of.
        "independence": "assumed",
        **({"attempts": attempt} if attempt > 1 else {}),
    }


def _candidate(rollout: Rollout) -> dict[str, Json]:
    digests: dict[str, Json] = {name: {"sha256": sha256} for name, sha256 in rollout.digests}
    named: dict[str, Json] = {"release": rollout.candidate, "attempt": rollout.attempt}
    return {**named, "digests": digests} if digests else named


def _subject(rollout: Rollout) -> dict[str, Json]:
    # A release that is named by its digest is itself the subject: an artefact's verifier looks for exactly that.
    own = _OWN_DIGEST.fullmatch(rollout.candidate)
    named = canonicalize({"app": rollout.app, "release": rollout.candidate})
    sha256 = own[1] if own else hashlib.sha256(named).hexdigest()
    return {"name": f"{rollout.app}@{rollout.candidate}", "digest": {"sha256": sha256}}


def _standing(rollout: Rollout) -> dict[str, Json]:
    return {
        "status": rollout.status.value,
        "step": rollout.step,
        "weight": rollout.exposed_weight,
        "wouldBeWeight": rollout.weight if rollout.mode is Mode.SHADOW else None,
        "revision": rollout.revision,
    }


def _decision(decision: Decision, room: int) -> dict[str, Json]:
    also = [clipped(reason) for reason in decision.also]
    kept = fitting(also, room)
    written = {"reason": clipped(decision.reason), "also": kept, "alsoOmitted": len(also) - len(kept)}
    return {**decision.document(), **written}


def clipped(text: str | None) -> str | None:
    """Return a text as a receipt keeps it."""
    return None if text is None else clipped_text(text, MAX_TEXT, MAX_TEXT_SIZE)


def _evidence(bindings: Bindings, rollout: Rollout) -> dict[str, Json]:
    looks = None if bindings.looks_digest is None else bindings.looks_digest.removeprefix("sha256:")
    listed = hashlib.sha256(canonicalize(list(bindings.buckets))).hexdigest()
    return {
        "stateBefore": digest_set(bindings.state_before),
        "stateAfter": digest_set(bindings.state_after),
        "buckets": {"count": len(bindings.buckets), "sha256": listed},
        "looks": {"count": bindings.looks, "sha256": looks},
        **({} if bindings.lookback is None else {"earlier": bindings.lookback.document()}),
        # Where nobody reads weights back there is nothing to say.
        **({} if rollout.acknowledged is None else {"acknowledgedWeight": rollout.acknowledged}),
    }


def digest_set(digest: str) -> dict[str, Json]:
    """Return a digest as in-toto writes one."""
    return {"sha256": digest.removeprefix("sha256:")}
