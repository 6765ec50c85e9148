# SPDX-License-Identifier: Apache-2.0
"""Signed checkpoints of a log come in; who signed them, and whether they are of one log, goes out, or a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lockgate.core.canonical import Json
from lockgate.core.checkpoint import Checkpoint, read_checkpoint, read_log_growth
from lockgate.core.cosignature import SIGNATURE_SIZE, WitnessKey, cosigned_message, read_cosignature
from lockgate.core.instant import SECOND, instant_text
from lockgate.core.merkle import check_consistency
from lockgate.core.note import Note, NoteKey, NoteSignature, read_note
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.witness_policy import WitnessPolicy
from lockgate.verify.signature import is_signed
from lockgate.verify.trust import Keys

# Proofs that were made together carry one checkpoint: of many receipts in turn each is then looked at once.
_is_signed = lru_cache(maxsize=64)(is_signed)
# 9999-12-31T23:59:59Z: a witness may sign later ones.
_LAST_SECOND = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Witnessed:
    """By whom a checkpoint was cosigned, and when by that witness's own clock, in seconds since 1970."""

    name: str
    time: int

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {"name": self.name, "time": self.text}

    @property
    def text(self) -> str:
        """Return the time as RFC 3339, or in seconds where no calendar has it."""
        return instant_text(self.time * SECOND) if self.time <= _LAST_SECOND else f"{self.time} s"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that a trusted key of its log signed, and the trusted witnesses that cosigned it.

    `unread` counts the signatures of others, which were left out; `compared` is the size of a checkpoint from before.
    """

    checkpoint: Checkpoint
    witnessed: tuple[Witnessed, ...] = ()
    unread: int = 0
    compared: int | None = None

    def proven(self) -> tuple[str, ...]:
        """Return in words what is known of it."""
        log = self.checkpoint
        return (f"The key of the log {log.origin} signed its tree of {log.size}.", *self.beside())

    def beside(self) -> tuple[str, ...]:
        """Return in words what is known besides who signed it: who saw it, and what it was compared with."""
        said = []
        if self.witnessed:
            names = ", ".join(f"{each.name} ({each.text})" for each in self.witnessed)
            said.append(f"Witnesses had seen that tree grow from every one that they saw before: {names}.")
        if self.compared is not None:
            said.append(f"That log and the one of the kept checkpoint, of {self.compared}, are one.")
        return tuple(said)

    def unproven(self) -> tuple[str, ...]:
        """Return in words what is left open."""
        said = []
        if not self.witnessed:
            said.append(
                "That the log shows everybody the same tree: keep its checkpoints and compare."
                if self.compared is None
                else "That the log shows others the tree that it shows to whoever kept that checkpoint: compare theirs."
            )
        if self.unread:
            others = "signature of a key" if self.unread == 1 else "signatures of keys"
            said.append(f"Who else signed the checkpoint: {self.unread} {others} that you did not name.")
        return tuple(said)

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        log = self.checkpoint
        return {
            "valid": True,
            "kind": "checkpoint",
            "log": {"origin": log.origin, "size": log.size, "root": log.root.hex()},
            "witnesses": [each.document() for each in self.witnessed],
            "proven": list(self.proven()),
            "unproven": list(self.unproven()),
        }


def verify_checkpoint(note: bytes, log_keys: Sequence[NoteKey]) -> Checkpoint:
    """Return the checkpoint of a signed note, if a trusted key of its origin signed it.

    Lines of keys that are not trusted are left out, as C2SP demands, so that a log can change its key.
    """
    return verify_signed_checkpoint(note, Keys(log=tuple(log_keys))).checkpoint


def verify_signed_checkpoint(note: bytes, keys: Keys) -> SignedCheckpoint:
    """Return the checkpoint of a signed note with its witnesses, if it has as many as the policy of witnesses wants."""
    read = read_note(note)
    checkpoint = read_checkpoint(read.body)
    counting = keys.log_keys(checkpoint.origin, checkpoint.size)
    _refuse_place(read, counting, keys.listed_log_keys(checkpoint.origin), checkpoint.size)
    verify_note(read, counting)
    witnessed = _witnessed(read, keys.witnesses)
    known = {(key.name, key.key_hash) for key in counting} | {
        (each.key.name, each.key.key_hash) for each in keys.witnesses.witnesses
    }
    unread = sum((line.name, line.key_hash) not in known for line in read.signatures)
    return SignedCheckpoint(checkpoint, witnessed, unread)


def verify_newer_checkpoint(
    note: bytes, keys: Keys, kept: bytes | None = None, growth: bytes | None = None
) -> SignedCheckpoint:
    """Return a checkpoint, if it is of one log with the one that the verifier kept from before."""
    signed = verify_signed_checkpoint(note, keys)
    if kept is None:
        return signed
    older = verify_kept(kept, keys)
    refuse_fork(signed.checkpoint, older, growth, keys)
    return replace(signed, compared=older.size)


def verify_kept(note: bytes, keys: Keys) -> Checkpoint:
    """Return a checkpoint that the verifier kept from before, which needs no witness to be compared with."""
    return verify_signed_checkpoint(note, keys.for_comparison()).checkpoint


def logged_note(note: bytes) -> bytes:
    """Return a checkpoint as its log signed it, without what witnesses signed later: that is what is timestamped."""
    read = read_note(note)
    return Note(read.body, tuple(line for line in read.signatures if len(line.signature) == SIGNATURE_SIZE)).encode()


def is_cosigned(key: WitnessKey, line: NoteSignature, body: str) -> bool:
    """Say whether a line is a witness's cosignature of a checkpoint; one of another form is a VerifyError."""
    said = read_cosignature(line)
    return key.is_of(line) and is_signed(key.raw, said.signature, cosigned_message(body, said.time))


