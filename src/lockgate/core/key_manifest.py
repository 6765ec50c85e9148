# SPDX-License-Identifier: Apache-2.0
"""Signed bytes and trusted root keys come in; which keys count at which places of a log goes out, or a refusal.

A manifest is a DSSE envelope with one signature or more, of root keys that sign nothing else and are kept offline.
Each version names the one before it by digest; a change of roots needs the consent of the former and of the new ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lockgate.core.base64_text import from_base64, to_base64
from lockgate.core.canonical import Json, canonicalize
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.envelope import SIGNATURE_SIZE, is_malleated
from lockgate.core.listed_key import misshapen
from lockgate.core.manifest_body import MAX_ROOTS, PAYLOAD_TYPE, KeyManifest, read_manifest_body
from lockgate.core.public_key import PublicKey
from lockgate.core.refusal import Reason, VerifyError

MAX_MANIFEST_SIZE = 1_000_000

# The 32 bytes of a key, a signature and a message; says whether they belong together.
IsSigned = Callable[[bytes, bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest and the signatures that came with it, by the ids of their keys; nothing has been verified."""

    manifest: KeyManifest
    signatures: tuple[tuple[str, bytes], ...] = ()

    def encode(self) -> bytes:
        """Return the canonical bytes of the envelope."""
        entries: list[Json] = [{"keyid": key_id, "sig": to_base64(sig)} for key_id, sig in sorted(self.signatures)]
        payload = to_base64(self.manifest.payload())
        return canonicalize({"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": entries})

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the envelope in hexadecimal, by which the next version names this one."""
        return hashlib.sha256(self.encode()).hexdigest()

    def signers(self, is_signed: IsSigned) -> frozenset[str]:
        """Return the ids of those who signed; a signature of nobody's or a wrong one is refused."""
        known = {key.key_id: key for key in (*self.manifest.roots, *self.manifest.former)}
        message = self.manifest.signed_bytes()
        for key_id, signature in self.signatures:
            if key_id not in known:
                raise VerifyError(
                    Reason.KEY_UNKNOWN,
                    f"key {key_id} signed the manifest, and is none of its roots",
                    advice="Take the manifest again from where its owner publishes it: this signature was added to it.",
                )
            if is_malleated(signature):
                raise VerifyError(Reason.SIGNATURE_MALLEATED, "a signature is a second form of another one")
            if not is_signed(known[key_id].raw, signature, message):
                raise VerifyError(Reason.SIGNATURE, f"the signature of root key {key_id} is not of this manifest")
        return frozenset(key_id for key_id, _ in self.signatures)


def read_manifest(
    data: bytes, trusted_roots: Sequence[PublicKey], is_signed: IsSigned, threshold: int = 1
) -> KeyManifest:
    """Return a manifest that enough root keys signed which the verifier trusts.

    Enough are as many as the manifest demands, and no fewer than `threshold`, by which a verifier who knows how many
    it takes is safe from one root key that was stolen.
    """
    found = open_manifest(data)
    signers = _signed_by_own(found, is_signed)
    trusted = signers & {root.key_id for root in trusted_roots}
    wanted = max(found.manifest.threshold, threshold)
    if len(trusted) < wanted:
        raise _unsigned(f"{len(trusted)} of the root keys that you trust signed it, and it takes {wanted}")
    return found.manifest


def read_manifests(
    versions: Sequence[bytes], trusted_roots: Sequence[PublicKey], is_signed: IsSigned, threshold: int = 1
) -> KeyManifest:
    """Return the last of successive versions, one of which trusted roots signed, and from which each led to the next.

    Those before it lead to it as well, but need not be trusted: who trusts the root that took a stolen one's place
    trusts no version of before.
    No version from it on, nor the consent to it, counts with fewer than `threshold` signatures: else one stolen root
    key of an early version would lead to keys of its own.
    """
    if not versions:
        raise misshapen("there is none")
    begin = _first_trusted(versions, trusted_roots, is_signed, threshold)
    for number, (old, new) in enumerate(pairwise(versions)):
        check_successor(old, new, is_signed, threshold if number >= begin else 1)
    return open_manifest(versions[-1]).manifest


def _first_trusted(
    versions: Sequence[bytes], trusted_roots: Sequence[PublicKey], is_signed: IsSigned, threshold: int
) -> int:
    """Return which of some versions is the first that enough trusted roots signed; behind the first its own count."""
    refused: list[VerifyError] = []
    for number, each in enumerate(versions):
        own = open_manifest(each).manifest.roots
        roots = [root for root in trusted_roots if number == 0 or root in own]
        try:
            read_manifest(each, roots, is_signed, threshold)
        except VerifyError as error:
            if error.reason is not Reason.MANIFEST_SIGNATURES:
                raise
            refused.append(error)
        else:
            return number
    raise refused[0]


