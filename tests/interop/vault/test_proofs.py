# SPDX-License-Identifier: Apache-2.0
"""Proofs and checkpoints of real logs, and changes of them, come in; sigstore's code and OpenSSL must say as we do."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lockgate.core.checkpoint import LogProof, read_log_proof
from lockgate.core.note import Note, read_note
from lockgate.core.public_key import PublicKey
from lockgate.core.refusal import Reason, VerifyError
from lockgate.verify import verify_receipt
from tests.interop.routers import part
from tests.interop.vault.rollouts import promoted, rolled_back
from tests.interop.vault.tampers import OTHER, flipped
from tests.interop.vault.tools import asking, shell

pytestmark = pytest.mark.interop
Pair = tuple[bytes, bytes]
# As docs/howto/audit.md says it: everything before the empty line, with its line break, is what the log's key signed.
CHECKPOINT = """
sed '/^$/,$d' checkpoint.txt > note.txt
sed -n 's/^— [^ ]* //p' checkpoint.txt | base64 -d | tail -c +5 > sig.bin
openssl pkeyutl -verify -pubin -inkey log.pem -rawin -in note.txt -sigfile sig.bin
"""


def sigstore(pairs: Sequence[Pair]) -> list[bool]:
    """Say which receipts sigstore's code finds in the log."""
    with asking("proofs.mjs", promoted().log.text) as asked:
        return [asked(*pair) for pair in pairs]


def proof(changed: Callable[[LogProof], LogProof]) -> Callable[[Pair], Pair]:
    """Return the change of a proof's own fields."""
    return lambda pair: (pair[0], changed(read_log_proof(pair[1])).encode())


def note(changed: Callable[[Note], Note]) -> Callable[[Pair], Pair]:
    """Return the change of the checkpoint within a proof."""

    def change(old: LogProof) -> LogProof:
        return LogProof(old.index, old.hashes, changed(read_note(old.checkpoint)).encode())

    return proof(change)


def resigned(old: Note) -> Note:
    """Return the note with the signature of somebody else."""
    (line,) = old.signatures
    return Note(old.body, (type(line)(line.name, line.key_hash, OTHER.sign(old.body.encode())),))


def line_of(old: Note, number: int, text: str) -> Note:
    """Return the note with another line."""
    lines = old.body.split("\n")
    lines[number] = text
    return Note("\n".join(lines), old.signatures)


def root_of(old: Note) -> Note:
    """Return the note with a bit of its root changed."""
    root = b64decode(old.body.split("\n")[2])
    return line_of(old, 2, b64encode(flipped(root, 5)).decode())


CHANGES: dict[str, tuple[Callable[[Pair], Pair], Reason]] = {
    "one byte more in the receipt": (lambda pair: (pair[0] + b" ", pair[1]), Reason.ENVELOPE_NOT_CANONICAL),
    "another receipt": (lambda pair: (promoted().envelopes[0], pair[1]), Reason.INCLUSION),
    "another index": (proof(lambda old: LogProof(old.index - 1, old.hashes, old.checkpoint)), Reason.INCLUSION),
    "an index past the end": (proof(lambda old: LogProof(99, old.hashes, old.checkpoint)), Reason.INCLUSION),
    "a hash less": (proof(lambda old: LogProof(old.index, old.hashes[1:], old.checkpoint)), Reason.INCLUSION),
    "a hash more": (
        proof(lambda old: LogProof(old.index, (*old.hashes, bytes(32)), old.checkpoint)),
        Reason.INCLUSION,
    ),
    "a bit of a hash": (
        proof(lambda old: LogProof(old.index, (flipped(old.hashes[0], 3), *old.hashes[1:]), old.checkpoint)),
        Reason.INCLUSION,
    ),
    "the hashes in another order": (
        proof(lambda old: LogProof(old.index, old.hashes[::-1], old.checkpoint)),
        Reason.INCLUSION,
    ),
    "another size": (note(lambda old: line_of(old, 1, "12")), Reason.CHECKPOINT_SIGNATURE),
    "another root": (note(root_of), Reason.CHECKPOINT_SIGNATURE),
    "another origin": (note(lambda old: line_of(old, 0, "elsewhere.example/log")), Reason.CHECKPOINT_UNSIGNED),
    "signed by another key": (note(resigned), Reason.CHECKPOINT_SIGNATURE),
    "the checkpoint of another log": (
        proof(lambda old: LogProof(old.index, old.hashes, rolled_back().checkpoint)),
        Reason.CHECKPOINT_UNSIGNED,
    ),
    "no signature": (lambda pair: (pair[0], pair[1].rpartition(b"\n\n")[0] + b"\n\n"), Reason.NOTE_SHAPE),
}


def given() -> Pair:
    """Return a receipt with its proof."""
    return promoted().envelopes[-1], promoted().proofs[-1]


@pytest.mark.clause("IO-06")
def test_sigstore_finds_our_receipts_in_the_log() -> None:
    """Each receipt of a rollout, by the code that reads Rekor's proofs and checkpoints."""
    pairs = list(zip(promoted().envelopes, promoted().proofs, strict=True))

    assert sigstore(pairs) == [True] * len(pairs)


@pytest.mark.clause("IO-06")
def test_sigstore_finds_no_changed_receipt_in_the_log() -> None:
    """Each change of receipt, path, size, root and signature is refused."""
    said = sigstore([change(given()) for change, _ in CHANGES.values()])

    assert dict(zip(CHANGES, said, strict=True)) == dict.fromkeys(CHANGES, False)


@pytest.mark.clause("IO-06")
@pytest.mark.parametrize("name", CHANGES)
def test_we_refuse_each_change_of_a_proof_by_its_reason(name: str) -> None:
    """What sigstore refuses we refuse too, and say why."""
    change, reason = CHANGES[name]
    envelope, changed = change(given())

    with pytest.raises(VerifyError) as refused:
        verify_receipt(envelope, promoted().keys, changed)

    assert refused.value.reason is reason


@pytest.mark.clause("IO-07")
@pytest.mark.parametrize("change", [None, "another size", "another root", "another origin", "signed by another key"])
def test_openssl_reads_the_signature_of_a_checkpoint(change: str | None, tmp_path: Path) -> None:
    """The text before the empty line is what the log's key signed, and no other text is."""
    part("openssl")
    pair = given() if change is None else CHANGES[change][0](given())
    (tmp_path / "checkpoint.txt").write_bytes(read_log_proof(pair[1]).checkpoint)
    (tmp_path / "log.pem").write_bytes(PublicKey(promoted().log.raw).pem)

    ran = shell(CHECKPOINT, tmp_path)

    assert (ran.returncode == 0) is (change is None)
    assert ("Signature Verified Successfully" in ran.stdout) is (change is None)
