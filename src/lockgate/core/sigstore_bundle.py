# SPDX-License-Identifier: Apache-2.0
"""The bytes of a receipt come in; a Sigstore bundle v0.3 that holds them goes out.

It names the key by its id and has neither log entry nor timestamp of Sigstore's own services: whoever verifies it
hands over the key.
"""

from __future__ import annotations

from lockgate.core.canonical import canonicalize
from lockgate.core.envelope import signer_of

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
# In its canonical form `dsseEnvelope` comes first, and there the envelope is the receipt's own bytes.
_MARK = b'"dsseEnvelope":'


def sigstore_bundle(envelope: bytes) -> bytes:
    """Return the canonical bytes of the bundle of an envelope in its one form."""
    rest = canonicalize(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {
                "publicKey": {"hint": signer_of(envelope)},
                "timestampVerificationData": {},
                "tlogEntries": [],
            },
        }
    )
    return b"{" + _MARK + envelope + b"," + rest[1:]
