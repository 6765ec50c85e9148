# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; four versions of a key manifest, the log of their keys and what verifies by them go out.

The second version rotates both keys, with an overlap of the log's; the third takes another root key in the place of
one, revokes a key of receipts and retires the log's first; the fourth revokes a key before its first entry, and the
log's second.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from lockgate.core.canonical import canonicalize
from lockgate.core.envelope import pre_authentication_encoding
from lockgate.core.key_manifest import open_manifest
from lockgate.core.listed_key import ListedKey, Status, Use
from lockgate.core.manifest_body import PAYLOAD_TYPE, KeyManifest
from lockgate.core.note import Note, read_note
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.operations.vault.sign import log_key
from lockgate.ports.signing import Signer
from lockgate.testing.signers import SeededSigner
from tools.receipt_contradictions import series, signed_by
from tools.receipt_log import ORIGIN, Log
from tools.receipt_samples import LOG, ORG, RECEIPTS

# What a verifier is handed, by what each is.
Files = dict[str, Any]

ROOTS = {name: SeededSigner(f"TEST-ONLY root vectors {name}") for name in "abcd"}
R1, L1 = RECEIPTS, LOG
R2, R3, R4, R5 = (SeededSigner(f"TEST-ONLY receipt vectors {number}") for number in (2, 3, 4, 5))
L2, L3 = (SeededSigner(f"TEST-ONLY log vectors {number}") for number in (2, 3))
STOLEN = "others may have signed by it"


def key_of(signer: Signer) -> PublicKey:
    """Return a signer's public key."""
    return read_public_key(signer.public_key_pem)


def pem(signer: Signer) -> str:
    """Return a signer's public key in PEM."""
    return signer.public_key_pem.decode()


def listed(signer: Signer, use: Use, first: int, last: int | None = None, why: str | None = None) -> ListedKey:
    """Return a key's entry: active without a last place, revoked with a reason, else retired."""
    status = Status.ACTIVE if last is None else Status.REVOKED if why else Status.RETIRED
    return ListedKey(key=key_of(signer), use=use, status=status, first=first, last=last, reason=why)


FIRST = KeyManifest(
    version=1,
    previous=None,
    org=ORG,
    origin=ORIGIN,
    roots=(key_of(ROOTS["a"]), key_of(ROOTS["b"])),
    threshold=2,
    keys=(listed(R1, Use.RECEIPT, 0), listed(L1, Use.LOG, 0)),
)


