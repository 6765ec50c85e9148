# SPDX-License-Identifier: Apache-2.0
"""Private keys that somebody has stolen come in; whatever can be forged by them goes out, at every place of a log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lockgate.adapters.signers.ed25519_file import Ed25519FileSigner, read_key_file
from lockgate.core.canonical import canonicalize
from lockgate.core.checkpoint import Checkpoint, LogProof, checkpoint_of
from lockgate.core.envelope import open_envelope
from lockgate.core.key_manifest import SignedManifest, open_manifest
from lockgate.core.listed_key import ListedKey, Status, Use
from lockgate.core.manifest_body import KeyManifest
from lockgate.core.merkle import Node, Tree, leaf_hash, plan_inclusion
from lockgate.core.public_key import read_public_key
from lockgate.operations.keys.manifest import with_signature
from lockgate.operations.vault.proofs import latest_checkpoint, latest_proof
from lockgate.operations.vault.sign import sign_checkpoint, sign_receipt
from lockgate.ports.house import House
from lockgate.ports.signing import Signer

# Trees that the log never had reach so far beyond it.
BEYOND = 2


@dataclass(frozen=True, slots=True)
class Thief:
    """Keys of receipts and of the log that somebody else has too."""

    receipt: tuple[Signer, ...] = ()
    log: tuple[Signer, ...] = ()

    def and_also(self, other: Thief) -> Thief:
        """Return who has the keys of both."""
        return Thief((*self.receipt, *other.receipt), (*self.log, *other.log))

    def key_id(self, role: Use) -> str:
        """Return the id of the one stolen key of a role."""
        [found] = self.receipt if role is Use.RECEIPT else self.log
        return found.key_id


def stolen(folder: Path, *names: str) -> Thief:
    """Return whoever read private keys in a folder: those of some names, else all."""
    paths = [folder / name for name in names] or [*folder.glob("*.pem"), *(folder / "retired").glob("*.pem")]
    found: dict[str, list[Ed25519FileSigner]] = {"receipt": [], "log": []}
    for path in sorted(paths):
        found[path.name.partition(".")[0].partition("-")[0]].append(read_key_file(path))
    return Thief(tuple(found["receipt"]), tuple(found["log"]))


def forged_receipts(thief: Thief, house: House) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield receipts that say what nobody decided, without a proof, with each one of another, and in trees of a thief.

    In a tree that a stolen key of the log signs they stand at every place, behind what the log holds before it.
    """
    with house.store.reading(house.org) as seen:
        log = seen.entries_after(-1, 1_000)
        proofs, origin = [latest_proof(seen, each) for each in log], checkpoint_of(latest_checkpoint(seen)).origin
    for signer in thief.receipt:
        envelope = _forged(log[0].envelope, signer)
        yield envelope, None
        yield from ((envelope, proof) for proof in proofs)
        for place in range(len(log) + BEYOND):
            entries = [*(each.envelope for each in log[:place]), *[envelope] * (place + 1 - min(place, len(log)))]
            for key in thief.log:
                yield envelope, _proof(entries, len(entries) - 1, origin, key)


def forged_checkpoints(thief: Thief, house: House) -> Iterator[bytes]:
    """Yield checkpoints of every size with a root that the log never had."""
    with house.store.reading(house.org) as seen:
        shown = checkpoint_of(latest_checkpoint(seen))
    for signer in thief.log:
        for size in range(1, shown.size + BEYOND + 1):
            yield sign_checkpoint(Checkpoint(shown.origin, size, b"\x42" * 32), signer)


def forged_manifests(current: bytes, roots: Sequence[Signer], own: Signer) -> Iterator[tuple[bytes, ...]]:
    """Yield what leads to a key of a thief's own who has stolen root keys: a first version, and one that follows."""
    was = open_manifest(current)
    mine = tuple(read_public_key(each.public_key_pem) for each in roots)
    listed = ListedKey(key=read_public_key(own.public_key_pem), use=Use.RECEIPT, status=Status.ACTIVE, first=0)
    first = KeyManifest(
        version=1,
        previous=None,
        org=was.manifest.org,
        origin=was.manifest.origin,
        roots=mine,
        threshold=1,
        keys=(listed,),
    )
    former = tuple(each for each in was.manifest.roots if each not in mine)
    follows = replace(first, version=was.manifest.version + 1, previous=was.digest, former=former)
    yield (_signed(first, roots),)
    yield (current, _signed(follows, roots))


def _signed(manifest: KeyManifest, roots: Sequence[Signer]) -> bytes:
    found = SignedManifest(manifest)
    for root in roots:
        found = with_signature(found, root.key_id, root.sign(manifest.signed_bytes()))
    return found.encode()


def _forged(envelope: bytes, signer: Signer) -> bytes:
    statement = json.loads(open_envelope(envelope).payload)
    statement["predicate"]["decision"]["reason"] = "nobody decided this"
    return sign_receipt(canonicalize(statement), signer)


def _proof(entries: Sequence[bytes], index: int, origin: str, signer: Signer) -> bytes:
    tree, kept = Tree(), dict[Node, bytes]()
    for each in entries:
        tree, made = tree.append(leaf_hash(each))
        kept.update(made)
    note = sign_checkpoint(Checkpoint(origin, tree.size, tree.root), signer)
    return LogProof(index, plan_inclusion(index, tree.size).hashes(kept), note).encode()
