# SPDX-License-Identifier: Apache-2.0
"""Receipts, a key manifest and witnesses come in; a key counts at its places of the log and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lockgate.core.checkpoint import LogGrowth, read_log_proof
from lockgate.core.cosignature import Cosignature, WitnessKey, cosigned_message
from lockgate.core.key_manifest import SignedManifest
from lockgate.core.listed_key import ListedKey, Status, Use
from lockgate.core.manifest_body import KeyManifest
from lockgate.core.merkle import plan_consistency
from lockgate.core.note import Note, NoteKey, read_note, sign_line
from lockgate.core.public_key import PublicKey
from lockgate.core.witness_policy import Group, Witness, WitnessPolicy
from lockgate.testing.signers import SeededSigner
from lockgate.verify import (
    Keys,
    Reason,
    VerifyError,
    read_public_key,
    verify_manifest,
    verify_newer_checkpoint,
    verify_receipt,
    verify_rollout,
    verify_signed_checkpoint,
)
from lockgate.verify.rollout import Held
from tests.spec.signed import KEYS, LOG, ORIGIN, RECEIPTS, VAULT

ROOT = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
ROOT_KEY = PublicKey(ROOT.public_key().public_bytes_raw())
RECEIPT_KEY = ListedKey(key=KEYS.receipt[0], use=Use.RECEIPT, status=Status.ACTIVE, first=0)
LOG_KEY = ListedKey(key=PublicKey(KEYS.log[0].raw), use=Use.LOG, status=Status.ACTIVE, first=0)
WITNESSES = {name: Ed25519PrivateKey.from_private_bytes(name.encode() * 32) for name in ("x", "y", "z")}


def manifest(*keys: ListedKey) -> KeyManifest:
    """Return a manifest of keys."""
    return KeyManifest(
        version=3,
        previous="0" * 64,
        org="default",
        origin=ORIGIN,
        roots=(ROOT_KEY,),
        threshold=1,
        keys=keys or (RECEIPT_KEY, LOG_KEY),
    )


def by(**members: Any) -> Keys:
    """Return keys of a manifest whose receipt key has other members."""
    return Keys(manifest=manifest(replace(RECEIPT_KEY, **members), LOG_KEY))


def refusal(index: int, keys: Keys, *, is_proven: bool = True) -> Reason:
    """Return why a receipt of the sample is refused."""
    with pytest.raises(VerifyError) as refused:
        verify_receipt(VAULT.entries[index], keys, VAULT.proof(index) if is_proven else None)
    return refused.value.reason


def cosigned(note: bytes, *names: str, time: int = 1_770_000_000) -> bytes:
    """Return a checkpoint with the cosignatures of some witnesses."""
    read = read_note(note)
    lines = [
        Cosignature(time, WITNESSES[name].sign(cosigned_message(read.body, time))).line(witness(name).key)
        for name in names
    ]
    return Note(read.body, (*read.signatures, *lines)).encode()


def witness(name: str) -> Witness:
    """Return a witness as a policy names it."""
    return Witness(name, WitnessKey(f"witness.example/{name}", WITNESSES[name].public_key().public_bytes_raw()))


def trusting(*names: str, least: int) -> Keys:
    """Return the sample's keys, with witnesses of which so many must have cosigned."""
    policy = WitnessPolicy(
        witnesses=tuple(map(witness, names)), groups={"all-of-them": Group(least, names)}, quorum="all-of-them"
    )
    return replace(KEYS, witnesses=policy)


@pytest.mark.clause("VF-10")
def test_a_key_of_the_manifest_counts_at_its_places() -> None:
    """The manifest is enough to trust a receipt and its log, and the answer says by which version of it."""
    first = verify_receipt(VAULT.entries[1], by(status=Status.RETIRED, last=1), VAULT.proof(1))

    assert "At entry 1 that key counts, by version 3 of the key manifest." in first.proven
    assert not any(sentence.startswith("Whose key") for sentence in first.unproven)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"status": Status.RETIRED, "last": 1}, Reason.KEY_EXPIRED),
        ({"status": Status.REVOKED, "last": 1}, Reason.KEY_REVOKED),
        ({"first": 3}, Reason.KEY_TOO_EARLY),
    ],
)
@pytest.mark.clause("VF-10")
def test_a_key_does_not_count_elsewhere(members: dict[str, object], reason: Reason) -> None:
    """A key that was retired, revoked or not yet in use at the receipt's place is refused, each by its own reason."""
    assert refusal(2, by(**members)) is reason


