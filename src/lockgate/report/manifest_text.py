# SPDX-License-Identifier: Apache-2.0
"""A key manifest comes in; lines that say what it says, for whoever is to sign it or has published it, go out."""

from __future__ import annotations

from collections.abc import Sequence

from lockgate.core.canonical import Json
from lockgate.core.key_manifest import SignedManifest
from lockgate.core.listed_key import ListedKey, Status, Use


def manifest_lines(signed: SignedManifest) -> Sequence[str]:
    """Return what a manifest says, a line for each key."""
    manifest, signers = signed.manifest, {key_id for key_id, _ in signed.signatures}
    roots = [(key, "root key") for key in manifest.roots] + [(key, "former root key") for key in manifest.former]
    return [
        f"Version {manifest.version} of the key manifest of {manifest.origin} ({manifest.org}).",
        f"It takes {manifest.threshold} of {len(manifest.roots)} root keys.",
        *(f"  {kind} {key.key_id}{' has signed' if key.key_id in signers else ''}" for key, kind in roots),
        *(f"  {_key(each)}" for each in manifest.keys),
    ]


def manifest_document(signed: SignedManifest) -> dict[str, Json]:
    """Return a manifest as JSON, with who has signed it and the digest of its bytes."""
    manifest = signed.manifest
    return {
        "version": manifest.version,
        "sha256": signed.digest,
        "prevManifest": manifest.previous,
        "org": manifest.org,
        "origin": manifest.origin,
        "threshold": manifest.threshold,
        "roots": [key.key_id for key in manifest.roots],
        "formerRoots": [key.key_id for key in manifest.former],
        "signedBy": [key_id for key_id, _ in signed.signatures],
        "keys": [each.document() for each in manifest.keys],
    }


def _key(listed: ListedKey) -> str:
    why = "" if listed.reason is None else f": {listed.reason}"
    return f"{listed.use.value} key {listed.key.key_id} counts {_span(listed)}, {listed.status.value}{why}"


def _span(listed: ListedKey) -> str:
    if listed.last is None:
        return f"from entry {listed.first} on"
    if listed.last < listed.first:
        return "nowhere"
    only = " in checkpoints kept from before only" if (listed.use, listed.status) == _STOLEN_LOG_KEY else ""
    return f"for entries {listed.first} to {listed.last}{only}"


_STOLEN_LOG_KEY = (Use.LOG, Status.REVOKED)