def check_successor(old: bytes, new: bytes, is_signed: IsSigned, threshold: int = 1) -> KeyManifest:
    """Return a manifest that follows another: it names it, and the roots of both signed it (as TUF's root role).

    Of either's roots as many must have signed as it demands itself, and no fewer than `threshold`.
    """
    before, after = open_manifest(old), open_manifest(new)
    _signed_by_own(before, is_signed, threshold)
    signers = _signed_by_own(after, is_signed, threshold)
    was, now = before.manifest, after.manifest
    if (now.version, now.previous) != (was.version + 1, before.digest):
        raise _no_successor(f"version {now.version} does not follow this version {was.version}")
    if (now.org, now.origin) != (was.org, was.origin):
        raise _no_successor(f"it is of the log {now.origin} of {now.org}, and not of {was.origin} of {was.org}")
    if now.former != tuple(root for root in was.roots if root not in now.roots):
        raise _no_successor("it does not name the roots that it leaves out")
    wanted = max(was.threshold, threshold)
    if len(signers & {root.key_id for root in was.roots}) < wanted:
        raise _unsigned(f"a change of version {was.version} takes {wanted} of its own roots")
    return now


def open_manifest(data: bytes) -> SignedManifest:
    """Return the manifest that some bytes are the one form of; nothing in it has been verified."""
    if len(data) > MAX_MANIFEST_SIZE:
        raise VerifyError(Reason.ENVELOPE_SIZE, f"the key manifest is larger than {MAX_MANIFEST_SIZE:,} bytes")
    document = read_canonical(data, "envelope")
    if not isinstance(document, dict) or set(document) != {"payload", "payloadType", "signatures"}:
        raise misshapen("an envelope has payload, payloadType and signatures, and nothing else")
    payload, entries = document["payload"], document["signatures"]
    if not isinstance(payload, str) or not isinstance(entries, list):
        raise misshapen("payload is a text and signatures are a list")
    named = tuple(map(_named, entries))
    if document["payloadType"] != PAYLOAD_TYPE:
        raise VerifyError(Reason.PAYLOAD_TYPE, f"the payload is of another type than {PAYLOAD_TYPE}")
    body, signatures = _bytes(payload), _signatures(named)
    return SignedManifest(read_manifest_body(body), signatures)


def _signed_by_own(found: SignedManifest, is_signed: IsSigned, threshold: int = 1) -> frozenset[str]:
    signers, manifest = found.signers(is_signed), found.manifest
    own = signers & {root.key_id for root in manifest.roots}
    wanted = max(manifest.threshold, threshold)
    if len(own) < wanted:
        raise _unsigned(f"{len(own)} of its own root keys signed it, and it takes {wanted}")
    return signers


def _named(entry: Json) -> tuple[str, str]:
    if isinstance(entry, dict) and set(entry) == {"keyid", "sig"}:
        key_id, signature = entry["keyid"], entry["sig"]
        if isinstance(key_id, str) and isinstance(signature, str):
            return key_id, signature
    raise misshapen("a signature has keyid and sig, both texts, and nothing else")


def _signatures(named: Sequence[tuple[str, str]]) -> tuple[tuple[str, bytes], ...]:
    found = tuple((key_id, _bytes(signature)) for key_id, signature in named)
    ids = [key_id for key_id, _ in found]
    if ids != sorted(set(ids)) or len(ids) > 2 * MAX_ROOTS:
        raise VerifyError(Reason.SIGNATURE_COUNT, "signatures are in the order of their keys, one of each")
    if any(len(signature) != SIGNATURE_SIZE for _, signature in found):
        raise VerifyError(Reason.SIGNATURE_SIZE, f"an Ed25519 signature has {SIGNATURE_SIZE} bytes")
    return found


def _bytes(text: str) -> bytes:
    try:
        return from_base64(text)
    except ValueError as error:
        raise VerifyError(Reason.ENVELOPE_BASE64, "payload and sig are padded standard base64") from error


def _unsigned(message: str) -> VerifyError:
    return VerifyError(
        Reason.MANIFEST_SIGNATURES,
        f"the key manifest is not signed by enough root keys: {message}",
        advice="Take root keys from where their owner publishes them, never from what is to be verified.",
    )


def _no_successor(message: str) -> VerifyError:
    return VerifyError(Reason.MANIFEST_SUCCESSION, f"the key manifest is not the next one: {message}")
