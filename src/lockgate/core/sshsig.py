# SPDX-License-Identifier: Apache-2.0
"""A message comes in; the bytes that OpenSSH signs for it, and its signature as a file, go out.

PROTOCOL.sshsig of OpenSSH. What is signed begins with `SSHSIG`, and what a receipt's signature covers with `DSSEv1 `,
so that neither ever verifies as the other.
"""

from __future__ import annotations

import hashlib
import struct

from lockgate.core.base64_text import to_base64
from lockgate.core.public_key import PublicKey
from lockgate.core.published_keys import SSH_NAMESPACE

_MAGIC, _VERSION, _HASH, _KIND = b"SSHSIG", 1, b"sha512", b"ssh-ed25519"
# As `ssh-keygen -Y sign` breaks lines.
_COLUMNS = 70


def ssh_signed_bytes(message: bytes) -> bytes:
    """Return what a key signs for a message."""
    digested = hashlib.sha512(message).digest()
    return _MAGIC + b"".join(map(_string, (SSH_NAMESPACE.encode("ascii"), b"", _HASH, digested)))


def ssh_signature(key: PublicKey, signature: bytes) -> bytes:
    """Return the file that `ssh-keygen -Y verify` takes, of a signature over those bytes."""
    named = _string(_KIND) + _string(key.raw)
    signed = _string(_KIND) + _string(signature)
    parts = (named, SSH_NAMESPACE.encode("ascii"), b"", _HASH, signed)
    text = to_base64(_MAGIC + struct.pack(">I", _VERSION) + b"".join(map(_string, parts)))
    lines = [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
    return "\n".join(("-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", "")).encode("ascii")


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data
