# SPDX-License-Identifier: Apache-2.0
"""A receipt, keys that are trusted and a proof come in; what they prove, and what they do not, goes out.

It needs no store, no network and no trust in whoever handed the receipt over: only the keys are trusted.
Whatever is wrong raises a VerifyError with one reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lockgate.core.canonical import Json
from lockgate.core.checkpoint import Checkpoint, read_checkpoint, read_log_growth, read_log_proof
from lockgate.core.envelope import PAYLOAD_TYPE, Envelope, open_envelope
from lockgate.core.merkle import check_consistency, check_inclusion, leaf_hash
from lockgate.core.note import Note, NoteKey, read_note, read_note_key
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.statement import Statement, read_statement

__all__ = [
    "Keys",
    "LogEntry",
    "Reason",
    "Verified",
    "VerifyError",
    "is_signed",
    "read_note_key",
    "read_public_key",
    "verify_chain",
    "verify_checkpoint",
    "verify_growth",
    "verify_note",
    "verify_receipt",
]

# RFC 8032 section 5.1: the order of the group. A signature with S + ORDER would be a second one over the same bytes.
_ORDER = 2**252 + 27742317777372353535851937790883648493


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that the verifier trusts: those of receipts, and those of logs."""

    receipt: tuple[PublicKey, ...]
    log: tuple[NoteKey, ...] = ()


@dataclass(frozen=True, slots=True)
class LogEntry:
    """Where a receipt was proven to stand: in the log of an origin, at an index, in the tree of a size and root."""

    index: int
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Verified:
    """A receipt that verifies: its statement, and in words what that proves and what it leaves open."""

    statement: Statement
    key_id: str
    sha256: str
    entry: LogEntry | None
    proven: tuple[str, ...]
    unproven: tuple[str, ...]

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        entry = self.entry
        return {
            "valid": True,
            # The rollout's, as in every other document; of what was done to an app the app's own series.
            "id": self.statement.rollout_id,
            "receiptId": self.statement.receipt_id,
            "sha256": self.sha256,
            "keyId": self.key_id,
            "log": None
            if entry is None
            else {"origin": entry.checkpoint.origin, "size": entry.checkpoint.size, "index": entry.index},
            "proven": list(self.proven),
            "unproven": list(self.unproven),
            "predicate": self.statement.predicate,
        }


def verify_receipt(
    envelope: bytes,
    keys: Keys,
    proof: bytes | None = None,
    checkpoint: bytes | None = None,
    growth: bytes | None = None,
) -> Verified:
    """Return what a receipt proves.

    `proof` is a tlog-proof, which carries its own checkpoint.
    `checkpoint` is one that the verifier kept from before: a log that shows another root at its size is refused, and
    so is one of another size unless `growth` proves that the larger of the two trees begins with the smaller.
    """
    opened = open_envelope(envelope)
    key = _verify_signature(opened, keys.receipt)
    if opened.payload_type != PAYLOAD_TYPE:
        raise VerifyError(Reason.PAYLOAD_TYPE, f"the payload is signed as another type than {PAYLOAD_TYPE}")
    statement = read_statement(opened.payload)
    entry = None if proof is None else _verify_entry(envelope, proof, keys.log)
    kept = None if checkpoint is None else verify_checkpoint(checkpoint, keys.log)
    if entry is not None and kept is not None:
        _refuse_fork(entry.checkpoint, kept, growth, keys.log)
    return Verified(
        statement,
        key.key_id,
        hashlib.sha256(envelope).hexdigest(),
        entry,
        _proven(statement, key, entry, kept),
        _unproven(statement, entry, kept),
    )


def verify_chain(envelopes: Sequence[bytes], keys: Keys) -> tuple[Verified, ...]:
    """Return what the receipts of one rollout prove, if they begin at its first and none between them is missing."""
    chain: list[Verified] = []
    for envelope in envelopes:
        link = verify_receipt(envelope, keys)
        _refuse_gap(chain, link)
        chain.append(link)
    return tuple(chain)


def _refuse_gap(chain: Sequence[Verified], link: Verified) -> None:
    said, before = link.statement, chain[-1] if chain else None
    if said.seq != len(chain) + 1:
        raise VerifyError(Reason.CHAIN, f"receipt {len(chain) + 1} is missing: receipt {said.seq} stands in its place")
    if before is None:
        return
    if (said.org, said.rollout_id) != (before.statement.org, before.statement.rollout_id):
        raise VerifyError(Reason.CHAIN, f"receipt {said.seq} is of another rollout, {said.rollout_id}")
    if said.previous != before.sha256:
        raise VerifyError(Reason.CHAIN, f"receipt {said.seq} names another receipt {before.statement.seq} before it")


def verify_checkpoint(note: bytes, log_keys: Sequence[NoteKey]) -> Checkpoint:
    """Return the checkpoint of a signed note, if a trusted key of its origin signed it.

    Lines of keys that are not trusted are left out, as C2SP demands, so that a log can change its key.
    """
    read = read_note(note)
    checkpoint = read_checkpoint(read.body)
    verify_note(read, [key for key in log_keys if key.name == checkpoint.origin])
    return checkpoint


