# SPDX-License-Identifier: Apache-2.0
"""The ids of keys that signed come in; the public keys go into a bundle's spool, and out goes which are missing."""

from __future__ import annotations

from collections.abc import Collection

from lockgate.core.bundle_layout import ALLOWED_SIGNERS, KEY_MANIFEST, LOG_KEYS, key_file, older_key_manifest
from lockgate.core.canonical import Json
from lockgate.core.listed_key import Use
from lockgate.core.note import NoteKey
from lockgate.core.published_keys import allowed_signers
from lockgate.operations.bundle.spool import Spool
from lockgate.operations.keys.manifest import manifests_in
from lockgate.operations.keys.public_keys import public_keys
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot


def put_keys(seen: Snapshot, house: House, origin: str, signers: Collection[str], files: Spool) -> dict[str, Json]:
    """Keep the keys that signed receipts, all of the log, and every key manifest; return what is missing, and why."""
    ours = public_keys(house)
    known = {key.key_id: key for key in ours[Use.RECEIPT]}
    found = [known[key_id] for key_id in sorted(signers) if key_id in known]
    for key in found:
        files.add(key_file(key.key_id), key.pem)
    files.add(ALLOWED_SIGNERS, allowed_signers(found))
    lines = sorted(NoteKey(origin, key.raw).text for key in ours[Use.LOG])
    files.add(LOG_KEYS, "".join(f"{line}\n" for line in lines).encode("utf-8"))
    versions = manifests_in(seen, house.org)
    for version, data in enumerate(versions, 1):
        files.add(KEY_MANIFEST if version == len(versions) else older_key_manifest(version), data)
    lost: list[Json] = [
        {"keyid": key_id, "why": "it was not kept where the bundle was made"}
        for key_id in sorted(signers)
        if key_id not in known
    ]
    return {"keys": lost} if lost else {}
