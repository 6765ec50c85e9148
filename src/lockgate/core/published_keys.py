# SPDX-License-Identifier: Apache-2.0
"""The public keys of a vault come in; the files by which others verify what it signed go out, in the forms of tools."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence

from lockgate.core.note import NoteKey
from lockgate.core.public_key import PublicKey

JWKS, ALLOWED_SIGNERS, LOG_KEYS = "jwks.json", "allowed_signers", "log.vkey"
# By which `ssh-keygen -Y verify` is told who signed, and for what.
SSH_PRINCIPAL, SSH_NAMESPACE = "receipt@lockgate", "rollout-receipt@lockgate"
_SSH_TYPE = b"ssh-ed25519"


def pem_name(key: PublicKey) -> str:
    """Return the name of the file that holds a key in PEM."""
    return f"{key.key_id}.pem"


def key_files(receipt: Sequence[PublicKey], log: Sequence[NoteKey]) -> dict[str, bytes]:
    """Return every encoding of the keys of receipts, and of those of the log, by the names of their files."""
    return {
        JWKS: jwks(receipt),
        ALLOWED_SIGNERS: allowed_signers(receipt),
        LOG_KEYS: "".join(f"{key.text}\n" for key in log).encode("utf-8"),
        **{pem_name(key): key.pem for key in receipt},
    }


def jwks(keys: Sequence[PublicKey]) -> bytes:
    """Return the keys as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    documents = [
        {"kty": "OKP", "crv": "Ed25519", "x": _base64url(key.raw), "kid": key.key_id, "use": "sig", "alg": "EdDSA"}
        for key in keys
    ]
    return json.dumps({"keys": documents}, indent=2).encode("ascii") + b"\n"


def allowed_signers(keys: Sequence[PublicKey]) -> bytes:
    """Return the keys as `ssh-keygen -Y verify -f` takes them (ssh-keygen(1), ALLOWED SIGNERS)."""
    line = '{} namespaces="{}" ssh-ed25519 {}\n'
    return "".join(line.format(SSH_PRINCIPAL, SSH_NAMESPACE, _ssh_blob(key)) for key in keys).encode("ascii")


def _ssh_blob(key: PublicKey) -> str:
    # RFC 8709 section 4: two strings, each behind its length in four bytes.
    parts = (_SSH_TYPE, key.raw)
    return b64encode(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).decode("ascii")


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
