# SPDX-License-Identifier: Apache-2.0
"""Versions of a key manifest and root keys that are trusted come in; which keys count, and where, goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lockgate.core.canonical import Json
from lockgate.core.key_manifest import read_manifests
from lockgate.core.listed_key import ListedKey, Status, Use
from lockgate.core.manifest_body import KeyManifest
from lockgate.core.public_key import PublicKey
from lockgate.verify.signature import is_signed


@dataclass(frozen=True, slots=True)
class VerifiedManifest:
    """A key manifest that trusted root keys signed."""

    manifest: KeyManifest
    proven: tuple[str, ...]
    unproven: tuple[str, ...]

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        found = self.manifest
        return {
            "valid": True,
            "kind": "manifest",
            "version": found.version,
            "org": found.org,
            "origin": found.origin,
            "threshold": found.threshold,
            "roots": [root.key_id for root in found.roots],
            "keys": [each.document() for each in found.keys],
            "proven": list(self.proven),
            "unproven": list(self.unproven),
        }


def verify_manifest(versions: Sequence[bytes], roots: Sequence[PublicKey], threshold: int = 1) -> VerifiedManifest:
    """Return what the last of successive versions of a key manifest proves, of which trusted roots signed the first."""
    found = read_manifests(versions, roots, is_signed, threshold)
    wanted = max(found.threshold, threshold)
    said = [
        f"Root keys that you trust signed version {found.version} of the key manifest of {found.org}, or the version "
        "from which consent led to it."
        if len(versions) > 1
        else f"{wanted} or more root keys that you trust signed version {found.version} of the key manifest "
        f"of {found.org}."
    ]
    said += [f"{each.use.value} key {each.key.key_id} {_span(each)} of the log {found.origin}." for each in found.keys]
    open_ = (
        "That no later version exists, which may revoke a key: take it from where its owner publishes it.",
        "Whose root keys they are: compare their ids with those that their owner publishes.",
    )
    return VerifiedManifest(found, tuple(said), open_)


def _span(each: ListedKey) -> str:
    if each.last is None:
        return f"counts from entry {each.first} on"
    is_revoked = each.status is Status.REVOKED
    why = "was revoked" if is_revoked else "was retired"
    if each.last < each.first:
        return f"{why}: it counts at no entry"
    only = ", for checkpoints that you kept from before only," if is_revoked and each.use is Use.LOG else ""
    return f"{why}: it counts from entry {each.first} to entry {each.last}{only}"
