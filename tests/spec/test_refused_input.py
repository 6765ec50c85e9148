# SPDX-License-Identifier: Apache-2.0
"""What nobody should hand over comes in at each door; it is refused by a reason of its own, and by what to do."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from lockgate.core.bundle import decode
from lockgate.core.canonical import Json, canonicalize
from lockgate.core.checkpoint import read_log_proof
from lockgate.core.envelope import PAYLOAD_TYPE, Envelope, open_envelope, pre_authentication_encoding
from lockgate.core.key_manifest import SignedManifest
from lockgate.core.listed_key import Status
from lockgate.operations.keys.manifest import publish_manifest
from lockgate.operations.replay.bundle import replay_bundle
from lockgate.ports.signing import Signer
from lockgate.testing.signers import SeededSigner
from lockgate.verify import Keys, Reason, VerifyError, verify_bundle, verify_manifest, verify_receipt
from tests.spec.bundled import files, keys, packed
from tests.spec.line import world
from tests.spec.operators import ANN
from tests.spec.signed import KEYS, RECEIPTS, VAULT
from tests.spec.test_verify_keys import ROOT, ROOT_KEY, by, manifest

# How the bytes of an envelope are spoilt before whoever signs them has signed, or behind.
Spoil = Callable[[dict[str, Any]], bytes]
RECEIPT, INDEX = VAULT.entries[2], 2
ROLLOUT = "receipts/1.json"
STRANGER = SeededSigner("a stranger")


def with_type(document: dict[str, Any]) -> bytes:
    """Return an envelope of another type."""
    return canonicalize({**document, "payloadType": "application/json"})


def twice(document: dict[str, Any]) -> bytes:
    """Return an envelope with its signature twice."""
    return canonicalize({**document, "signatures": document["signatures"] * 2})


def padded(document: dict[str, Any]) -> bytes:
    """Return an envelope with base64 that is padded once more."""
    return canonicalize({**document, "payload": document["payload"] + "="})


def spaced(document: dict[str, Any]) -> bytes:
    """Return an envelope that was formatted."""
    return json.dumps(document).encode()


def doubled(document: dict[str, Any]) -> bytes:
    """Return an envelope that names a member twice."""
    return canonicalize(document).replace(b"{", b'{"payload":"",', 1)


def strange(document: dict[str, Any]) -> bytes:
    """Return an envelope that names another key."""
    return canonicalize({**document, "signatures": [{**document["signatures"][0], "keyid": STRANGER.key_id}]})


ENVELOPES: Mapping[str, tuple[Spoil, Reason]] = {
    "another payload type": (with_type, Reason.PAYLOAD_TYPE),
    "two signatures": (twice, Reason.SIGNATURE_COUNT),
    "base64 in another form": (padded, Reason.ENVELOPE_BASE64),
    "JSON in another form": (spaced, Reason.ENVELOPE_NOT_CANONICAL),
    "a member twice": (doubled, Reason.ENVELOPE_DUPLICATE_KEY),
    "no JSON": (lambda document: canonicalize(document)[:-1], Reason.ENVELOPE_NOT_JSON),
}


def statement(**members: Json) -> bytes:
    """Return a receipt whose statement has other members, signed by its own key."""
    said = json.loads(open_envelope(RECEIPT).payload)
    return signed(canonicalize({**said, **members}))


def signed(payload: bytes, kind: str = PAYLOAD_TYPE, signer: Signer = RECEIPTS) -> bytes:
    """Return an envelope of a payload."""
    message = pre_authentication_encoding(kind, payload)
    return Envelope(kind, payload, signer.key_id, signer.sign(message)).encode()


def predicate(**members: Json) -> bytes:
    """Return a receipt whose predicate has other members, signed by its own key."""
    said = json.loads(open_envelope(RECEIPT).payload)["predicate"]
    return statement(predicate={**said, **members})


STATEMENTS: Mapping[str, tuple[bytes, Reason]] = {
    "another payload type, signed": (signed(open_envelope(RECEIPT).payload, "application/json"), Reason.PAYLOAD_TYPE),
    "a later predicate": (
        statement(predicateType="urn:lockgate:attestation:rollout-decision:v2"),
        Reason.PREDICATE_TYPE,
    ),
    "a later schema": (predicate(schemaVersion=2), Reason.SCHEMA_VERSION),
    "a payload in another form": (signed(b" " + open_envelope(RECEIPT).payload), Reason.PAYLOAD_NOT_CANONICAL),
    "a member of the payload twice": (
        signed(open_envelope(RECEIPT).payload.replace(b"{", b'{"_type":"",', 1)),
        Reason.PAYLOAD_DUPLICATE_KEY,
    ),
}


def refusal(call: Callable[[], object]) -> VerifyError:
    """Return how a call is refused, which says what to do in a sentence."""
    with pytest.raises(VerifyError) as refused:
        call()
    assert refused.value.advice.endswith(".")
    return refused.value


def spoilt(envelope: bytes, spoil: Spoil) -> bytes:
    """Return an envelope that was spoilt."""
    return spoil(json.loads(envelope))


@pytest.mark.parametrize("name", ENVELOPES)
@pytest.mark.clause("VF-104")
def test_an_envelope_is_refused_alike_at_each_door(name: str) -> None:
    """As a receipt, in a bundle that is replayed, and as a key manifest."""
    spoil, reason = ENVELOPES[name]
    bundle, root = files(), SignedManifest(manifest(), ((ROOT_KEY.key_id, ROOT.sign(manifest().signed_bytes())),))
    bundle[ROLLOUT] = spoilt(bundle[ROLLOUT], spoil)
    offered = spoilt(root.encode(), spoil)

    alone = refusal(lambda: verify_receipt(spoilt(RECEIPT, spoil), KEYS))
    replayed = refusal(lambda: replay_bundle(bundle, lambda *_: None))
    as_manifest = refusal(lambda: verify_manifest([offered], [ROOT_KEY]))
    published = refusal(lambda: publish_manifest(offered, ANN, world().house))

    # Its signature is looked at before the type that it is signed as.
    wanted = Reason.SIGNATURE if reason is Reason.PAYLOAD_TYPE else reason
    assert alone.reason is wanted
    assert (replayed.reason, replayed.message.startswith(f"{ROLLOUT}: ")) == (reason, True)
    assert (as_manifest.reason, published.reason) == (reason, reason)


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.clause("VF-104")
def test_a_statement_of_something_else_is_refused_though_it_is_signed(name: str) -> None:
    """As a receipt, and in a bundle that is replayed."""
    envelope, reason = STATEMENTS[name]

    alone = refusal(lambda: verify_receipt(envelope, KEYS))
    replayed = refusal(lambda: replay_bundle({**files(), ROLLOUT: envelope}, lambda *_: None))

    assert (alone.reason, replayed.reason) == (reason, reason)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (by(status=Status.RETIRED, last=1), Reason.KEY_EXPIRED),
        (by(status=Status.REVOKED, last=1), Reason.KEY_REVOKED),
        (by(first=3), Reason.KEY_TOO_EARLY),
        (Keys(manifest=replace(manifest(), org="another")), Reason.KEY_OF_ANOTHER),
        (Keys(log=KEYS.log), Reason.KEY_UNKNOWN),
        (Keys(receipt=KEYS.receipt), Reason.CHECKPOINT_UNSIGNED),
    ],
)
@pytest.mark.clause("VF-104")
def test_a_key_that_does_not_count_is_refused_by_why(given: Keys, reason: Reason) -> None:
    """Retired, revoked, not yet in force, another organisation's, unknown; and so is a log's."""
    assert refusal(lambda: verify_receipt(RECEIPT, given, VAULT.proof(INDEX))).reason is reason


@pytest.mark.clause("VF-104")
def test_the_id_of_another_key_is_refused() -> None:
    """It selects a key: of another trusted one the signature is none, and of a strange one nothing is known."""
    other = Keys((*KEYS.receipt, ROOT_KEY), KEYS.log)
    named = replace(open_envelope(RECEIPT), key_id=ROOT_KEY.key_id).encode()

    assert refusal(lambda: verify_receipt(named, other)).reason is Reason.SIGNATURE
    assert refusal(lambda: verify_receipt(spoilt(RECEIPT, strange), KEYS)).reason is Reason.KEY_UNKNOWN


@pytest.mark.clause("VF-104")
def test_a_proof_of_another_tree_is_refused() -> None:
    """Of another entry, of another place, and of another log."""
    proof = read_log_proof(VAULT.proof(INDEX))
    elsewhere = proof.checkpoint.replace(b"lockgate.example", b"elsewhere.example")

    of_another, moved = VAULT.proof(1), replace(proof, index=1).encode()
    renamed = replace(proof, checkpoint=elsewhere).encode()

    assert refusal(lambda: verify_receipt(RECEIPT, KEYS, of_another)).reason is Reason.INCLUSION
    assert refusal(lambda: verify_receipt(RECEIPT, KEYS, moved)).reason is Reason.INCLUSION
    assert refusal(lambda: verify_receipt(RECEIPT, KEYS, renamed)).reason is Reason.CHECKPOINT_UNSIGNED


def zipped(names: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return files as any program packs them."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return held.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (packed()[:-1], Reason.BUNDLE_TRUNCATED),
        (packed()[: len(packed()) // 2], Reason.BUNDLE_TRUNCATED),
        (zipped({"../../evil.txt": b""}), Reason.BUNDLE_NAME),
        (zipped({"/etc/passwd": b""}), Reason.BUNDLE_NAME),
        (zipped({"receipts/1.json": bytes(10_000_000)}, zipfile.ZIP_DEFLATED), Reason.BUNDLE_COMPRESSED),
        (packed() + b"x", Reason.BUNDLE_TRAILING),
        (b64encode(packed()), Reason.BUNDLE_NOT_ZIP),
    ],
    ids=["cut", "half", "upwards", "absolute", "bomb", "more", "no zip"],
)
@pytest.mark.clause("VF-104")
def test_a_zip_with_tricks_is_refused_before_anything_of_it_is_read(data: bytes, reason: Reason) -> None:
    """Whether it is verified or replayed: both read its files so."""
    assert refusal(lambda: decode(data)).reason is reason


@pytest.mark.clause("VF-104")
def test_a_bundle_of_a_later_version_is_refused() -> None:
    """Its version is looked at before all else."""
    later = {**json.loads(files()["manifest.json"]), "format": "lockgate-bundle/v2"}

    error = refusal(lambda: verify_bundle({**files(), "manifest.json": canonicalize(later)}, keys()))

    assert error.reason is Reason.BUNDLE_VERSION


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.clause("VF-105")
def test_every_reason_says_what_to_do(reason: Reason) -> None:
    """In a sentence, also where whoever refuses has nothing more to say."""
    said = VerifyError(reason, "it is wrong")

    assert said.advice == reason.advice
    assert said.advice[0].isupper()
    assert said.advice.endswith(".")
