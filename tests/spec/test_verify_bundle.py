# SPDX-License-Identifier: Apache-2.0
"""Bundles come in, whole and with every fault that somebody could make; each is refused by its own reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockgate.core.bundle import decode, encode
from lockgate.core.bundle_layout import MANIFEST
from lockgate.core.canonical import canonicalize
from lockgate.core.key_manifest import SignedManifest
from lockgate.core.listed_key import ListedKey, Status, Use
from lockgate.core.manifest_body import KeyManifest
from lockgate.core.note import Note, read_note
from lockgate.core.public_key import PublicKey
from lockgate.verify import Keys, Reason, VerifyError, key_manifest_of, logged_note, verify_bundle
from tests.spec.bundled import changed, files, keys, listed, packed, signed_again
from tests.spec.test_verify_keys import ROOT, ROOT_KEY, cosigned, trusting

FILES = files()
UNSIGNED = ("timeline.html", "README.txt", "audit.sh")
CASE, LOOKS = "replay/2.json", next(name for name in FILES if name.startswith("looks/"))


def refusal(bundle: Mapping[str, bytes]) -> VerifyError:
    """Return why a bundle is refused."""
    with pytest.raises(VerifyError) as refused:
        verify_bundle(bundle, keys())
    return refused.value


def edited(name: str, **members: Any) -> bytes:
    """Return a JSON document of the bundle with other members, in its one form."""
    return canonicalize({**json.loads(FILES[name]), **members})


@pytest.mark.clause("VF-40")
def test_a_bundle_is_verified_as_a_whole() -> None:
    """What it proves, and what it leaves open, is said in sentences."""
    found = verify_bundle(FILES, keys())

    said = found.document()
    assert (said["kind"], said["ended"], said["status"]) == ("bundle", True, "rolled_back")
    assert found.files == len(FILES) - 1
    assert any("follows from those receipts" in sentence for sentence in found.proven)
    assert any(sentence.startswith("What timeline.html") for sentence in found.unproven)
    assert any("`lockgate replay`" in sentence for sentence in found.unproven)


@pytest.mark.clause("VF-41")
def test_keys_in_a_bundle_are_not_trusted() -> None:
    """A bundle that agrees with itself proves nothing: its keys are named, and it is refused."""
    with pytest.raises(VerifyError, match=keys().receipt[0].key_id) as refused:
        verify_bundle(FILES, None)

    assert refused.value.reason is Reason.BUNDLE_UNTRUSTED
    assert "agrees with itself" in refused.value.message


@pytest.mark.clause("VF-41")
def test_other_keys_refuse_a_bundle() -> None:
    """Of a key that the verifier does not name no receipt counts, and of another log's no proof."""
    for trusted, reason in [
        (Keys((ROOT_KEY,), keys().log), Reason.KEY_UNKNOWN),
        (Keys(keys().receipt), Reason.CHECKPOINT_UNSIGNED),
    ]:
        with pytest.raises(VerifyError) as refused:
            verify_bundle(FILES, trusted)
        assert refused.value.reason is reason


@pytest.mark.clause("VF-41")
def test_root_keys_lead_to_the_keys_of_a_bundle() -> None:
    """A key manifest in the bundle counts where root keys that the verifier names signed it."""
    receipt, log = keys().receipt[0], keys().log[0]
    named = KeyManifest(
        version=1,
        previous=None,
        org="default",
        origin=log.name,
        roots=(ROOT_KEY,),
        threshold=1,
        keys=(
            ListedKey(key=receipt, use=Use.RECEIPT, status=Status.ACTIVE, first=0),
            ListedKey(key=PublicKey(log.raw), use=Use.LOG, status=Status.ACTIVE, first=0),
        ),
    )
    signed = SignedManifest(named, ((ROOT_KEY.key_id, ROOT.sign(named.signed_bytes())),)).encode()
    bundle = changed({"keys/manifest.dsse.json": signed})

    found = verify_bundle(bundle, Keys(manifest=key_manifest_of(bundle, [ROOT_KEY])))

    assert any(sentence.startswith("Each key counts where it signed") for sentence in found.proven)
    with pytest.raises(VerifyError, match="not signed by enough"):
        key_manifest_of(bundle, [receipt])
    with pytest.raises(VerifyError, match="no key manifest"):
        key_manifest_of(FILES, [ROOT_KEY])


