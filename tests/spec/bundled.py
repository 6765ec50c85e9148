# SPDX-License-Identifier: Apache-2.0
"""A rollout of a simulated world is exported; its bundle's files, the keys to trust, and changed bundles go out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from lockgate.core.bundle import decode
from lockgate.core.bundle_layout import MANIFEST, manifest
from lockgate.core.canonical import canonicalize
from lockgate.core.envelope import open_envelope
from lockgate.operations.bundle.bundle import Wanted, bundle
from lockgate.operations.steering.freeze import freeze
from lockgate.operations.vault.sign import sign_receipt
from lockgate.testing.world import World
from lockgate.verify import Keys, read_note_key, read_public_key
from tests.spec.line import APP, EQUAL, WORSE, created, world
from tests.spec.operators import ANN

PAGES = {"timeline.html": b"<p>what happened</p>\n", "README.txt": b"read me\n", "audit.sh": b"exit 0\n"}


@cache
def sample() -> tuple[World, str]:
    """Return a world whose rollout was frozen, looked at, and then rolled back."""
    here = world()
    made = created(here).rollout.id
    freeze(APP, ANN, here.house)
    here.walk(made, EQUAL, runs=400, minutes=5)
    here.walk(made, WORSE, runs=400, minutes=30)
    return here, made


@cache
def packed() -> bytes:
    """Return its bundle."""
    here, made = sample()
    with bundle(Wanted(rollout_id=made, pages=lambda _record, _missing: PAGES), here.house) as gathered:
        return b"".join(gathered.pieces())


def files() -> dict[str, bytes]:
    """Return the bundle's files."""
    return dict(decode(packed()))


def keys() -> Keys:
    """Return the keys that its owner publishes."""
    here, _ = sample()
    log = read_note_key(files()["keys/log-key.txt"].decode())
    return Keys((read_public_key(here.house.signers.receipt.public_key_pem),), (log,))


def listed(changed: Mapping[str, bytes], **about: Any) -> dict[str, bytes]:
    """Return files with a manifest that lists them, as somebody makes it who may change all but signatures."""
    was = json.loads(files()[MANIFEST])
    digests = {
        name: (hashlib.sha256(data).hexdigest(), len(data)) for name, data in changed.items() if name != MANIFEST
    }
    kept = {name: value for name, value in was.items() if name not in ("files", "format")}
    return {**changed, MANIFEST: manifest({**kept, **about}, digests)}


def changed(changes: Mapping[str, bytes | None]) -> dict[str, bytes]:
    """Return the bundle with other files, listed; None takes one out."""
    merged = {**files(), **changes}
    return listed({name: data for name, data in merged.items() if data is not None})


def signed_again(name: str, **members: Any) -> bytes:
    """Return a receipt of the bundle as its own signer would sign it with other members of its predicate."""
    here, _ = sample()
    statement = json.loads(open_envelope(files()[name]).payload)
    statement["predicate"].update(members)
    return sign_receipt(canonicalize(statement), here.house.signers.receipt)