def verify_note(note: Note, keys: Sequence[NoteKey]) -> None:
    """Refuse a note that no trusted key signed, or whose line of a trusted key is not that key's signature."""
    trusted = {(key.name, key.key_hash): key for key in keys}
    lines = [line for line in note.signatures if (line.name, line.key_hash) in trusted]
    if not lines:
        raise VerifyError(Reason.CHECKPOINT_UNSIGNED, "no trusted key of that origin signed the checkpoint")
    for line in lines:
        if not _is_signed(trusted[line.name, line.key_hash].raw, line.signature, note.body.encode("utf-8")):
            raise VerifyError(Reason.CHECKPOINT_SIGNATURE, "the checkpoint's signature is not of its key and text")


def refuse_fork(shown: Checkpoint, kept: Checkpoint, growth: bytes | None, keys: Keys) -> None:
    """Refuse two checkpoints that are not proven to be of one log, the larger of which begins with the smaller."""
    if shown.origin != kept.origin:
        raise VerifyError(Reason.FORK, f"the proof is of the log {shown.origin}, the kept checkpoint of {kept.origin}")
    if shown.size == kept.size and shown.root != kept.root:
        raise VerifyError(
            Reason.FORK,
            f"the log {kept.origin} has shown two different trees of the size {kept.size:,}",
            advice="Keep both checkpoints: together they prove that its owner signed both.",
        )
    if shown.size != kept.size:
        _check_growth(shown, kept, growth, keys)


def _check_growth(found: Checkpoint, kept: Checkpoint, growth: bytes | None, keys: Keys) -> None:
    """Refuse two checkpoints of different sizes unless the larger tree is proven to begin with the smaller."""
    older, newer = sorted((found, kept), key=lambda each: each.size)
    if growth is None:
        raise VerifyError(
            Reason.GROWTH_MISSING,
            f"nothing proves that the trees of the sizes {older.size:,} and {newer.size:,} are one log",
            advice="`lockgate receipts ID --save FOLDER --since-checkpoint KEPT`, where the log is, writes that proof; "
            "hand it over with --consistency.",
        )
    read = read_log_growth(growth)
    shown = verify_signed_checkpoint(read.checkpoint, keys.for_comparison()).checkpoint
    if read.size != older.size or shown != newer:
        raise VerifyError(
            Reason.CONSISTENCY,
            f"the proof of consistency is not of the trees of the sizes {older.size:,} and {newer.size:,}",
            advice="Take proof and receipt from one folder, and name the checkpoint that it was written since.",
        )
    check_consistency(older.tree, newer.tree, read.hashes)


def _refuse_place(note: Note, counting: Sequence[NoteKey], former: Sequence[NoteKey], size: int) -> None:
    """Refuse a checkpoint that only a key signed whose place in the log is another, by that reason."""
    names = {(line.name, line.key_hash) for line in note.signatures}
    if any((key.name, key.key_hash) in names for key in counting):
        return
    if any((key.name, key.key_hash) in names for key in former):
        raise VerifyError(
            Reason.LOG_KEY_PLACE,
            f"the key that signed the checkpoint does not count for a tree of the size {size:,}, or was revoked",
            advice="Have it handed over anew: the key of the log that signs now signs for all its entries.",
        )


def _witnessed(note: Note, policy: WitnessPolicy) -> tuple[Witnessed, ...]:
    """Return the trusted witnesses that cosigned a note; one line of theirs that is not their signature is refused."""
    found: list[Witnessed] = []
    for line in note.signatures:
        witness = next((each for each in policy.witnesses if each.key.is_of(line)), None)
        if witness is None:
            continue
        said = read_cosignature(line)
        if not is_cosigned(witness.key, line, note.body):
            raise VerifyError(Reason.COSIGNATURE, f"the cosignature of {witness.name} is not of its key and checkpoint")
        found.append(Witnessed(witness.name, said.time))
    if not policy.is_met({each.name for each in found}):
        had = ", ".join(each.name for each in found) or "none"
        raise VerifyError(
            Reason.WITNESS_QUORUM,
            f"of the witnesses that you trust too few cosigned the checkpoint: {had}",
            advice="Fetch a later checkpoint, when the witnesses have answered.",
        )
    return tuple(found)
