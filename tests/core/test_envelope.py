# SPDX-License-Identifier: Apache-2.0
"""Envelopes come in, good and bad; the good are read and written byte for byte, the bad are refused by one reason."""

from __future__ import annotations

import hashlib
import json
import struct
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.canonical import canonicalize
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.envelope import (
    MAX_ENVELOPE_SIZE,
    MAX_PAYLOAD_SIZE,
    Envelope,
    open_envelope,
    pre_authentication_encoding,
)
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.refusal import Reason, VerifyError

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
DSSE = json.loads((VECTORS / "trust_dsse.json").read_text(encoding="utf-8"))
JCS = json.loads((VECTORS / "trust_jcs.json").read_text(encoding="utf-8"))
GOOD: dict[str, Any] = {
    "payload": b64encode(b"{}").decode(),
    "payloadType": "application/vnd.in-toto+json",
    "signatures": [{"keyid": "0" * 64, "sig": b64encode(bytes(64)).decode()}],
}
SIGNATURE = GOOD["signatures"][0]


def refusal(data: bytes) -> Reason:
    """Return why an envelope is refused."""
    with pytest.raises(VerifyError) as refused:
        open_envelope(data)
    return refused.value.reason


def with_signature(**members: Any) -> dict[str, Any]:
    """Return the good envelope with other members of its signature; None takes one out."""
    changed = {name: value for name, value in {**SIGNATURE, **members}.items() if value is not None}
    return {**GOOD, "signatures": [changed]}


@pytest.mark.parametrize("case", DSSE["cases"], ids=lambda case: case["payloadType"])
@pytest.mark.clause("RE-01")
def test_published_envelopes_come_out_byte_for_byte(case: dict[str, Any]) -> None:
    """What is signed, the signature and the envelope are those of other implementations."""
    payload = b64decode(case["payload_b64"])
    message = pre_authentication_encoding(case["payloadType"], payload)
    signature = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(DSSE["seed_hex"])).sign(message)

    envelope = Envelope(case["payloadType"], payload, DSSE["keyid"], signature)

    assert hashlib.sha256(message).hexdigest() == case["pae_sha256"]
    assert case["pae_hex"] in (None, message.hex())
    assert b64encode(signature).decode() == case["sig_b64"]
    assert envelope.encode() == canonicalize(case["envelope"])
    assert open_envelope(envelope.encode()) == envelope


@pytest.mark.parametrize("case", DSSE["must_fail"], ids=lambda case: case["why"])
@pytest.mark.clause("RE-01")
def test_published_forgeries_do_not_verify(case: dict[str, Any]) -> None:
    """Type and payload are signed, and the payload alone is not what is signed."""
    envelope = open_envelope(canonicalize(case["envelope"]))
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(DSSE["public_raw_hex"]))

    with pytest.raises(InvalidSignature):
        key.verify(envelope.signature, envelope.signed_bytes())


@pytest.mark.clause("RE-02")
def test_a_published_key_has_its_published_id() -> None:
    """The id is the SHA-256 of the SubjectPublicKeyInfo, and PEM is read as it is written."""
    key = read_public_key(DSSE["public_spki_pem"].encode())

    assert (key.raw.hex(), key.key_id) == (DSSE["public_raw_hex"], DSSE["keyid"])
    assert key.pem == DSSE["public_spki_pem"].encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
        DSSE["public_spki_pem"].replace("K2Vw", "K2Vu"),
        DSSE["public_spki_pem"].replace("\n-----END", "=\n-----END"),
        "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n",
    ],
)
@pytest.mark.clause("RE-02")
def test_what_is_no_ed25519_public_key_is_refused(text: str) -> None:
    """A private key, another algorithm's key, half a key and no key have the same reason."""
    with pytest.raises(VerifyError) as refused:
        read_public_key(text.encode())

    assert refused.value.reason is Reason.PUBLIC_KEY


def test_a_key_has_32_bytes() -> None:
    """A shorter one would be another key to whoever pads it."""
    with pytest.raises(ValueError, match="32 bytes"):
        PublicKey(bytes(31))