@pytest.mark.clause("VF-10")
def test_a_key_that_is_trusted_by_itself_counts_everywhere() -> None:
    """Who names a key's file trusts it, whatever a manifest says besides."""
    keys = Keys(receipt=KEYS.receipt, manifest=by(status=Status.RETIRED, last=1).manifest)

    assert verify_receipt(VAULT.entries[2], keys, VAULT.proof(2)).key_id == KEYS.receipt[0].key_id


@pytest.mark.clause("VF-72")
def test_a_key_that_the_manifest_revokes_does_not_count_by_its_file_either() -> None:
    """Whoever names a stolen key's file beside the manifest that revokes it does not pass its revocation over."""
    revoked = replace(RECEIPT_KEY, status=Status.REVOKED, last=1)
    keys = replace(KEYS, manifest=manifest(revoked, LOG_KEY))

    found = verify_receipt(VAULT.entries[1], keys, VAULT.proof(1))

    assert "At entry 1 that key counts, by version 3 of the key manifest." in found.proven
    assert refusal(2, keys) is Reason.KEY_REVOKED
    assert refusal(1, keys, is_proven=False) is Reason.KEY_REVOKED


@pytest.mark.clause("VF-72", "KY-60")
@pytest.mark.parametrize("size", [1, 4, 5])
def test_a_log_key_that_the_manifest_revokes_signs_no_checkpoint_of_any_size(size: int) -> None:
    """Its thief chooses the size, so that a place proves nothing; nor does the key count by its file."""
    listed = manifest(RECEIPT_KEY, replace(LOG_KEY, status=Status.REVOKED, last=3))

    for keys in (replace(KEYS, manifest=listed), Keys(manifest=listed)):
        with pytest.raises(VerifyError) as refused:
            verify_signed_checkpoint(VAULT.checkpoint(size), keys)
        assert refused.value.reason is Reason.LOG_KEY_PLACE


@pytest.mark.clause("KY-60")
def test_what_was_kept_before_the_key_was_revoked_is_still_compared_with() -> None:
    """A kept checkpoint only refuses more, so that one which the revoked key signed at its places is read."""
    other = SeededSigner("the next key of the log")
    key = read_public_key(other.public_key_pem)
    next_key = ListedKey(key=key, use=Use.LOG, status=Status.ACTIVE, first=4)
    keys = Keys(manifest=manifest(RECEIPT_KEY, replace(LOG_KEY, status=Status.REVOKED, last=3), next_key))
    body = read_note(VAULT.checkpoint()).body
    note = Note(body, (sign_line(NoteKey(ORIGIN, key.raw), other.sign(body.encode())),)).encode()
    growth = [LogGrowth(size, tuple(plan_consistency(size, 5).hashes(VAULT.kept)), note).encode() for size in (3, 4)]

    for size, proof in zip((3, 4), growth, strict=True):
        assert verify_newer_checkpoint(note, keys, VAULT.checkpoint(size), proof).compared == size
    with pytest.raises(VerifyError) as refused:
        verify_newer_checkpoint(note, keys, VAULT.checkpoint(5))

    assert refused.value.reason is Reason.LOG_KEY_PLACE


@pytest.mark.clause("VF-72")
def test_keys_are_said_to_count_by_the_manifest_only_where_it_lists_them_all() -> None:
    """A key that somebody named by its file counts by that, and a manifest says nothing of it."""
    other = SeededSigner("another")
    elsewhere = replace(RECEIPT_KEY, key=read_public_key(other.public_key_pem))
    held = [Held("r1", VAULT.entries[0], VAULT.proof(0))]

    by_file = verify_rollout(held, replace(KEYS, manifest=manifest(elsewhere, LOG_KEY)))
    by_manifest = verify_rollout(held, by())

    counts = "Each key counts where it signed, by version 3 of the key manifest."
    assert (counts in by_file.proven, counts in by_manifest.proven) == (False, True)


@pytest.mark.clause("VF-73")
def test_that_a_later_manifest_may_revoke_is_left_open() -> None:
    """Whoever hands over an old manifest hides what a later one revokes."""
    open_ = "That no later version of the key manifest than 3 exists: it may revoke a key."
    held = [Held("r1", VAULT.entries[0], VAULT.proof(0))]

    assert open_ in verify_receipt(VAULT.entries[0], by(), VAULT.proof(0)).unproven
    assert open_ in verify_rollout(held, by()).unproven
    assert open_ not in verify_rollout(held, KEYS).unproven


@pytest.mark.clause("VF-10")
def test_a_log_key_of_the_manifest_signs_no_receipt() -> None:
    """A key has the use that the manifest gives it."""
    keys = Keys(manifest=manifest(replace(RECEIPT_KEY, use=Use.LOG), LOG_KEY))

    assert refusal(0, keys) is Reason.KEY_UNKNOWN