def verify_note(note: Note, keys: Sequence[NoteKey]) -> None:
    """Refuse a note that no trusted key signed, or whose line of a trusted key is not that key's signature."""
    trusted = {(key.name, key.key_hash): key for key in keys}
    lines = [line for line in note.signatures if (line.name, line.key_hash) in trusted]
    if not lines:
        raise VerifyError(Reason.CHECKPOINT_UNSIGNED, "no trusted key of that origin signed the checkpoint")
    for line in lines:
        if not is_signed(trusted[line.name, line.key_hash].raw, line.signature, note.body.encode("utf-8")):
            raise VerifyError(Reason.CHECKPOINT_SIGNATURE, "the checkpoint's signature is not of its key and text")


def verify_growth(old: bytes, new: bytes, proof: Sequence[bytes], log_keys: Sequence[NoteKey]) -> Checkpoint:
    """Return the newer of two checkpoints, if the log at it begins with everything that it held at the older."""
    before, after = verify_checkpoint(old, log_keys), verify_checkpoint(new, log_keys)
    if before.origin != after.origin:
        raise VerifyError(Reason.FORK, f"{before.origin} and {after.origin} are two logs")
    check_consistency(before.tree, after.tree, proof)
    return after


def _verify_signature(envelope: Envelope, keys: Sequence[PublicKey]) -> PublicKey:
    key = next((key for key in keys if key.key_id == envelope.key_id), None)
    if key is None:
        raise VerifyError(
            Reason.KEY_UNKNOWN,
            f"the receipt names key {envelope.key_id}, which is not among those given",
            advice="Fetch that key from where its owner publishes it, and compare its id there.",
        )
    if int.from_bytes(envelope.signature[32:], "little") >= _ORDER:
        raise VerifyError(Reason.SIGNATURE_MALLEATED, "the signature is a second form of another one")
    if not is_signed(key.raw, envelope.signature, envelope.signed_bytes()):
        raise VerifyError(Reason.SIGNATURE, "the signature is not of this key and payload: one of them was changed")
    return key


def is_signed(raw: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether a signature is that of an Ed25519 key over a message."""
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _verify_entry(envelope: bytes, proof: bytes, log_keys: Sequence[NoteKey]) -> LogEntry:
    read = read_log_proof(proof)
    checkpoint = verify_checkpoint(read.checkpoint, log_keys)
    check_inclusion(leaf_hash(envelope), read.index, checkpoint.tree, read.hashes)
    return LogEntry(read.index, checkpoint)


def _refuse_fork(shown: Checkpoint, kept: Checkpoint, growth: bytes | None, log_keys: Sequence[NoteKey]) -> None:
    if shown.origin != kept.origin:
        raise VerifyError(Reason.FORK, f"the proof is of the log {shown.origin}, the kept checkpoint of {kept.origin}")
    if shown.size == kept.size and shown.root != kept.root:
        raise VerifyError(
            Reason.FORK,
            f"the log {kept.origin} has shown two different trees of {kept.size} entries",
            advice="Keep both checkpoints: together they prove that its owner signed both.",
        )
    if shown.size != kept.size:
        _check_growth(shown, kept, growth, log_keys)


def _check_growth(shown: Checkpoint, kept: Checkpoint, growth: bytes | None, log_keys: Sequence[NoteKey]) -> None:
    """Refuse two checkpoints of different sizes unless the larger tree is proven to begin with the smaller."""
    older, newer = sorted((shown, kept), key=lambda each: each.size)
    if growth is None:
        raise VerifyError(
            Reason.GROWTH_MISSING,
            f"nothing proves that the trees of {older.size} and {newer.size} entries are one log",
            advice="`lockgate receipts ID --save FOLDER --since-checkpoint KEPT`, where the log is, writes that proof; "
            "hand it over with --consistency.",
        )
    read = read_log_growth(growth)
    if read.size != older.size or verify_checkpoint(read.checkpoint, log_keys) != newer:
        raise VerifyError(
            Reason.CONSISTENCY,
            f"the proof of consistency is not of the trees of {older.size} and {newer.size} entries",
            advice="Take proof and receipt from one folder, and name the checkpoint that it was written since.",
        )
    check_consistency(older.tree, newer.tree, read.hashes)


def _proven(statement: Statement, key: PublicKey, entry: LogEntry | None, kept: Checkpoint | None) -> tuple[str, ...]:
    said = [
        f"The holder of key {key.key_id} signed exactly this statement.",
        f"It is receipt {statement.seq} of rollout {statement.rollout_id}, by which its id is derived.",
    ]
    if entry is not None:
        log = entry.checkpoint
        said.append(f"It is entry {entry.index} of the log {log.origin}, whose key signed the tree of {log.size}.")
    if entry is not None and kept is not None:
        said.append(f"That log and the one of the kept checkpoint, of {kept.size}, are one.")
    return tuple(said)


def _unproven(statement: Statement, entry: LogEntry | None, kept: Checkpoint | None) -> tuple[str, ...]:
    said = ["Whose key it is: compare its id with the one that its owner publishes."]
    if entry is None:
        said.append("That it is in the log, and was not withdrawn: no proof of inclusion was given.")
    elif kept is None:
        said.append("That the log shows everybody the same tree: keep its checkpoints and compare.")
    if statement.previous is not None:
        said.append(f"What the receipt before it says: it is the one with SHA-256 {statement.previous}.")
    said += [
        "That the decision follows from its evidence, which is bound by digests and was not read here.",
        "When it was: decidedAt is the signer's own clock.",
    ]
    return tuple(said)