@pytest.mark.clause("RE-05")
@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], Reason.ENVELOPE_SHAPE),
        ({**GOOD, "more": 1}, Reason.ENVELOPE_SHAPE),
        ({**GOOD, "payload": 1}, Reason.ENVELOPE_SHAPE),
        ({**GOOD, "signatures": {}}, Reason.ENVELOPE_SHAPE),
        ({**GOOD, "signatures": ["x"]}, Reason.ENVELOPE_SHAPE),
        (with_signature(sig=None), Reason.ENVELOPE_SHAPE),
        (with_signature(sig=1), Reason.ENVELOPE_SHAPE),
        (with_signature(keyid=7), Reason.ENVELOPE_SHAPE),
        (with_signature(more="x"), Reason.ENVELOPE_SHAPE),
        ({**GOOD, "signatures": []}, Reason.SIGNATURE_COUNT),
        ({**GOOD, "signatures": [SIGNATURE, SIGNATURE]}, Reason.SIGNATURE_COUNT),
        (with_signature(keyid=None), Reason.KEY_ID_MISSING),
        (with_signature(keyid=""), Reason.KEY_ID_MISSING),
        (with_signature(keyid="A" * 64), Reason.KEY_ID_SHAPE),
        (with_signature(keyid="0" * 63), Reason.KEY_ID_SHAPE),
        (with_signature(sig=b64encode(bytes(63)).decode()), Reason.SIGNATURE_SIZE),
        ({**GOOD, "payload": "e30"}, Reason.ENVELOPE_BASE64),
        ({**GOOD, "payload": "e31="}, Reason.ENVELOPE_BASE64),
        ({**GOOD, "payload": "e3 0="}, Reason.ENVELOPE_BASE64),
        ({**GOOD, "payload": "é30="}, Reason.ENVELOPE_BASE64),
        (with_signature(sig="_" * 88), Reason.ENVELOPE_BASE64),
        ({**GOOD, "payloadType": ""}, Reason.PAYLOAD_TYPE),
        ({**GOOD, "payloadType": "x" * 257}, Reason.PAYLOAD_TYPE),
        ({**GOOD, "payload": b64encode(bytes(MAX_PAYLOAD_SIZE + 1)).decode()}, Reason.PAYLOAD_SIZE),
    ],
)
def test_a_misshapen_envelope_is_refused_by_its_reason(document: Any, reason: Reason) -> None:
    """Each way to be wrong has one reason."""
    assert refusal(canonicalize(document)) is reason


@pytest.mark.clause("RE-05")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.ENVELOPE_NOT_JSON),
        (b"\xff", Reason.ENVELOPE_NOT_JSON),
        (b"[NaN]", Reason.ENVELOPE_NOT_JSON),
        (b"[" * 60_000, Reason.ENVELOPE_NOT_JSON),
        (b'{"payload":"","payload":""}', Reason.ENVELOPE_DUPLICATE_KEY),
        (canonicalize(GOOD) + b"\n", Reason.ENVELOPE_NOT_CANONICAL),
        (json.dumps(GOOD).encode(), Reason.ENVELOPE_NOT_CANONICAL),
        (b"[1.0]", Reason.ENVELOPE_NOT_CANONICAL),
        (b"[1e400]", Reason.ENVELOPE_NOT_CANONICAL),
        (b"[9007199254740993]", Reason.ENVELOPE_NOT_CANONICAL),
        (b'["\\ud800"]', Reason.ENVELOPE_NOT_CANONICAL),
        (b" " * (MAX_ENVELOPE_SIZE + 1), Reason.ENVELOPE_SIZE),
    ],
)
def test_a_second_spelling_is_refused(data: bytes, reason: Reason) -> None:
    """One receipt is one file."""
    assert refusal(data) is reason


@pytest.mark.clause("RE-03")
def test_the_largest_payload_fits_into_an_envelope() -> None:
    """An entry of the log has a length of 16 bits."""
    envelope = Envelope("x" * 256, bytes(MAX_PAYLOAD_SIZE), "0" * 64, bytes(64))

    assert len(envelope.encode()) < MAX_ENVELOPE_SIZE
    assert open_envelope(envelope.encode()) == envelope


@pytest.mark.clause("RE-03")
def test_a_larger_payload_is_not_written() -> None:
    """What could not be read back is not signed for."""
    with pytest.raises(VerifyError) as refused:
        Envelope("x", bytes(MAX_PAYLOAD_SIZE + 1), "0" * 64, bytes(64)).encode()

    assert refused.value.reason is Reason.PAYLOAD_SIZE


@pytest.mark.clause("RE-01")
@pytest.mark.parametrize("case", JCS["numbers"], ids=lambda case: case["ieee754"])
def test_numbers_have_the_form_of_ecmascript(case: dict[str, str]) -> None:
    """A double is written as V8 writes it."""
    (value,) = struct.unpack(">d", bytes.fromhex(case["ieee754"]))

    assert canonicalize(value).decode() == case["jcs"]


@pytest.mark.clause("RE-01")
@pytest.mark.parametrize("case", JCS["objects"], ids=lambda case: case["sha256"][:8])
def test_objects_have_their_published_form(case: dict[str, str]) -> None:
    """Members are sorted by UTF-16 and strings escaped as RFC 8785 says; the form is read back."""
    form = canonicalize(json.loads(case["input"]))

    assert form.decode() == case["jcs"]
    assert hashlib.sha256(form).hexdigest() == case["sha256"]
    assert canonicalize(read_canonical(form, "payload")) == form


@pytest.mark.clause("RE-01")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {"\udc00": 1}])
def test_what_has_no_form_is_not_written(value: Any) -> None:
    """No-numbers, infinities and lone surrogates are refused by the writer too."""
    with pytest.raises(ValueError):
        canonicalize(value)


@given(kind=st.text(max_size=20), payload=st.binary(max_size=60), other=st.binary(max_size=60))
@pytest.mark.clause("RE-01")
def test_what_is_signed_is_unambiguous(kind: str, payload: bytes, other: bytes) -> None:
    """No type and payload share their signed bytes with others, wherever the border between them lies."""
    moved = pre_authentication_encoding(kind + "x", payload)

    assert pre_authentication_encoding(kind, b"x" + payload) != moved
    assert (pre_authentication_encoding(kind, payload) == pre_authentication_encoding(kind, other)) is (
        payload == other
    )