def enveloped(payload: bytes, roots: str, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Return a payload that root keys signed, whatever it says."""
    message = pre_authentication_encoding(payload_type, payload)
    signers = sorted((ROOTS[name] for name in roots), key=lambda each: each.key_id)
    signatures = [{"keyid": each.key_id, "sig": b64encode(each.sign(message)).decode()} for each in signers]
    document: Any = {"payload": b64encode(payload).decode(), "payloadType": payload_type, "signatures": signatures}
    return canonicalize(document)


def following(before: bytes, **members: Any) -> KeyManifest:  # noqa: ANN401 -- any member of a manifest
    """Return the version that follows another."""
    was = open_manifest(before)
    said = {"version": was.manifest.version + 1, "previous": was.digest, "former": (), **members}
    return replace(was.manifest, **said)


@cache
def versions() -> tuple[bytes, ...]:
    """Return the four versions, each signed by whom it takes."""
    first = enveloped(FIRST.payload(), "ab")
    rotated = (
        listed(R1, Use.RECEIPT, 0, 1),
        listed(R2, Use.RECEIPT, 2),
        listed(L1, Use.LOG, 0),
        listed(L2, Use.LOG, 3),
    )
    second = enveloped(following(first, keys=rotated).payload(), "ab")
    revoked = (
        listed(R1, Use.RECEIPT, 0, 1),
        listed(R2, Use.RECEIPT, 2, 2, STOLEN),
        listed(R3, Use.RECEIPT, 4),
        listed(L1, Use.LOG, 0, 3),
        listed(L2, Use.LOG, 3),
    )
    roots = {"roots": (key_of(ROOTS["a"]), key_of(ROOTS["c"])), "former": (key_of(ROOTS["b"]),)}
    third = enveloped(following(second, keys=revoked, **roots).payload(), "abc")
    last = (
        *revoked[:2],
        listed(R3, Use.RECEIPT, 4, 5),
        # The place at which the next one counts, before it in the list and behind it: it counts nowhere itself.
        listed(R5, Use.RECEIPT, 6),
        listed(R4, Use.RECEIPT, 6, 5, STOLEN),
        listed(L1, Use.LOG, 0, 3),
        listed(L2, Use.LOG, 3, 5, STOLEN),
        listed(L3, Use.LOG, 6),
    )
    return first, second, third, enveloped(following(third, keys=last).payload(), "ac")


def at_each_size(size: int) -> Sequence[Signer]:
    """Return who signs the checkpoint of a size, whose place is that of its last entry."""
    place = size - 1
    return [each for each, first, last in ((L1, 0, 3), (L2, 3, 5), (L3, 6, 99)) if first <= place <= last]


@cache
def rotated_log() -> Log:
    """Return a log whose entry 3 was signed by a key that was revoked behind entry 2."""
    entries = (*signed_by(series("canary"), (R1, R1, R2, R2, R3, R3)), *signed_by(series("app"), (R5, R5)))
    return Log(entries, at_each_size)


def by(count: int, roots: str = "ab", **files: Any) -> Files:  # noqa: ANN401 -- files of every kind
    """Return what somebody verifies by who has the first versions of the manifest and trusts some roots."""
    return under(versions()[:count], roots, **files)


def under(manifests: Sequence[bytes], roots: str = "ab", **files: Any) -> Files:  # noqa: ANN401 -- likewise
    """Return what somebody verifies by versions of a manifest and roots that they trust."""
    held = {"manifests": [each.decode() for each in manifests], "roots": [pem(ROOTS[name]) for name in roots]}
    return held | {name: each.decode() if isinstance(each, bytes) else each for name, each in files.items()}


def of(log: Log, index: int, size: int | None = None, *signers: Signer) -> Files:
    """Return an entry of a log with its proof, at a size, whose checkpoint others may have signed."""
    at = log.size if size is None else size
    return {"receipt": log.entries[index].decode(), "proof": log.proof(index, at, log.checkpoint(at, *signers))}


def garbled(note: bytes, signer: Signer) -> bytes:
    """Return a checkpoint with a wrong signature in the line of one key."""
    read, key = read_note(note), log_key(ORIGIN, signer)
    lines = [replace(each, signature=bytes(64)) if each.key_hash == key.key_hash else each for each in read.signatures]
    return Note(read.body, tuple(lines)).encode()


def accepted() -> Iterator[tuple[str, Files]]:
    """Yield what verifies by a manifest, each by a name."""
    yield from _versions_accepted()
    yield from _places_accepted()
    yield from _trusted_accepted()


def _versions_accepted() -> Iterator[tuple[str, Files]]:
    third = versions()[2]
    for count in (1, 2, 3, 4):
        yield f"versions 1 to {count} by the first roots", by(count)
    yield "the third version alone, by its own roots", under([third], "ac")
    yield "the third version alone, by a root that it leaves out and one that stays", under([third])
    yield "two roots demanded of two", by(4, rootThreshold=2)
    yield "versions from before a root that is trusted now", by(4, "ac")


def _places_accepted() -> Iterator[tuple[str, Files]]:
    log = rotated_log()
    yield "a receipt in the first version", by(1, **of(log, 0, 2))
    yield "the last entry of a retired key", by(2, **of(log, 1, 4))
    yield "the first entry of its follower", by(2, **of(log, 2, 4))
    yield "a checkpoint in an overlap, of which one key is known", by(1, **of(log, 0, 4))
    yield "a checkpoint in an overlap by the former key alone", by(2, **of(log, 0, 4, L1))
    yield "a checkpoint in an overlap by the follower alone", by(2, **of(log, 0, 4, L2))
    unread = log.proof(0, 4, garbled(log.checkpoint(4), L2))
    yield "a wrong line of a key that is not listed", by(1, receipt=log.entries[0], proof=unread)
    passed = log.proof(0, 5, garbled(log.checkpoint(5, L1, L2), L1))
    yield "a wrong line of a key that does not count there", by(3, receipt=log.entries[0], proof=passed)
    for index in (0, 1, 2, 4, 5, 6, 7):
        yield f"entry {index} in the fourth version", by(4, **of(log, index))
    yield "a retired key without a proof, for the time being", by(4, receipt=log.entries[0])
    yield "an active key without a proof, for the time being", by(4, receipt=log.entries[7])


def _trusted_accepted() -> Iterator[tuple[str, Files]]:
    log = rotated_log()
    other = enveloped(replace(FIRST, origin="elsewhere.example/log", keys=_retired()).payload(), "ab")
    own_log: Files = {"logKeys": [log_key(ORIGIN, L1).text]}
    yield "an index of another log is no place", under([other], **own_log, **of(log, 0, 3))
    by_file: Files = {"receiptKeys": [pem(R1)]}
    yield "a retired key that is trusted by its file counts everywhere", by(2, **by_file, **of(one_key_log(), 2, 3))
    named: Files = {"logKeys": [log_key(ORIGIN, L1).text]}
    yield "a retired key of the log that is trusted by its file", by(3, **named, **of(log, 0, 5, L1))
    kept: Files = {"keptCheckpoint": log.checkpoint(5), "consistency": log.growth(5)}
    yield "a kept checkpoint of a revoked key of the log, at its places", by(4, **of(log, 0), **kept)
    larger: Files = {"keptCheckpoint": log.checkpoint(6), "consistency": Log(log.entries[:6], at_each_size).growth(4)}
    yield "a proof up to a kept checkpoint of a revoked key of the log", by(4, **of(log, 0, 4), **larger)


def _retired() -> tuple[ListedKey, ...]:
    return listed(R1, Use.RECEIPT, 9, 9), listed(L1, Use.LOG, 0)


@cache
def one_key_log() -> Log:
    """Return a log all of whose entries and checkpoints one key each signed."""
    return Log(series("canary"))
