# SPDX-License-Identifier: Apache-2.0
"""A receipt, keys that are trusted and a proof come in; what they prove, and what they do not, goes out.

It needs no store, no network and no trust in whoever handed the receipt over: only the keys are trusted.
Whatever is wrong raises a VerifyError with one reason.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from lockgate.core.canonical import Json
from lockgate.core.checkpoint import Checkpoint, read_log_proof
from lockgate.core.envelope import PAYLOAD_TYPE, open_envelope
from lockgate.core.merkle import check_inclusion, leaf_hash
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.statement import Statement, read_statement
from lockgate.core.verdict_text import check_inline_verdict
from lockgate.verify.checkpoint import SignedCheckpoint, refuse_fork, verify_kept, verify_signed_checkpoint
from lockgate.verify.signature import check_signature
from lockgate.verify.trust import Keys


@dataclass(frozen=True, slots=True)
class LogEntry:
    """Where a receipt was proven to stand: in the log of an origin, at an index, in the tree of a size and root."""

    index: int
    signed: SignedCheckpoint

    @property
    def checkpoint(self) -> Checkpoint:
        """Return the origin, size and root."""
        return self.signed.checkpoint


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
            "kind": "receipt",
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


@dataclass(slots=True)
class Checkpoints:
    """The checkpoints that proofs of one call have carried, each of which is verified once."""

    keys: Keys
    kept: Checkpoint | None = None
    growth: bytes | None = None
    _known: dict[bytes, SignedCheckpoint] = field(default_factory=dict)

    def signed(self, note: bytes) -> SignedCheckpoint:
        """Return the checkpoint of a note, if it is signed and of one log with the one that was kept."""
        known = self._known.get(note)
        if known is None:
            known = verify_signed_checkpoint(note, self.keys)
            if self.kept is not None:
                refuse_fork(known.checkpoint, self.kept, self.growth, self.keys)
                known = replace(known, compared=self.kept.size)
            # Proofs of one place share one; more are only remembered, never needed.
            if len(self._known) < _MOST_KNOWN:
                self._known[note] = known
        return known

    def entry(self, envelope: bytes, proof: bytes) -> LogEntry:
        """Return where a proof shows that a receipt stands."""
        read = read_log_proof(proof)
        signed = self.signed(read.checkpoint)
        check_inclusion(leaf_hash(envelope), read.index, signed.checkpoint.tree, read.hashes)
        return LogEntry(read.index, signed)

    def place(self, entry: LogEntry | None) -> int | None:
        """Return the place by which a manifest's key counts: an index of another log is none."""
        is_placed = entry is not None and self.keys.is_of_manifest(entry.checkpoint.origin)
        return entry.index if entry is not None and is_placed else None


_MOST_KNOWN = 16


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
    return verify_held(envelope, proof, checkpoints(keys, checkpoint, growth))


def checkpoints(keys: Keys, kept: bytes | None = None, growth: bytes | None = None) -> Checkpoints:
    """Return what proofs are verified against: the keys, and a checkpoint that the verifier kept."""
    return Checkpoints(keys, None if kept is None else verify_kept(kept, keys), growth)


def verify_held(envelope: bytes, proof: bytes | None, known: Checkpoints) -> Verified:
    """Return what one of many receipts proves, by checkpoints that are verified once for all of them."""
    opened = open_envelope(envelope)
    key = known.keys.receipt_key(opened.key_id)
    check_signature(opened, key)
    if opened.payload_type != PAYLOAD_TYPE:
        raise VerifyError(Reason.PAYLOAD_TYPE, f"the payload is signed as another type than {PAYLOAD_TYPE}")
    statement = read_statement(opened.payload)
    check_inline_verdict(statement.predicate, opened.payload)
    entry = None if proof is None else known.entry(envelope, proof)
    # The key was found by that id, which is therefore its own.
    key_id = opened.key_id
    known.keys.refuse_place(key_id, statement.org, known.place(entry))
    return Verified(
        statement,
        key_id,
        hashlib.sha256(envelope).hexdigest(),
        entry,
        _proven(statement, key_id, entry, known),
        _unproven(statement, key_id, entry, known),
    )


def _proven(statement: Statement, key_id: str, entry: LogEntry | None, known: Checkpoints) -> tuple[str, ...]:
    said = [
        f"The holder of key {key_id} signed exactly this statement.",
        f"It is receipt {statement.seq} of rollout {statement.rollout_id}, by which its id is derived.",
    ]
    if entry is None:
        return tuple(said)
    log, manifest = entry.checkpoint, known.keys.manifest
    said.append(f"It is entry {entry.index} of the log {log.origin}, whose key signed the tree of {log.size}.")
    if manifest is not None and known.place(entry) is not None and known.keys.is_placed(key_id):
        said.append(f"At entry {entry.index} that key counts, by version {manifest.version} of the key manifest.")
    return (*said, *entry.signed.beside())


def _unproven(statement: Statement, key_id: str, entry: LogEntry | None, known: Checkpoints) -> tuple[str, ...]:
    is_placed = known.keys.is_placed(key_id)
    said = [] if is_placed else ["Whose key it is: compare its id with the one that its owner publishes."]
    if entry is None:
        said.append("That it is in the log, and was not withdrawn: no proof of inclusion was given.")
    else:
        said += entry.signed.unproven()
    if is_placed and known.place(entry) is None:
        said.append("That its key counted when it signed: that is by the receipt's place in its log.")
    if statement.previous is not None:
        said.append(f"What the receipt before it says: it is the one with SHA-256 {statement.previous}.")
    said += [
        *known.keys.unproven(),
        "That the decision follows from its evidence, which is bound by digests and was not read here.",
        "When it was: decidedAt is the signer's own clock.",
    ]
    return tuple(said)