FAULTS: dict[str, tuple[Callable[[], Mapping[str, bytes]], Reason]] = {
    "no manifest": (lambda: {"README.txt": b""}, Reason.BUNDLE_FILE_MISSING),
    "a file is missing": (
        lambda: {name: data for name, data in FILES.items() if name != "README.txt"},
        Reason.BUNDLE_FILE_MISSING,
    ),
    "a file more": (lambda: {**FILES, "receipts/9.json": b""}, Reason.BUNDLE_FILE_EXTRA),
    "a file of no use": (lambda: changed({"inner.zip": packed()}), Reason.BUNDLE_FILE_UNKNOWN),
    "a page was changed": (lambda: {**FILES, "timeline.html": b"<p>all is well</p>\n"}, Reason.BUNDLE_FILE_CHANGED),
    "another form": (lambda: {**FILES, MANIFEST: edited(MANIFEST, format="lockgate-bundle/v2")}, Reason.BUNDLE_VERSION),
    "a line break": (lambda: {**FILES, MANIFEST: FILES[MANIFEST] + b"\n"}, Reason.BUNDLE_MANIFEST),
    "a manifest with more": (lambda: {**FILES, MANIFEST: edited(MANIFEST, more=1)}, Reason.BUNDLE_MANIFEST),
    "no list of files": (lambda: {**FILES, MANIFEST: edited(MANIFEST, files=[])}, Reason.BUNDLE_MANIFEST),
    "no digests": (
        lambda: {**FILES, MANIFEST: edited(MANIFEST, files={"README.txt": {"sha256": 1, "size": True}})},
        Reason.BUNDLE_MANIFEST,
    ),
    "a name that is none": (lambda: {**FILES, MANIFEST: edited(MANIFEST, app=None)}, Reason.BUNDLE_MANIFEST),
    "another app": (lambda: listed(FILES, app="billing"), Reason.BUNDLE_ABOUT),
    "another rollout": (lambda: listed(FILES, rolloutId="rol_other"), Reason.BUNDLE_ABOUT),
    "another log": (lambda: listed(FILES, origin="elsewhere"), Reason.BUNDLE_KEYS),
    "no policy": (lambda: changed({"policy.json": None}), Reason.BUNDLE_FILE_MISSING),
    "no proof": (lambda: changed({"proofs/2.tlog-proof": None}), Reason.BUNDLE_FILE_MISSING),
    "a proof too many": (lambda: changed({"proofs/9.tlog-proof": b""}), Reason.BUNDLE_MISNAMED),
    "evidence of no receipt": (lambda: changed({"replay/9.json": FILES[CASE]}), Reason.BUNDLE_MISNAMED),
    "looks of no receipt": (lambda: changed({"looks/9.ndjson": b""}), Reason.BUNDLE_MISNAMED),
    "a copy of no receipt": (lambda: changed({"sigstore/9.sigstore.json": b"{}"}), Reason.BUNDLE_MISNAMED),
    "a signature of no receipt": (lambda: changed({"sshsig/9.sig": b""}), Reason.BUNDLE_MISNAMED),
    "a related proof too many": (lambda: changed({"related/app/9.tlog-proof": b""}), Reason.BUNDLE_MISNAMED),
    "a receipt of another series": (
        lambda: changed(
            {
                "related/org/1.json": FILES["related/app/1.json"],
                "related/org/1.tlog-proof": FILES["related/app/1.tlog-proof"],
            }
        ),
        Reason.BUNDLE_MISNAMED,
    ),
    "the first receipt is gone": (
        lambda: changed({"receipts/1.json": None, "proofs/1.tlog-proof": None}),
        Reason.CHAIN,
    ),
    "names were swapped": (
        lambda: changed(
            {
                **{f"receipts/{seq}.json": FILES[f"receipts/{3 - seq}.json"] for seq in (1, 2)},
                **{f"proofs/{seq}.tlog-proof": FILES[f"proofs/{3 - seq}.tlog-proof"] for seq in (1, 2)},
            }
        ),
        Reason.BUNDLE_MISNAMED,
    ),
    "another checkpoint": (
        lambda: changed({"checkpoint.txt": FILES["checkpoint.txt"].replace(b"lockgate/", b"lockgatf/")}),
        Reason.CHECKPOINT_UNSIGNED,
    ),
    "a proof of another tree": (
        lambda: changed({"proofs/2.tlog-proof": FILES["proofs/1.tlog-proof"]}),
        Reason.INCLUSION,
    ),
    "a receipt of the signer that is not in the log": (
        lambda: changed({"receipts/1.json": signed_again("receipts/1.json", mode="shadow")}),
        Reason.INCLUSION,
    ),
    "another policy": (lambda: changed({"policy.json": edited("policy.json", alpha=0.5)}), Reason.BUNDLE_POLICY),
    "another verdict": (lambda: changed({f"verdicts/{'0' * 64}.json": b"{}"}), Reason.BUNDLE_VERDICT),
    "other looks": (lambda: changed({LOOKS: FILES[LOOKS] + FILES[LOOKS]}), Reason.BUNDLE_LOOKS),
    "looks without an end": (lambda: changed({LOOKS: FILES[LOOKS][:-1]}), Reason.BUNDLE_LOOKS),
    "evidence of another place": (lambda: changed({CASE: edited(CASE, seq=1)}), Reason.BUNDLE_REPLAY),
    "fewer buckets": (
        lambda: changed({CASE: edited(CASE, buckets=json.loads(FILES[CASE])["buckets"][1:])}),
        Reason.BUNDLE_REPLAY,
    ),
    "another state before": (lambda: changed({CASE: edited(CASE, before={})}), Reason.BUNDLE_REPLAY),
    "evidence that is none": (lambda: changed({CASE: b"[]"}), Reason.BUNDLE_REPLAY),
    "evidence in another form": (lambda: changed({CASE: FILES[CASE] + b" "}), Reason.CASE_NOT_CANONICAL),
    "another Sigstore bundle": (lambda: changed({"sigstore/1.sigstore.json": b"{}"}), Reason.BUNDLE_COPY),
    "another SSH signature": (lambda: changed({"sshsig/1.sig": FILES["sshsig/2.sig"]}), Reason.BUNDLE_COPY),
    "no SSH signature": (lambda: changed({"sshsig/1.sig": b"\x80\n\x80\n\n\n"}), Reason.BUNDLE_COPY),
    "another record": (
        lambda: changed({"release-record.json": edited("release-record.json", mode="shadow")}),
        Reason.BUNDLE_RECORD,
    ),
    "other log keys": (lambda: changed({"keys/log-key.txt": FILES["keys/log-key.txt"] * 2 + b"x"}), Reason.LOG_KEY),
    "log keys without an end": (
        lambda: changed({"keys/log-key.txt": FILES["keys/log-key.txt"][:-1]}),
        Reason.BUNDLE_KEYS,
    ),
    "a key under another name": (
        lambda: changed({f"keys/{'0' * 16}.pem": FILES[next(name for name in FILES if name.endswith(".pem"))]}),
        Reason.BUNDLE_KEYS,
    ),
    "other allowed signers": (lambda: changed({"keys/allowed_signers": b"anybody\n"}), Reason.BUNDLE_KEYS),
    "a key that is none": (lambda: changed({f"keys/{'0' * 16}.pem": b"-----"}), Reason.PUBLIC_KEY),
    "a key manifest that is none": (lambda: changed({"keys/manifest.dsse.json": b"{}"}), Reason.MANIFEST_SHAPE),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.clause("VF-42")
def test_each_fault_of_a_bundle_has_its_reason(fault: str) -> None:
    """Whoever made the bundle may have changed everything but what is signed, and have listed it anew."""
    bundle, reason = FAULTS[fault]

    assert refusal(bundle()).reason is reason


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.clause("VF-42")
def test_no_byte_of_a_file_is_free(name: str) -> None:
    """One bit of any file of an unpacked bundle that is changed refuses it: of each byte up to 400, else of as many."""
    data, accepted = FILES[name], []
    for at in range(0, len(data), max(1, len(data) // 400)):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        try:
            verify_bundle({**FILES, name: bytes(flipped)}, keys())
        except VerifyError:
            continue
        accepted.append(at)

    assert accepted == []


@pytest.mark.clause("VF-43")
def test_no_byte_of_a_packed_bundle_is_free() -> None:
    """One bit of any byte of the zip, in files, headers, directory or end, is refused before anything is verified."""
    data, accepted = packed(), []
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        try:
            decode(bytes(flipped))
        except VerifyError:
            continue
        accepted.append(at)

    assert accepted == []


@pytest.mark.clause("VF-40")
def test_what_is_missing_is_counted() -> None:
    """Evidence that is not there is named as missing, whatever the bundle itself says of it."""
    found = verify_bundle(changed({CASE: None, "sshsig/1.sig": None}), keys())

    assert found.found["replay"] == (1, 2)
    assert any(
        sentence.startswith("Of the evidence that decisions are made again from 1") for sentence in found.unproven
    )


@pytest.mark.clause("VF-40")
def test_what_is_said_to_be_missing_is_nobodys_word() -> None:
    """The reason why something is missing is not signed."""
    found = verify_bundle(changed({CASE: None, "missing.json": b"{}"}), keys())

    assert any(sentence.startswith("Why something is missing") for sentence in found.unproven)


@pytest.mark.clause("VF-40")
def test_a_bundle_is_compared_with_a_kept_checkpoint() -> None:
    """Its log is one with the kept one, or the bundle is refused."""
    found = verify_bundle(FILES, keys(), FILES["checkpoint.txt"])

    assert any(sentence.startswith("That log and the one of the kept checkpoint") for sentence in found.proven)


@given(
    st.sampled_from(sorted(FILES)),
    st.integers(0, 3000),
    st.one_of(
        st.binary(max_size=40), st.sampled_from([b"[" * 5000, b'{"a":' * 500, b"9" * 400, b"\xef\xbb\xbf", b"null"])
    ),
    st.integers(0, 60),
)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=150)
@pytest.mark.clause("VF-44")
def test_whatever_a_file_holds_ends_in_a_refusal(name: str, at: int, noise: bytes, dropped: int) -> None:
    """Files that somebody wrote anew and listed raise one kind of error, or verify as nothing else than before."""
    data = FILES[name]
    spliced = data[:at] + noise + data[at + dropped :]

    try:
        found = verify_bundle(changed({name: spliced}) if name != MANIFEST else {**FILES, name: spliced}, keys())
    except VerifyError:
        return
    # Pages for people are nobody's, and in what a decision is made again, but for evidence and policy, is tried by
    # `lockgate replay`: the rest follows from what is signed.
    assert spliced == data or name in UNSIGNED or name.startswith("replay/")
    assert found.rollout.status == "rolled_back"


@pytest.mark.clause("VF-43")
def test_a_bundle_is_the_same_packed_and_unpacked() -> None:
    """The zip holds the files and nothing else."""
    assert encode(FILES) == packed()


@pytest.mark.clause("VF-45")
def test_a_bundle_of_a_cosigned_checkpoint_has_its_witnesses() -> None:
    """Witnesses sign later than proofs are made: their lines stand behind the log's own, and count for all of them."""
    bundle = changed({"checkpoint.txt": cosigned(FILES["checkpoint.txt"], "x")})
    trusted = replace(keys(), witnesses=trusting("x", least=1).witnesses)

    found = verify_bundle(bundle, trusted)

    assert any(sentence.startswith("Witnesses had seen") for sentence in found.proven)
    assert logged_note(bundle["checkpoint.txt"]) == FILES["checkpoint.txt"]
    with pytest.raises(VerifyError, match="too few") as refused:
        verify_bundle(FILES, trusted)
    assert refused.value.reason is Reason.WITNESS_QUORUM
    forged = read_note(bundle["checkpoint.txt"])
    assert refusal(changed({"checkpoint.txt": Note(forged.body, forged.signatures[::-1]).encode()})).reason is (
        Reason.CHECKPOINTS
    )
