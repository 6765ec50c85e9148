# SPDX-License-Identifier: Apache-2.0
"""Versions of a key manifest come in; what must not verify by them, each with the reason, goes out."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lockgate.core.canonical import canonicalize
from lockgate.core.listed_key import Use
from lockgate.core.note import NoteKey
from lockgate.core.public_key import PublicKey
from lockgate.core.refusal import Reason
from lockgate.operations.vault.sign import log_key
from tools.receipt_contradictions import series, signed_by
from tools.receipt_log import ORIGIN, Log
from tools.receipt_manifests import (
    FIRST,
    L1,
    L2,
    L3,
    R1,
    R2,
    R4,
    ROOTS,
    Files,
    by,
    enveloped,
    following,
    garbled,
    key_of,
    listed,
    of,
    one_key_log,
    pem,
    rotated_log,
    under,
    versions,
)
from tools.receipt_refusals import ORDER

# A name, why it is refused, and what somebody verifies by.
Case = tuple[str, Reason, Files]
WEAK = PublicKey((1).to_bytes(32, "little"))


def manifest_refusals() -> Iterator[Case]:
    """Yield everything that must be refused by a manifest, or of one."""
    for name, reason, data in (*_envelopes(), *_signatures(), *_bodies(), *_second_bodies(), *_key_lists()):
        yield f"manifest: {name}", reason, under([data])
    yield from _thresholds()
    yield from _successions()
    yield from _receipts()
    yield from _checkpoints()
    yield from _trusted()


def _envelopes() -> Iterator[tuple[str, Reason, bytes]]:
    good = versions()[0]
    text, document = good.decode(), json.loads(good)
    one, two = document["signatures"]
    yield "cut short", Reason.ENVELOPE_NOT_JSON, good[:-1]
    yield "a member twice", Reason.ENVELOPE_DUPLICATE_KEY, text.replace("{", '{"payload":"",', 1).encode()
    yield "a line break at the end", Reason.ENVELOPE_NOT_CANONICAL, good + b"\n"
    for name, reason, members in (
        ("a member more", Reason.MANIFEST_SHAPE, {"more": 1}),
        ("the type of receipts", Reason.PAYLOAD_TYPE, {"payloadType": "application/vnd.in-toto+json"}),
        ("signatures that are no list", Reason.MANIFEST_SHAPE, {"signatures": one}),
        ("a signature with a member more", Reason.MANIFEST_SHAPE, {"signatures": [{**one, "alg": "ed25519"}, two]}),
        ("base64 without padding", Reason.ENVELOPE_BASE64, {"payload": "QUI"}),
        ("a payload that is no text", Reason.MANIFEST_SHAPE, {"payload": 1}),
        ("a type that is no text", Reason.PAYLOAD_TYPE, {"payloadType": 1}),
        ("a signature that is no text", Reason.MANIFEST_SHAPE, {"signatures": [{**one, "sig": 1}, two]}),
        ("a signature whose key id is no text", Reason.MANIFEST_SHAPE, {"signatures": [{**one, "keyid": 1}, two]}),
        ("one signature twice", Reason.SIGNATURE_COUNT, {"signatures": [one, one]}),
        ("signatures in another order", Reason.SIGNATURE_COUNT, {"signatures": [two, one]}),
        ("a signature that is too short", Reason.SIGNATURE_SIZE, {"signatures": [{**one, "sig": "AAAA"}, two]}),
    ):
        yield name, reason, canonicalize({**document, **members})


def _signatures() -> Iterator[tuple[str, Reason, bytes]]:
    document = json.loads(versions()[0])
    one, two = document["signatures"]
    held = b64decode(one["sig"])
    scalar = int.from_bytes(held[32:], "little") + ORDER
    for name, reason, signature in (
        ("a bit of a signature", Reason.SIGNATURE, bytes([held[0] ^ 1]) + held[1:]),
        ("a second form of a signature", Reason.SIGNATURE_MALLEATED, held[:32] + scalar.to_bytes(32, "little")),
    ):
        entries = [{**one, "sig": b64encode(signature).decode()}, two]
        yield name, reason, canonicalize({**document, "signatures": entries})
    yield "a signature of none of its roots", Reason.KEY_UNKNOWN, enveloped(FIRST.payload(), "abd")
    turned = b64decode(document["payload"]).replace(b'"acme"', b'"acne"', 1)
    changed = canonicalize({**document, "payload": b64encode(turned).decode()})
    yield "a letter of the payload", Reason.SIGNATURE, changed


def _bodies() -> Iterator[tuple[str, Reason, bytes]]:
    payload = FIRST.payload()
    yield "no JSON", Reason.PAYLOAD_NOT_JSON, enveloped(b"version 1", "ab")
    twice = payload.replace(b"{", b'{"keys":[],', 1)
    yield "a member of the payload twice", Reason.PAYLOAD_DUPLICATE_KEY, enveloped(twice, "ab")
    yield "a space", Reason.PAYLOAD_NOT_CANONICAL, enveloped(payload.replace(b":", b": ", 1), "ab")
    yield "a list", Reason.MANIFEST_SHAPE, enveloped(b"[]", "ab")
    trimmed = pem(R1).rstrip()
    for path, value in (
        ("more", 1),
        ("version", 0),
        ("version", True),
        ("version", 2),
        ("version", "1"),
        ("version", 2**53),
        ("prevManifest", "0" * 64),
        ("org", "two words"),
        ("org", ""),
        ("origin", 7),
        ("keys", []),
        ("root.kind", "tuf"),
        ("root.keys", []),
        ("root.former", []),
        ("keys.0.alg", "ed25519"),
        ("keys.0.use", "webhook"),
        ("keys.0.status", "lost"),
        ("keys.0.firstIndex", -1),
        ("keys.0.firstIndex", True),
        ("keys.0.firstIndex", 2**53),
        ("keys.0.lastIndex", "9"),
        ("keys.0.reason", ""),
        ("keys.0.reason", "x" * 801),
        ("keys.0.publicKeyPem", 1),
        ("keys.0.publicKeyPem", trimmed),
    ):
        yield f"{path} {json.dumps(value)[:20]}", Reason.MANIFEST_SHAPE, _with(path, value)
    weak, private = WEAK.pem.decode(), pem(R1).replace("PUBLIC", "PRIVATE")
    yield "a key of small order", Reason.PUBLIC_KEY, _with("keys.0.publicKeyPem", weak)
    yield "a root key of small order", Reason.PUBLIC_KEY, _with("root.keys", [weak])
    yield "a private key", Reason.PUBLIC_KEY, _with("keys.0.publicKeyPem", private)


def _second_bodies() -> Iterator[tuple[str, Reason, bytes]]:
    second = replace(FIRST, version=2, previous="0" * 64).payload()
    for old, new in ((b'"version":2', b'"version":0'), (b"0" * 64, b"0" * 63), (b'"%b"' % (b"0" * 64), b"7")):
        name = f"{new[:20].decode()} in the place of {old[:20].decode()}"
        yield name, Reason.MANIFEST_SHAPE, enveloped(second.replace(old, new, 1), "ab")
    yield "an organisation with a control character", Reason.MANIFEST_SHAPE, _with("org", "two\u0080words")


def _with(path: str, value: object) -> bytes:
    """Return the first version with another member, signed by the roots that it takes."""
    document = json.loads(FIRST.payload())
    held, (*parts, last) = document, path.split(".")
    for part in parts:
        held = held[int(part) if part.isdecimal() else part]
    held[last] = value
    return enveloped(canonicalize(document), "ab")


def _key_lists() -> Iterator[tuple[str, Reason, bytes]]:
    first, log = FIRST.keys
    for name, keys in (
        ("a key twice", (first, first)),
        ("a key of two uses", (first, listed(R1, Use.LOG, 0))),
        ("two keys of receipts at one place", (listed(R1, Use.RECEIPT, 0, 2), listed(R2, Use.RECEIPT, 2), log)),
        ("two keys of receipts that are active", (first, listed(R2, Use.RECEIPT, 2), log)),
        ("a root key that signs receipts", (listed(ROOTS["a"], Use.RECEIPT, 0), log)),
        ("a root key that signs the log", (first, listed(ROOTS["b"], Use.LOG, 0))),
        ("a retired key that counts nowhere", (listed(R1, Use.RECEIPT, 3, 2), log)),
        ("a revoked key that ends two before it begins", (listed(R1, Use.RECEIPT, 3, 1, "stolen"), log)),
    ):
        yield name, Reason.MANIFEST_KEYS, enveloped(replace(FIRST, keys=keys).payload(), "ab")
    for name, path, value in (
        ("a key under another's id", "keys.0.keyid", key_of(R2).key_id),
        ("a key under an id that is none", "keys.0.keyid", 7),
        ("an active key with a last place", "keys.0.lastIndex", 9),
        ("a retired key without a last place", "keys.0.status", "retired"),
        ("a root key twice", "root.keys", [pem(ROOTS["a"])] * 2),
        ("a root key that is a former one", "root.former", [pem(ROOTS["a"])]),
        ("a threshold of none", "root.threshold", 0),
        ("a threshold that is no number", "root.threshold", True),
        ("a threshold that is a text", "root.threshold", "2"),
        ("a threshold of more than there are", "root.threshold", 3),
    ):
        yield name, Reason.MANIFEST_KEYS, _with(path, value)


def _thresholds() -> Iterator[Case]:
    reason = Reason.MANIFEST_SIGNATURES
    yield "manifest: one of the two roots that it takes", reason, under([enveloped(FIRST.payload(), "a")])
    yield "manifest: no signature", reason, under([enveloped(FIRST.payload(), "")])
    yield "manifest: one of two is trusted", reason, by(1, "a")
    yield "manifest: one of two is trusted, named twice", reason, by(1, "aa")
    yield "manifest: nobody who signed is trusted", reason, by(1, "cd")
    single = enveloped(replace(FIRST, threshold=1).payload(), "a")
    yield "manifest: two roots demanded, of one that it takes", reason, under([single], rootThreshold=2)
    both = enveloped(replace(FIRST, threshold=1).payload(), "ab")
    gained = enveloped(following(both).payload(), "a")
    yield "manifest: two demanded of each version", reason, under([both, gained], rootThreshold=2)
    alone: Files = {"roots": (key_of(ROOTS["c"]),), "former": FIRST.roots}
    led = enveloped(following(both, **alone).payload(), "abc")
    yield "manifest: two demanded of new roots too", reason, under([both, led], rootThreshold=2)
    short = enveloped(FIRST.payload(), "a")
    behind = enveloped(following(short).payload(), "ab")
    yield "manifest: too few signed the version before the first trusted one", reason, under([short, behind])


def _successions() -> Iterator[Case]:
    first, second, third, _ = versions()
    new = {"roots": (key_of(ROOTS["c"]), key_of(ROOTS["d"])), "former": FIRST.roots}
    taken = following(first, **new)
    for name, reason, after in (
        ("no version between", Reason.MANIFEST_SUCCESSION, third),
        ("a version twice", Reason.MANIFEST_SUCCESSION, first),
        ("another version before it", Reason.MANIFEST_SUCCESSION, _second(previous="0" * 64)),
        ("another log", Reason.MANIFEST_SUCCESSION, _second(origin="elsewhere.example/log")),
        ("another organisation", Reason.MANIFEST_SUCCESSION, _second(org="other")),
        (
            "a root that is left out and not named",
            Reason.MANIFEST_SUCCESSION,
            enveloped(replace(taken, former=FIRST.roots[:1]).payload(), "acd"),
        ),
        (
            "a former root that was none",
            Reason.MANIFEST_SUCCESSION,
            enveloped(following(first, former=(key_of(ROOTS["d"]),)).payload(), "abd"),
        ),
        ("new roots without consent", Reason.MANIFEST_SIGNATURES, enveloped(taken.payload(), "cd")),
        ("new roots with the consent of one of two", Reason.MANIFEST_SIGNATURES, enveloped(taken.payload(), "acd")),
        ("consent without the new roots", Reason.MANIFEST_SIGNATURES, enveloped(taken.payload(), "abc")),
    ):
        yield f"succession: {name}", reason, under([first, after])
    yield "succession: from strangers", Reason.MANIFEST_SIGNATURES, under([first, second], "cd")


def _second(**members: Any) -> bytes:  # noqa: ANN401 -- any member of a manifest
    return enveloped(following(versions()[0], **members).payload(), "ab")


def _receipts() -> Iterator[Case]:
    log, old = rotated_log(), one_key_log()
    stolen = Log(signed_by(series("canary"), (R2, R2, R2, R2, R4, R4)))
    yield "behind the last entry of a retired key", Reason.KEY_EXPIRED, by(2, **of(old, 2, 3))
    yield "before the first entry of a key", Reason.KEY_TOO_EARLY, by(2, **of(stolen, 1, 3))
    yield "behind the last entry of a revoked key", Reason.KEY_REVOKED, by(3, **of(log, 3, 5))
    yield "a revoked key without a proof", Reason.KEY_REVOKED, by(3, receipt=log.entries[2])
    nowhere = Log((*log.entries[:6], *signed_by(series("app"), (R4, R4))))
    yield "a key that was revoked before its first entry", Reason.KEY_REVOKED, by(4, **of(nowhere, 6, 7, L3))
    named: Files = {"receiptKeys": [pem(R2)]}
    yield "a revoked key that is trusted by its file", Reason.KEY_REVOKED, by(3, **named, **of(log, 3, 5))
    yield "that key without a proof", Reason.KEY_REVOKED, by(3, **named, receipt=log.entries[2])
    yield "a key that no version lists yet", Reason.KEY_UNKNOWN, by(1, **of(log, 4, 5, L1))
    by_log = Log(signed_by(series("canary"), (L1,) * 6))
    yield "a key of the log that signs receipts", Reason.KEY_UNKNOWN, by(1, **of(by_log, 0, 1))
    other = enveloped(replace(FIRST, org="other").payload(), "ab")
    yield "a manifest of another organisation", Reason.KEY_OF_ANOTHER, under([other], **of(log, 0, 2))
    elsewhere = replace(FIRST, origin="elsewhere.example/log", keys=(listed(R1, Use.RECEIPT, 0, 9, "stolen"),))
    own: Files = {"logKeys": [log_key(ORIGIN, L1).text]}
    placed = under([enveloped(elsewhere.payload(), "ab")], **own, **of(log, 0, 2))
    yield "a revoked key in the log of another origin", Reason.KEY_REVOKED, placed


def _checkpoints() -> Iterator[Case]:
    log, place = rotated_log(), Reason.LOG_KEY_PLACE
    yield "a checkpoint of a retired key of the log behind its place", place, by(3, **of(log, 0, 5, L1))
    yield "a checkpoint of a key of the log before its place", place, by(2, **of(log, 0, 3, L2))
    yield "a checkpoint of a revoked key of the log behind its place", place, by(4, **of(log, 0, 8, L2))
    yield "a checkpoint of a revoked key of the log at its place", place, by(4, **of(log, 0, 5, L2))
    named: Files = {"logKeys": [log_key(ORIGIN, L2).text]}
    yield "a revoked key of the log that is trusted by its file", place, by(4, **named, **of(log, 0, 8, L2))
    kept: Files = {"keptCheckpoint": log.checkpoint(7, L2), "consistency": log.growth(7)}
    yield "a kept checkpoint of a revoked key of the log behind its place", place, by(4, **of(log, 0), **kept)
    unlisted = by(2, **of(log, 0, 5, L3))
    yield "a checkpoint of a key of the log that is not listed", Reason.CHECKPOINT_UNSIGNED, unlisted
    receipts = by(1, **of(log, 0, 2, R1))
    yield "a checkpoint of a key of receipts", Reason.CHECKPOINT_UNSIGNED, receipts
    wrong = log.proof(0, 4, garbled(log.checkpoint(4), L1))
    both = by(2, receipt=log.entries[0], proof=wrong)
    yield "a wrong line of one of two keys of an overlap", Reason.CHECKPOINT_SIGNATURE, both


def _trusted() -> Iterator[Case]:
    receipt, weak = one_key_log().entries[0], NoteKey(ORIGIN, WEAK.raw).text
    text = log_key(ORIGIN, L1).text
    for name, key in (
        ("of small order", WEAK.pem.decode()),
        ("that is private", pem(R1).replace("PUBLIC", "PRIVATE")),
        ("under the label of a certificate", pem(R1).replace("PUBLIC KEY", "CERTIFICATE")),
        ("behind a text", f"a key\n{pem(R1)}"),
        ("with another behind it", pem(R1) + pem(R2)),
        ("that is none", "lockgate\n"),
    ):
        yield f"a trusted key {name}", Reason.PUBLIC_KEY, {"receipt": receipt.decode(), "receiptKeys": [key]}
    for name, key in (
        ("of small order", weak),
        ("under another name", f"other{text}"),
        ("of another kind", text.replace("+A", "+B")),
        ("that is none", "lockgate"),
    ):
        files = {"receipt": receipt.decode(), "receiptKeys": [pem(R1)], "logKeys": [key]}
        yield f"a trusted key of the log {name}", Reason.LOG_KEY, files
    yield "a root key of small order that is trusted", Reason.PUBLIC_KEY, by(1) | {"roots": [WEAK.pem.decode()]}