@pytest.mark.clause("VF-10")
def test_a_manifest_of_another_organisation_does_not_count() -> None:
    """A key that an organisation lists signs for that one."""
    assert refusal(0, Keys(manifest=replace(manifest(), org="other"))) is Reason.KEY_OF_ANOTHER


@pytest.mark.clause("VF-11")
def test_an_index_of_another_log_is_no_place() -> None:
    """A manifest's places are those in its own log; in another one a receipt has none, and a revoked key is refused."""
    elsewhere = replace(manifest(), origin="elsewhere.example/log")
    revoked = replace(elsewhere, keys=(replace(RECEIPT_KEY, status=Status.REVOKED, last=4), LOG_KEY))

    found = verify_receipt(VAULT.entries[0], Keys(log=KEYS.log, manifest=elsewhere), VAULT.proof(0))

    assert any(sentence.startswith("That its key counted when it signed") for sentence in found.unproven)
    assert refusal(0, Keys(log=KEYS.log, manifest=revoked)) is Reason.KEY_REVOKED


@pytest.mark.clause("VF-11")
def test_without_a_proof_the_place_stays_open() -> None:
    """Where nothing says at which place a receipt stands, that its key counted there is named as not proven."""
    found = verify_receipt(VAULT.entries[2], by(status=Status.RETIRED, last=1))

    assert any(sentence.startswith("That its key counted when it signed") for sentence in found.unproven)


@pytest.mark.clause("VF-11")
def test_a_revoked_key_needs_a_proof() -> None:
    """Whoever stole it could have signed at any time, so that only a place in the log makes it believed."""
    assert refusal(0, by(status=Status.REVOKED, last=4), is_proven=False) is Reason.KEY_REVOKED
    assert verify_receipt(VAULT.entries[0], by(status=Status.REVOKED, last=4), VAULT.proof(0)).entry is not None


@pytest.mark.clause("VF-12")
def test_a_log_key_counts_for_the_sizes_of_its_trees() -> None:
    """A checkpoint's place is the last entry that it covers; one that a key signed beyond its places is refused."""
    retired = manifest(RECEIPT_KEY, replace(LOG_KEY, status=Status.RETIRED, last=3))

    verify_signed_checkpoint(VAULT.checkpoint(4), Keys(manifest=retired))
    with pytest.raises(VerifyError) as refused:
        verify_signed_checkpoint(VAULT.checkpoint(5), Keys(manifest=retired))

    assert refused.value.reason is Reason.LOG_KEY_PLACE


@pytest.mark.clause("VF-12")
def test_a_log_key_of_another_origin_does_not_count() -> None:
    """A manifest speaks of one log."""
    other = replace(manifest(), origin="elsewhere.example/log")

    with pytest.raises(VerifyError) as refused:
        verify_signed_checkpoint(VAULT.checkpoint(), Keys(manifest=other))

    assert refused.value.reason is Reason.CHECKPOINT_UNSIGNED


@pytest.mark.clause("VF-13", "WT-111")
def test_witnesses_that_cosigned_are_named() -> None:
    """Who saw the tree, and when by their own clocks, is said; that others signed too is left open."""
    note = cosigned(VAULT.checkpoint(), "x", "y")

    found = verify_signed_checkpoint(note, trusting("x", "z", least=1))

    assert [(each.name, each.text) for each in found.witnessed] == [("x", "2026-02-02T02:40:00.000Z")]
    assert found.unread == 1
    assert "Who else signed the checkpoint: 1 signature of a key that you did not name." in found.unproven()
    assert found.document()["witnesses"] == [{"name": "x", "time": "2026-02-02T02:40:00.000Z"}]


@pytest.mark.parametrize("names", [(), ("z",), ("x", "z")])
@pytest.mark.clause("VF-13")
def test_too_few_witnesses_are_refused(names: tuple[str, ...]) -> None:
    """A quorum of those who are trusted must have cosigned; others do not count."""
    with pytest.raises(VerifyError) as refused:
        verify_signed_checkpoint(cosigned(VAULT.checkpoint(), *names), trusting("x", "y", least=2))

    assert refused.value.reason is Reason.WITNESS_QUORUM


@pytest.mark.clause("VF-13")
def test_a_cosignature_that_is_none_is_refused() -> None:
    """A line of a trusted witness that is not its signature over this checkpoint refuses the checkpoint."""
    other = read_note(cosigned(VAULT.checkpoint(3), "x")).signatures[-1]
    read = read_note(VAULT.checkpoint())

    with pytest.raises(VerifyError) as refused:
        verify_signed_checkpoint(Note(read.body, (*read.signatures, other)).encode(), trusting("x", least=1))

    assert refused.value.reason is Reason.COSIGNATURE


