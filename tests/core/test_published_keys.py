# SPDX-License-Identifier: Apache-2.0
"""Public keys come in; each encoding of them must be read back as the same keys by whoever knows that form."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64decode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key, load_ssh_public_key

from lockgate.core.note import read_note_key
from lockgate.core.public_key import read_public_key
from lockgate.core.published_keys import ALLOWED_SIGNERS, JWKS, LOG_KEYS, key_files
from tests.spec.signed import KEYS, LOG, ORIGIN, RECEIPTS

RAW = KEYS.receipt[0].raw
BOTH = (KEYS.receipt[0], read_public_key(LOG.public_key_pem))


def raw_of(key: object) -> bytes:
    """Return the bytes of a key that a library has read."""
    assert isinstance(key, Ed25519PublicKey)
    return key.public_bytes_raw()


@pytest.mark.clause("LG-30")
def test_every_encoding_is_of_the_same_keys() -> None:
    """As other programs read them, in their order."""
    files = key_files(BOTH, KEYS.log)

    raws = [each.raw for each in BOTH]
    ssh = [line.split(b" ", 2)[2] for line in files[ALLOWED_SIGNERS].splitlines()]
    assert [raw_of(load_pem_public_key(files[f"{each.key_id}.pem"])) for each in BOTH] == raws
    assert [raw_of(load_ssh_public_key(each)) for each in ssh] == raws
    assert [raw_of(each.key) for each in jwt.PyJWKSet.from_json(files[JWKS].decode()).keys] == raws
    assert [read_note_key(line) for line in files[LOG_KEYS].decode().splitlines()] == list(KEYS.log)


@pytest.mark.clause("LG-30")
def test_a_web_key_is_that_of_rfc_8037() -> None:
    """An octet key pair of Ed25519 without its private part, found by the id that receipts name."""
    (document,) = json.loads(key_files(KEYS.receipt, ())[JWKS])["keys"]

    x = document.pop("x")
    assert (urlsafe_b64decode(x + "="), "=" in x) == (RAW, False)
    assert document == {"kty": "OKP", "crv": "Ed25519", "kid": RECEIPTS.key_id, "use": "sig", "alg": "EdDSA"}


@pytest.mark.clause("LG-30")
def test_a_signer_is_allowed_for_receipts_alone() -> None:
    """The line names who signs, for what, and the key as RFC 8709 has it."""
    principal, namespaces, kind, blob = key_files(KEYS.receipt, ())[ALLOWED_SIGNERS].decode().split()

    assert (principal, namespaces, kind) == ("receipt@lockgate", 'namespaces="rollout-receipt@lockgate"', "ssh-ed25519")
    assert b64decode(blob) == b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + RAW


@pytest.mark.clause("LG-30")
def test_the_key_of_a_log_is_named_by_its_origin() -> None:
    """As checkpoints name who signed them."""
    assert key_files((), KEYS.log)[LOG_KEYS].decode().startswith(f"{ORIGIN}+")
