# SPDX-License-Identifier: Apache-2.0
"""A transition with its verdict and evidence comes in; its signed receipt, in the log and with its messages, goes out.

Everything is written in the transaction that is handed in, so that nothing is outside before it is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lockgate import __version__
from lockgate.core.checkpoint import Checkpoint
from lockgate.core.envelope import PAYLOAD_TYPE, Envelope, pre_authentication_encoding
from lockgate.core.merkle import leaf_hash
from lockgate.core.note import Note, NoteKey, sign_line
from lockgate.core.outbox import messages
from lockgate.core.policy.policy import Policy
from lockgate.core.public_key import read_public_key
from lockgate.core.receipt import Actor, Bindings, draft
from lockgate.core.transition import Event, Transition
from lockgate.core.trial import Chain
from lockgate.core.vault import Receipt
from lockgate.core.verdict.verdict import Verdict
from lockgate.ports import House, Signer, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a receipt says and binds: `state` is the digest of the folded state, `bucket` the last number in it."""

    transition: Transition
    verdict: Verdict
    policy: Policy
    actor: Actor
    chain: Chain
    state: str
    bucket: int
    events: Sequence[Event]


def record(work: Transaction, house: House, entry: Entry) -> Chain:
    """Write the receipt of a decision, its place in the log and its messages; return the chain that ends in it."""
    transition, chain = entry.transition, entry.chain
    rollout = transition.after
    bindings = Bindings(
        seq=chain.seq + 1,
        previous=chain.receipt,
        state_before=chain.state,
        state_after=entry.state,
        buckets=work.folded(rollout.id, chain.bucket),
        looks=chain.looks,
        looks_digest=chain.looks_digest,
        engine=__version__,
    )
    drafted = draft(transition, entry.verdict, entry.policy, bindings, entry.actor)
    tree = work.tree()
    receipt = Receipt(
        id=drafted.id,
        rollout_id=rollout.id,
        seq=bindings.seq,
        revision=rollout.revision,
        action=transition.decision.action.value,
        cause=transition.decision.cause.value,
        at=transition.at,
        index=tree.size,
        envelope=_signed(drafted.payload, house.signers.receipt),
    )
    grown, nodes = tree.append(leaf_hash(receipt.envelope))
    origin = _origin(work, house)
    work.append(receipt, nodes, _noted(Checkpoint(origin, grown.size, grown.root), house.signers.log))
    for message in messages(transition, receipt, entry.events):
        work.put_message(message)
    return Chain(state=entry.state, seq=receipt.seq, receipt=receipt.digest, at=transition.at, bucket=entry.bucket)


def _signed(payload: bytes, signer: Signer) -> bytes:
    signature = signer.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    return Envelope(PAYLOAD_TYPE, payload, signer.key_id, signature).encode()


def _noted(checkpoint: Checkpoint, signer: Signer) -> bytes:
    body = checkpoint.body()
    key = NoteKey(checkpoint.origin, read_public_key(signer.public_key_pem).raw)
    return Note(body, (sign_line(key, signer.sign(body.encode("utf-8"))),)).encode()


def _origin(work: Transaction, house: House) -> str:
    """Return the name of the log: that of its first checkpoint, whichever key signs later ones."""
    latest = work.checkpoint()
    if latest is not None:
        return latest.split(b"\n", 1)[0].decode("utf-8")
    return f"lockgate/{house.org}/{house.signers.log.key_id[:16]}"
