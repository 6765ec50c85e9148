# SPDX-License-Identifier: Apache-2.0
"""A payload that root keys sign comes in; the key manifest that it states goes out, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lockgate.core.canonical import Json, canonicalize
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.envelope import pre_authentication_encoding
from lockgate.core.listed_key import (
    MAX_INDEX,
    ListedKey,
    Use,
    check_together,
    misshapen,
    nonsense,
    read_listed_key,
    read_listed_pem,
)
from lockgate.core.public_key import PublicKey

PAYLOAD_TYPE = "application/vnd.lockgate.key-manifest.v1+json"
MAX_ROOTS = 32
MAX_KEYS = 1_000
_HEX = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[^\s\x00-\x1f\x7f-\x9f]{1,512}")
_MEMBERS = frozenset(("version", "prevManifest", "org", "origin", "root", "keys"))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyManifest:
    """Which keys of an organisation sign, or signed, and from where to where in its log.

    `previous` is the SHA-256 of the envelope of the version before; None in the first. `former` are the roots of the
    version before that are none any more, whose consent stands among the signatures.
    """

    version: int
    previous: str | None
    org: str
    origin: str
    roots: tuple[PublicKey, ...]
    threshold: int
    keys: tuple[ListedKey, ...]
    former: tuple[PublicKey, ...] = ()

    def keys_at(self, index: int, use: Use | str) -> tuple[PublicKey, ...]:
        """Return the keys of a use whose signatures count at a place of the log."""
        return tuple(each.key for each in self.keys if each.use == use and each.counts_at(index))

    def listed(self, key_id: str) -> ListedKey | None:
        """Return the entry of a key."""
        return next((each for each in self.keys if each.key.key_id == key_id), None)

    def payload(self) -> bytes:
        """Return the canonical bytes that root keys sign."""
        root: dict[str, Json] = {"keys": [_pem(each) for each in self.roots], "threshold": self.threshold}
        return canonicalize(
            {
                "version": self.version,
                "prevManifest": self.previous,
                "org": self.org,
                "origin": self.origin,
                "root": {**root, "former": [_pem(each) for each in self.former]} if self.former else root,
                "keys": [each.document() for each in self.keys],
            }
        )

    def signed_bytes(self) -> bytes:
        """Return what each signature covers."""
        return pre_authentication_encoding(PAYLOAD_TYPE, self.payload())


def read_manifest_body(payload: bytes) -> KeyManifest:
    """Return the manifest whose one form a payload is; who signed it is not looked at."""
    body = read_canonical(payload, "payload")
    if not isinstance(body, dict) or set(body) != _MEMBERS:
        raise misshapen(f"it has {', '.join(sorted(_MEMBERS))}, and nothing else")
    version, previous, org, origin = body["version"], body["prevManifest"], body["org"], body["origin"]
    if not _is_count(version, MAX_INDEX) or not isinstance(version, int):
        raise misshapen("versions count from 1")
    if previous is not None and not (isinstance(previous, str) and _HEX.fullmatch(previous)):
        raise misshapen("prevManifest is null or a SHA-256 in lower-case hexadecimal")
    if (previous is None) != (version == 1):
        raise misshapen("the first version, and no other, names none before it")
    if (
        not isinstance(org, str)
        or not isinstance(origin, str)
        or not (_NAME.fullmatch(org) and _NAME.fullmatch(origin))
    ):
        raise misshapen("org and origin are names")
    roots, former, threshold = _roots(body["root"])
    keys = tuple(map(read_listed_key, _list(body["keys"], MAX_KEYS, "keys")))
    check_together(keys, (*roots, *former))
    return KeyManifest(
        version=version,
        previous=previous,
        org=org,
        origin=origin,
        roots=roots,
        threshold=threshold,
        keys=keys,
        former=former,
    )


def _roots(root: Json) -> tuple[tuple[PublicKey, ...], tuple[PublicKey, ...], int]:
    if not isinstance(root, Mapping) or set(root) - {"former"} != {"keys", "threshold"}:
        raise misshapen("root has keys and threshold, perhaps former, and nothing else")
    keys = tuple(map(read_listed_pem, _list(root["keys"], MAX_ROOTS, "root keys")))
    former = tuple(map(read_listed_pem, _list(root["former"], MAX_ROOTS, "former roots"))) if "former" in root else ()
    if len({*keys, *former}) != len(keys) + len(former):
        raise nonsense("a root key is listed twice")
    threshold = root["threshold"]
    if not isinstance(threshold, int) or not _is_count(threshold, len(keys)):
        raise nonsense(f"{len(keys)} root keys cannot be asked for {str(threshold)[:20]} signatures")
    return keys, former, threshold


def _list(value: Json, most: int, what: str) -> Sequence[Json]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise misshapen(f"it lists 1 to {most:,} {what}")
    return value


def _is_count(value: Json, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _pem(key: PublicKey) -> str:
    return key.pem.decode("ascii")
