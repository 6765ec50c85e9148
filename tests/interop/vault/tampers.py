# SPDX-License-Identifier: Apache-2.0
"""A receipt and its signer come in; every way in which somebody may change it goes out, with who takes it then.

A tool that only reads DSSE takes what a holder of the key signed, however it is written and whatever it states.
What it takes and Lockgate does not is named here, row by row, and in docs/howto/audit.md.
"""

from __future__ import annotations

import copy
import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lockgate.core.canonical import canonicalize
from lockgate.core.envelope import PAYLOAD_TYPE, Envelope, open_envelope
from lockgate.core.refusal import Reason
from lockgate.testing.signers import SeededSigner

OPENSSL, NODE, SIGSTORE, SECURESYSTEMSLIB = "openssl", "node", "sigstore", "securesystemslib"
NOBODY: frozenset[str] = frozenset()
ALL = frozenset((OPENSSL, NODE, SIGSTORE, SECURESYSTEMSLIB))
ORDER = 2**252 + 27742317777372353535851937790883648493
OTHER = SeededSigner("somebody else")

Change = Callable[[bytes, SeededSigner], bytes]


@dataclass(frozen=True)
class Tamper:
    """One change: what it makes of a receipt, why Lockgate refuses that, and which tools take it all the same."""

    name: str
    change: Change
    reason: Reason
    taken: frozenset[str] = NOBODY


def flipped(data: bytes, bit: int) -> bytes:
    """Return some bytes with one bit changed."""
    at, mask = bit // 8 % len(data), 1 << bit % 8
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def _parts(**changes: Callable[[Any], Any]) -> Change:
    """Return the change of some fields of an envelope, which is then written as an envelope is."""

    def change(envelope: bytes, _: SeededSigner) -> bytes:
        old = open_envelope(envelope)
        new = {name: changed(getattr(old, name)) for name, changed in changes.items()}
        fields = {name: getattr(old, name) for name in ("payload_type", "payload", "key_id", "signature")}
        return Envelope(**{**fields, **new}).encode()

    return change


def _document(changed: Callable[[dict[str, Any]], object], *, is_canonical: bool = True) -> Change:
    """Return the change of an envelope's JSON."""

    def change(envelope: bytes, _: SeededSigner) -> bytes:
        document = json.loads(envelope)
        changed(document)
        return canonicalize(document) if is_canonical else json.dumps(document, indent=1).encode()

    return change


def _text(changed: Callable[[bytes], bytes]) -> Change:
    return lambda envelope, _: changed(envelope)


def _signed(payload: Callable[[dict[str, Any]], bytes], payload_type: str = PAYLOAD_TYPE) -> Change:
    """Return what the same signer would have signed over another payload, or as another type."""

    def change(envelope: bytes, signer: SeededSigner) -> bytes:
        statement = json.loads(open_envelope(envelope).payload)
        unsigned = Envelope(payload_type, payload(statement), signer.key_id, bytes(64))
        return Envelope(payload_type, unsigned.payload, signer.key_id, signer.sign(unsigned.signed_bytes())).encode()

    return change


def _by_another(envelope: bytes, signer: SeededSigner) -> bytes:
    old = open_envelope(envelope)
    return Envelope(old.payload_type, old.payload, signer.key_id, OTHER.sign(old.signed_bytes())).encode()


def _of_another(envelope: bytes, _: SeededSigner) -> bytes:
    old = open_envelope(envelope)
    return Envelope(old.payload_type, old.payload, OTHER.key_id, OTHER.sign(old.signed_bytes())).encode()


