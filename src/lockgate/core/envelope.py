# SPDX-License-Identifier: Apache-2.0
"""A payload and its signature come in; the bytes of a DSSE envelope go out, and the other way round.

DSSE v1 (github.com/secure-systems-lab/dsse, protocol.md), with one signature and one byte form:
an envelope is the RFC 8785 form of itself, so the same receipt is the same file everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lockgate.core.base64_text import from_base64, to_base64
from lockgate.core.canonical import Json, canonicalize
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.refusal import Reason, VerifyError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
# An entry of a C2SP tile has a length of 16 bits; 40,000 bytes and their signature stay below it in base64.
MAX_ENVELOPE_SIZE = 65_535
MAX_PAYLOAD_SIZE = 40_000
MAX_TYPE_LENGTH = 256
SIGNATURE_SIZE = 64
KEY_ID_LENGTH = 64
# RFC 8032 section 5.1: the order of the group. A signature with S + ORDER would be a second one over the same bytes.
_ORDER = 2**252 + 27742317777372353535851937790883648493
# An envelope of which nothing is escaped is in its one form: most are read so, and all others are read as JSON.
_PLAIN = re.compile(
    rb'\{"payload":"([A-Za-z0-9+/=]*)","payloadType":"([A-Za-z0-9+./_-]*)",'
    rb'"signatures":\[\{"keyid":"([0-9a-f]{64})","sig":"([A-Za-z0-9+/=]*)"\}\]\}'
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, its type, and the one signature over both.

    The key id is not signed: a verifier selects a key by it and trusts only its own keys.
    """

    payload_type: str
    payload: bytes
    key_id: str
    signature: bytes

    def encode(self) -> bytes:
        """Return the canonical bytes, which are the entry of the log."""
        _check_sizes(self)
        signatures: list[Json] = [{"keyid": self.key_id, "sig": to_base64(self.signature)}]
        return canonicalize(
            {"payload": to_base64(self.payload), "payloadType": self.payload_type, "signatures": signatures}
        )

    def signed_bytes(self) -> bytes:
        """Return what the signature covers."""
        return pre_authentication_encoding(self.payload_type, self.payload)


def is_malleated(signature: bytes) -> bool:
    """Say whether an Ed25519 signature is a second form of another one."""
    return int.from_bytes(signature[32:], "little") >= _ORDER


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes to sign: type and payload, each behind its length."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def open_envelope(data: bytes) -> Envelope:
    """Return the envelope that some bytes are the one form of; nothing in it has been verified."""
    if len(data) > MAX_ENVELOPE_SIZE:
        raise VerifyError(Reason.ENVELOPE_SIZE, f"the envelope is larger than {MAX_ENVELOPE_SIZE:,} bytes")
    plain = _PLAIN.fullmatch(data)
    if plain:
        return _plain(*(part.decode("ascii") for part in plain.groups()))
    document = read_canonical(data, "envelope")
    if not isinstance(document, dict) or set(document) != {"payload", "payloadType", "signatures"}:
        raise _misshapen("an envelope has payload, payloadType and signatures, and nothing else")
    payload, payload_type, signatures = document["payload"], document["payloadType"], document["signatures"]
    if not isinstance(payload, str) or not isinstance(payload_type, str) or not isinstance(signatures, list):
        raise _misshapen("payload and payloadType are texts, signatures is a list")
    if len(signatures) != 1:
        raise VerifyError(Reason.SIGNATURE_COUNT, f"the envelope has {len(signatures)} signatures, and not one")
    key_id, signature = _signature(signatures[0])
    envelope = Envelope(payload_type, _bytes(payload, "payload"), key_id, _bytes(signature, "signature"))
    _check_sizes(envelope)
    return envelope


def _plain(payload: str, payload_type: str, key_id: str, signature: str) -> Envelope:
    envelope = Envelope(payload_type, _bytes(payload, "payload"), key_id, _bytes(signature, "signature"))
    _check_sizes(envelope)
    return envelope


def signer_of(data: bytes) -> str:
    """Return the id of the key that an envelope in its one form names, without a look at the rest of it."""
    return data.rpartition(b'"keyid":"')[2][:KEY_ID_LENGTH].decode("ascii", "replace")


def _signature(entry: object) -> tuple[str, str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("sig"), str):
        raise _misshapen("a signature has keyid and sig, both texts")
    if entry.get("keyid") in (None, ""):
        raise VerifyError(Reason.KEY_ID_MISSING, "the signature does not name its key")
    if set(entry) != {"keyid", "sig"} or not isinstance(entry["keyid"], str):
        raise _misshapen("a signature has keyid and sig, both texts, and nothing else")
    return entry["keyid"], entry["sig"]


def _check_sizes(envelope: Envelope) -> None:
    if len(envelope.payload) > MAX_PAYLOAD_SIZE:
        raise VerifyError(Reason.PAYLOAD_SIZE, f"the payload is larger than {MAX_PAYLOAD_SIZE:,} bytes")
    if not 0 < len(envelope.payload_type) <= MAX_TYPE_LENGTH:
        raise VerifyError(Reason.PAYLOAD_TYPE, f"a payload's type has 1 to {MAX_TYPE_LENGTH} characters")
    if len(envelope.key_id) != KEY_ID_LENGTH or set(envelope.key_id) - set("0123456789abcdef"):
        raise VerifyError(Reason.KEY_ID_SHAPE, "a key id is a SHA-256 in lower-case hexadecimal")
    if len(envelope.signature) != SIGNATURE_SIZE:
        raise VerifyError(
            Reason.SIGNATURE_SIZE,
            f"an Ed25519 signature has {SIGNATURE_SIZE} bytes, and this one {len(envelope.signature)}",
        )


def _bytes(text: str, name: str) -> bytes:
    try:
        return from_base64(text)
    except ValueError as error:
        raise VerifyError(Reason.ENVELOPE_BASE64, f"the {name} is not padded standard base64") from error


def _misshapen(message: str) -> VerifyError:
    return VerifyError(Reason.ENVELOPE_SHAPE, message)