@pytest.mark.clause("VF-13")
def test_a_time_that_no_calendar_has_is_still_said() -> None:
    """A witness may sign any time, and a verifier answers."""
    found = verify_signed_checkpoint(cosigned(VAULT.checkpoint(), "x", time=2**62), trusting("x", least=1))

    assert found.witnessed[0].text == f"{2**62} s"


@pytest.mark.clause("VF-13")
def test_witnesses_are_asked_of_proofs_too() -> None:
    """A receipt whose proof carries a checkpoint that too few witnesses cosigned is refused."""
    proof = read_log_proof(VAULT.proof(0))
    seen = replace(proof, checkpoint=cosigned(proof.checkpoint, "x")).encode()

    found = verify_receipt(VAULT.entries[0], trusting("x", least=1), seen)

    assert any(sentence.startswith("Witnesses had seen") for sentence in found.proven)
    with pytest.raises(VerifyError, match="too few"):
        verify_receipt(VAULT.entries[0], trusting("y", least=1), seen)


@pytest.mark.clause("VF-13")
def test_what_is_only_compared_needs_no_witness() -> None:
    """Nobody need have cosigned a kept checkpoint, nor the plain form of the new one that a proof of growth carries."""
    hashes = plan_consistency(3, 5).hashes(VAULT.kept)
    growth = LogGrowth(3, tuple(hashes), VAULT.checkpoint()).encode()
    note = cosigned(VAULT.checkpoint(), "x")

    found = verify_newer_checkpoint(note, trusting("x", least=1), VAULT.checkpoint(3), growth)

    assert found.compared == 3


@pytest.mark.clause("VF-71")
def test_it_is_said_how_many_roots_the_verifier_demanded() -> None:
    """A manifest that demands one signature was signed by the two that the verifier wanted."""
    second = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
    roots = (ROOT_KEY, PublicKey(second.public_key().public_bytes_raw()))
    first = replace(manifest(), version=1, previous=None, roots=roots)
    pairs = tuple(
        (key.key_id, each.sign(first.signed_bytes())) for key, each in zip(roots, (ROOT, second), strict=True)
    )

    found = verify_manifest([SignedManifest(first, pairs).encode()], roots, 2)

    assert found.proven[0].startswith("2 or more root keys that you trust signed version 1")


@pytest.mark.clause("VF-14")
def test_a_manifest_says_which_keys_count_where() -> None:
    """A manifest that root keys signed is verified by itself, and what it leaves open is said."""
    nowhere = replace(
        LOG_KEY, key=read_public_key(SeededSigner("another").public_key_pem), status=Status.REVOKED, first=8, last=7
    )
    keys = (replace(RECEIPT_KEY, status=Status.REVOKED, last=7), replace(LOG_KEY, status=Status.REVOKED, last=7))
    first = replace(manifest(*keys, nowhere), version=1, previous=None)
    signed = SignedManifest(first, ((ROOT_KEY.key_id, ROOT.sign(first.signed_bytes())),))

    found = verify_manifest([signed.encode()], [ROOT_KEY])

    for said in (
        "was revoked: it counts from entry 0 to entry 7 of the log",
        "was revoked: it counts from entry 0 to entry 7, for checkpoints that you kept from before only, of the log",
        "was revoked: it counts at no entry of the log",
    ):
        assert any(said in sentence for sentence in found.proven)
    assert any("no later version" in sentence for sentence in found.unproven)
    assert found.document()["version"] == 1


@pytest.mark.clause("VF-14")
def test_a_manifest_of_strange_roots_is_refused() -> None:
    """Trust begins with root keys that the verifier names."""
    first = replace(manifest(), version=1, previous=None)
    signed = SignedManifest(first, ((ROOT_KEY.key_id, ROOT.sign(first.signed_bytes())),))

    with pytest.raises(VerifyError) as refused:
        verify_manifest([signed.encode()], [KEYS.receipt[0]])

    assert refused.value.reason is Reason.MANIFEST_SIGNATURES


@pytest.mark.clause("VF-10")
def test_a_rollout_is_verified_by_a_manifest_as_its_receipts_are() -> None:
    """One receipt beyond the places of its key refuses the chain, and is named."""
    held = [Held(f"receipt-{seq}", VAULT.entries[seq - 1], VAULT.proof(seq - 1)) for seq in range(1, 6)]

    found = verify_rollout(held, by())
    with pytest.raises(VerifyError, match=r"^receipt-3: ") as refused:
        verify_rollout(held, by(status=Status.RETIRED, last=1))

    assert "Each key counts where it signed, by version 3 of the key manifest." in found.proven
    assert refused.value.reason is Reason.KEY_EXPIRED
    assert LOG.key_id not in found.proven[0]
    assert RECEIPTS.key_id in found.proven[0]