def _malleated(signature: bytes) -> bytes:
    return signature[:32] + (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")


def _put(statement: dict[str, Any], path: str, value: object) -> bytes:
    changed: Any = copy.deepcopy(statement)
    *names, last = path.split(".")
    inner = changed
    for name in names:
        inner = inner[name]
    inner[last] = value
    return canonicalize(changed)


def _first(document: dict[str, Any]) -> dict[str, Any]:
    signature: dict[str, Any] = document["signatures"][0]
    return signature


def _padded_otherwise(document: dict[str, Any]) -> None:
    """Set bits behind the last byte of the signature, which decoders leave out."""
    sig = _first(document)["sig"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = letters[letters.index(sig[-3]) + 1]
    _first(document)["sig"] = sig[:-3] + last + "=="
    assert b64decode(sig) == b64decode(_first(document)["sig"])


def _url_safe(document: dict[str, Any]) -> None:
    """Write the signature in the alphabet of URLs, with a letter that tells the two apart."""
    raw = b"\xfb" + b64decode(_first(document)["sig"])[1:]
    _first(document)["sig"] = b64encode(raw).decode().replace("+", "-").replace("/", "_")


CHANGED = [
    Tamper("a bit of the payload", _parts(payload=lambda old: flipped(old, 999)), Reason.SIGNATURE),
    Tamper("another decision", _parts(payload=lambda old: old.replace(b'"seq":1', b'"seq":2')), Reason.SIGNATURE),
    Tamper("a bit of the signature", _parts(signature=lambda old: flipped(old, 7)), Reason.SIGNATURE),
    Tamper("another type", _parts(payload_type=lambda _: "application/json"), Reason.SIGNATURE),
    Tamper("no payload", _parts(payload=lambda _: b""), Reason.SIGNATURE),
    Tamper("the signature of no bytes", _parts(signature=lambda _: bytes(64)), Reason.SIGNATURE),
    Tamper("half a signature", _document(lambda each: _first(each).update(sig="AAAA")), Reason.SIGNATURE_SIZE),
    Tamper("no signature", _document(lambda each: each.update(signatures=[])), Reason.SIGNATURE_COUNT),
    Tamper("the signature's other form", _parts(signature=_malleated), Reason.SIGNATURE_MALLEATED),
    Tamper("signed by another key under our id", _by_another, Reason.SIGNATURE),
    Tamper("another key's own receipt", _of_another, Reason.KEY_UNKNOWN),
    Tamper("a half of the file", _text(lambda old: old[: len(old) // 2]), Reason.ENVELOPE_NOT_JSON),
    Tamper("an empty file", _text(lambda _: b""), Reason.ENVELOPE_NOT_JSON),
    Tamper("base64 of URLs and a bit", _document(_url_safe), Reason.ENVELOPE_BASE64),
]
# What was signed is unchanged in each of these: they are other files of the same statement.
RESPELLED = [
    Tamper(
        "written with line breaks",
        _document(lambda _: None, is_canonical=False),
        Reason.ENVELOPE_NOT_CANONICAL,
        ALL,
    ),
    Tamper("a line break behind it", _text(lambda old: old + b"\n"), Reason.ENVELOPE_NOT_CANONICAL, ALL),
    Tamper("a member more", _document(lambda each: each.update(note="good")), Reason.ENVELOPE_SHAPE, ALL),
    Tamper(
        "a member twice",
        _text(lambda old: b'{"payloadType":"x",' + old[1:]),
        Reason.ENVELOPE_DUPLICATE_KEY,
        ALL,
    ),
    Tamper("other bits behind the last", _document(_padded_otherwise), Reason.ENVELOPE_BASE64, ALL),
    Tamper(
        "bytes that are no UTF-8",
        _text(lambda old: old.replace(b'"payload":"', b'"payload":"\xff')),
        Reason.ENVELOPE_NOT_JSON,
        frozenset((NODE, SIGSTORE)),
    ),
    # jq reads a row of documents, and its errors about one end with the next.
    Tamper("a number before it", _text(lambda old: b"0" + old), Reason.ENVELOPE_NOT_JSON, frozenset((OPENSSL,))),
    Tamper(
        "no key id",
        _document(lambda each: _first(each).pop("keyid")),
        Reason.KEY_ID_MISSING,
        frozenset((OPENSSL, NODE)),
    ),
    Tamper("another key's id", _parts(key_id=lambda _: OTHER.key_id), Reason.KEY_UNKNOWN, frozenset((OPENSSL, NODE))),
    Tamper(
        "a second signature, of another key",
        _document(lambda each: each["signatures"].append({"keyid": OTHER.key_id, "sig": "AAAA"})),
        Reason.SIGNATURE_COUNT,
        frozenset((OPENSSL, NODE, SECURESYSTEMSLIB)),
    ),
    Tamper(
        "the signature twice",
        _document(lambda each: each["signatures"].append(dict(_first(each)))),
        Reason.SIGNATURE_COUNT,
        frozenset((OPENSSL, NODE)),
    ),
]
# The key's holder signed each of these, and none is a receipt: a tool that reads DSSE does not read what is in it.
SIGNED = [
    Tamper(
        "a statement in another form",
        _signed(lambda each: json.dumps(each, indent=1).encode()),
        Reason.PAYLOAD_NOT_CANONICAL,
        ALL,
    ),
    Tamper("another payload type", _signed(canonicalize, "application/json"), Reason.PAYLOAD_TYPE, ALL),
    Tamper("another statement type", _signed(lambda each: _put(each, "_type", "x")), Reason.STATEMENT_TYPE, ALL),
    Tamper("another predicate", _signed(lambda each: _put(each, "predicateType", "x")), Reason.PREDICATE_TYPE, ALL),
    Tamper("no subject", _signed(lambda each: _put(each, "subject", [])), Reason.SUBJECT, ALL),
    Tamper("a made-up id", _signed(lambda each: _put(each, "predicate.receiptId", "x")), Reason.RECEIPT_ID, ALL),
    Tamper(
        "a first receipt with one before it",
        _signed(
            lambda each: _put(each, "predicate.prevReceipt", {"sha256": hashlib.sha256(b"").hexdigest()}),
        ),
        Reason.PREVIOUS_RECEIPT,
        ALL,
    ),
]
TABLE = [*CHANGED, *RESPELLED, *SIGNED]
