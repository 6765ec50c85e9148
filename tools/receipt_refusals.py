# SPDX-License-Identifier: Apache-2.0
"""A good receipt, its proof and its chain come in; what must not verify, each with the reason, goes out."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from lockgate.core.canonical import canonicalize
from lockgate.core.checkpoint import Checkpoint, LogGrowth, LogProof, read_log_growth, read_log_proof
from lockgate.core.envelope import MAX_ENVELOPE_SIZE, PAYLOAD_TYPE, Envelope, open_envelope, pre_authentication_encoding
from lockgate.core.note import sign_line
from lockgate.core.refusal import Reason
from lockgate.operations.vault.sign import log_key, sign_checkpoint
from tools.receipt_contradictions import contrary_series, put_at, series
from tools.receipt_log import Log
from tools.receipt_samples import LOG, RECEIPTS, samples

# A name, why it is refused, and its bytes.
Case = tuple[str, Reason, bytes]
# RFC 8032 section 5.1: the order of the group.
ORDER = 2**252 + 27742317777372353535851937790883648493


@dataclass(frozen=True, slots=True)
class Refusal:
    """What must be refused: files by what each is, and why."""

    name: str
    reason: Reason
    files: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """What verifies: a receipt that is not the first of its chain, with its proof, its chain and checkpoints."""

    receipt: bytes
    chain: tuple[bytes, ...]
    proof: bytes
    kept: bytes
    growth: bytes
    fork: bytes


def refusals(good: Good) -> Iterator[Refusal]:
    """Yield everything that must be refused."""
    signed = (*_payloads(good), *_statements(good), *_firsts(), *_verdicts(good))
    for name, reason, envelope in (*_envelopes(good), *_signatures(good), *signed):
        yield Refusal(name, reason, {"receipt": envelope.decode("utf-8")})
    for name, reason, chain in _chains(good):
        yield Refusal(name, reason, {"chain": [each.decode("utf-8") for each in chain]})
    for name, reason, held in _logged_chains(good):
        chain, proofs = zip(*held, strict=True)
        files = {"chain": [each.decode() for each in chain], "proofs": [each.decode() for each in proofs]}
        yield Refusal(name, reason, files)
    for name, reason, proof in _proofs(good):
        yield Refusal(name, reason, {"receipt": good.receipt.decode(), "proof": proof.decode("utf-8")})
    for name, reason, kept, growth in _growths(good):
        logged = {"receipt": good.receipt.decode(), "proof": good.proof.decode(), "keptCheckpoint": kept.decode()}
        yield Refusal(name, reason, logged if growth is None else {**logged, "consistency": growth.decode()})


def _changed(good: Good, members: Mapping[str, Any], signature: Mapping[str, Any] | None = None) -> bytes:
    """Return the canonical bytes of a receipt's envelope with other members, and with others of its signature."""
    document = {**json.loads(good.receipt), **members}
    if signature is not None:
        document["signatures"] = [{**document["signatures"][0], **signature}]
    return canonicalize(document)


def _envelopes(good: Good) -> Iterator[Case]:
    text, document = good.receipt.decode(), json.loads(good.receipt)
    turned = json.dumps(dict(reversed(document.items())), separators=(",", ":"))
    long = text[:-1] + " " * (MAX_ENVELOPE_SIZE - len(text)) + " }"
    yield "too long", Reason.ENVELOPE_SIZE, long.encode()
    yield "cut short", Reason.ENVELOPE_NOT_JSON, good.receipt[:-1]
    yield "a member twice", Reason.ENVELOPE_DUPLICATE_KEY, text.replace("{", '{"payload":"",', 1).encode()
    yield "a line break at the end", Reason.ENVELOPE_NOT_CANONICAL, good.receipt + b"\n"
    yield "members in another order", Reason.ENVELOPE_NOT_CANONICAL, turned.encode()
    yield "spaces", Reason.ENVELOPE_NOT_CANONICAL, json.dumps(document).encode()
    yield "a letter escaped", Reason.ENVELOPE_NOT_CANONICAL, text.replace("payload", "\\u0070ayload", 1).encode()
    yield "a list", Reason.ENVELOPE_SHAPE, b"[]"
    for name, reason, members in (
        ("a member more", Reason.ENVELOPE_SHAPE, {"more": 1}),
        ("a payload that is no text", Reason.ENVELOPE_SHAPE, {"payload": 1}),
        ("a type that is no text", Reason.ENVELOPE_SHAPE, {"payloadType": 1}),
        ("signatures that are no list", Reason.ENVELOPE_SHAPE, {"signatures": document["signatures"][0]}),
        ("a signature that is no object", Reason.ENVELOPE_SHAPE, {"signatures": [1]}),
        ("base64 without padding", Reason.ENVELOPE_BASE64, {"payload": "QUI"}),
        ("base64 of URLs", Reason.ENVELOPE_BASE64, {"payload": "-_-_"}),
        ("base64 with bits that no byte uses", Reason.ENVELOPE_BASE64, {"payload": "QUJDRF=="}),
        ("no signature", Reason.SIGNATURE_COUNT, {"signatures": []}),
        ("two signatures", Reason.SIGNATURE_COUNT, {"signatures": document["signatures"] * 2}),
        ("a payload that is too long", Reason.PAYLOAD_SIZE, {"payload": b64encode(b"x" * 40_001).decode()}),
        ("a type without letters", Reason.PAYLOAD_TYPE, {"payloadType": ""}),
    ):
        yield name, reason, _changed(good, members)
    nameless = [{"sig": document["signatures"][0]["sig"]}]
    yield "no key id", Reason.KEY_ID_MISSING, _changed(good, {"signatures": nameless})
    yield "a signature with a member more", Reason.ENVELOPE_SHAPE, _changed(good, {}, {"alg": "ed25519"})
    yield "a signature that is no text", Reason.ENVELOPE_SHAPE, _changed(good, {}, {"sig": 1})
    yield "an empty key id", Reason.KEY_ID_MISSING, _changed(good, {}, {"keyid": ""})
    yield "a key id of null", Reason.KEY_ID_MISSING, _changed(good, {}, {"keyid": None})
    yield "a key id that is no text", Reason.ENVELOPE_SHAPE, _changed(good, {}, {"keyid": 0})
    yield "a key id in capitals", Reason.KEY_ID_SHAPE, _changed(good, {}, {"keyid": "A" * 64})
    yield "a signature that is too short", Reason.SIGNATURE_SIZE, _changed(good, {}, {"sig": "AAAA"})


def _signatures(good: Good) -> Iterator[Case]:
    opened = open_envelope(good.receipt)
    signature = opened.signature
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    yield "a key that nobody trusts", Reason.KEY_UNKNOWN, replace(opened, key_id="0" * 64).encode()
    yield (
        "a second form of the signature",
        Reason.SIGNATURE_MALLEATED,
        replace(opened, signature=signature[:32] + scalar.to_bytes(32, "little")).encode(),
    )
    yield (
        "a bit of the signature",
        Reason.SIGNATURE,
        replace(opened, signature=bytes([signature[0] ^ 1]) + signature[1:]).encode(),
    )
    yield (
        "a letter of the payload",
        Reason.SIGNATURE,
        replace(opened, payload=opened.payload.replace(b"promote", b"prOmote", 1)).encode(),
    )
    yield (
        "the signature without the type",
        Reason.SIGNATURE,
        replace(opened, signature=RECEIPTS.sign(opened.payload)).encode(),
    )
    yield "another type than was signed", Reason.SIGNATURE, replace(opened, payload_type="application/json").encode()
    yield (
        "the log's key in the place of the receipts'",
        Reason.SIGNATURE,
        replace(opened, signature=LOG.sign(opened.signed_bytes())).encode(),
    )


def _signed(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    signature = RECEIPTS.sign(pre_authentication_encoding(payload_type, payload))
    return Envelope(payload_type, payload, RECEIPTS.key_id, signature).encode()


def _payloads(good: Good) -> Iterator[Case]:
    payload = open_envelope(good.receipt).payload
    yield "signed: another type", Reason.PAYLOAD_TYPE, _signed(payload, "application/json")
    yield "signed: no JSON", Reason.PAYLOAD_NOT_JSON, _signed(b"decision: promote")
    yield "signed: no UTF-8", Reason.PAYLOAD_NOT_JSON, _signed(b'{"_type":"\xff"}')
    yield "signed: nested 129 deep", Reason.PAYLOAD_NOT_JSON, _signed(b"[" * 129 + b"]" * 129)
    yield "signed: NaN", Reason.PAYLOAD_NOT_JSON, _signed(b'{"_type":NaN}')
    yield "signed: a member twice", Reason.PAYLOAD_DUPLICATE_KEY, _signed(payload.replace(b"{", b'{"_type":"",', 1))
    yield "signed: a space", Reason.PAYLOAD_NOT_CANONICAL, _signed(payload.replace(b":", b": ", 1))
    yield "signed: 1e-7 as 1e-07", Reason.PAYLOAD_NOT_CANONICAL, _signed(payload.replace(b"1e-7", b"1e-07", 1))
    yield "signed: 5 as 5.0", Reason.PAYLOAD_NOT_CANONICAL, _signed(payload.replace(b'"weight":5', b'"weight":5.0', 1))
    yield "signed: a lone surrogate", Reason.PAYLOAD_NOT_CANONICAL, _signed(b'{"_type":"\\ud800"}')


def _statements(good: Good) -> Iterator[Case]:
    statement = json.loads(open_envelope(good.receipt).payload)
    for path, value, reason in (
        ("_type", "https://in-toto.io/Statement/v0.1", Reason.STATEMENT_TYPE),
        ("predicateType", "urn:lockgate:attestation:rollout-decision:v2", Reason.PREDICATE_TYPE),
        ("more", 1, Reason.STATEMENT_SHAPE),
        ("predicate", [], Reason.STATEMENT_SHAPE),
        ("predicate.decision", None, Reason.STATEMENT_SHAPE),
        ("predicate.decision.reason", None, Reason.STATEMENT_SHAPE),
        ("predicate.org", 1, Reason.STATEMENT_SHAPE),
        ("predicate.actor", {}, Reason.STATEMENT_SHAPE),
        ("predicate.actor.name", 1, Reason.STATEMENT_SHAPE),
        ("predicate.engine", {}, Reason.STATEMENT_SHAPE),
        ("predicate.from", {}, Reason.STATEMENT_SHAPE),
        ("predicate.to.status", "PROMOTED", Reason.STATEMENT_SHAPE),
        ("predicate.to.step", 1.5, Reason.STATEMENT_SHAPE),
        ("predicate.to.weight", 101, Reason.STATEMENT_SHAPE),
        ("predicate.to.wouldBeWeight", "5", Reason.STATEMENT_SHAPE),
        ("predicate.decision.terminal", None, Reason.STATEMENT_SHAPE),
        ("predicate.candidate.attempt", "1", Reason.STATEMENT_SHAPE),
        ("predicate.policy.sha256", None, Reason.STATEMENT_SHAPE),
        ("predicate.evidence.stateAfter", None, Reason.STATEMENT_SHAPE),
        ("predicate.seq", 0, Reason.STATEMENT_SHAPE),
        ("predicate.seq", True, Reason.STATEMENT_SHAPE),
        ("predicate.schemaVersion", 2, Reason.SCHEMA_VERSION),
        ("predicate.receiptId", "rcp_" + "a" * 26, Reason.RECEIPT_ID),
        ("predicate.org", "other", Reason.RECEIPT_ID),
        ("predicate.prevReceipt", None, Reason.PREVIOUS_RECEIPT),
        ("predicate.prevReceipt", {"sha256": "A" * 64}, Reason.PREVIOUS_RECEIPT),
        ("subject", [], Reason.SUBJECT),
        ("subject", [{"name": "web", "digest": {"sha1": "a" * 40}}], Reason.SUBJECT),
        ("subject", [{"name": "web", "digest": {"sha256": "a" * 64, "gitCommit": "b" * 40}}], Reason.SUBJECT),
    ):
        changed = deepcopy(statement)
        put_at(changed, path, value)
        yield f"signed: {path} {json.dumps(value)[:40]}", reason, _signed(canonicalize(changed))


def _firsts() -> Iterator[Case]:
    """Yield first receipts of each kind of series that do not say that none is before them."""
    for each in samples():
        statement = json.loads(open_envelope(each.envelope).payload)
        if statement["predicate"]["seq"] == 1:
            del statement["predicate"]["prevReceipt"]
            yield f"signed: {each.name} without prevReceipt", Reason.PREVIOUS_RECEIPT, _signed(canonicalize(statement))


def _verdicts(good: Good) -> Iterator[Case]:
    """Yield receipts whose verdict, which they hold whole, is not the one whose digest they state."""
    statement = json.loads(open_envelope(good.receipt).payload)
    verdict = statement["predicate"]["verdict"]
    assert verdict["full"]["inline"]
    worse = [{**verdict["findings"][0], "reason": "nothing to see"}, *verdict["findings"][1:]]
    for name, members in (
        ("a finding's reason", {"findings": worse}),
        ("a finding less", {"findings": verdict["findings"][1:]}),
        ("findings that are no list", {"findings": None}),
        ("another outcome", {"outcome": "regressed"}),
        ("another inference", {"inference": "fixed"}),
        ("another count", {"counts": {**verdict["counts"], "clean": 9}}),
        ("findings left out", {"findingsOmitted": 1}),
        ("another size", {"full": {**verdict["full"], "size": verdict["full"]["size"] + 1}}),
        ("another digest", {"full": {**verdict["full"], "sha256": "0" * 64}}),
    ):
        said = {**statement["predicate"], "verdict": {**verdict, **members}}
        yield f"signed: verdict, {name}", Reason.VERDICT_DIGEST, _signed(canonicalize({**statement, "predicate": said}))
    less = {name: part for name, part in verdict.items() if name != "counts"}
    said = {**statement["predicate"], "verdict": less}
    yield "signed: verdict, no counts", Reason.VERDICT_DIGEST, _signed(canonicalize({**statement, "predicate": said}))


def _chains(good: Good) -> Iterator[tuple[str, Reason, tuple[bytes, ...]]]:
    first, second, third, *_ = good.chain
    forged = json.loads(open_envelope(third).payload)
    forged["predicate"]["prevReceipt"] = {"sha256": hashlib.sha256(first).hexdigest()}
    yield "the first is missing", Reason.CHAIN, good.chain[1:]
    yield "one comes twice", Reason.CHAIN_DUPLICATE, (first, second, second)
    yield "one is of another series", Reason.CHAIN_FOREIGN, (first, second, *series("shadow")[2:3])
    yield "one is missing between", Reason.CHAIN, (first, third)
    yield "one names another before it", Reason.CHAIN, (first, second, _signed(canonicalize(forged)))
    yield from contrary_series()


def _logged_chains(good: Good) -> Iterator[tuple[str, Reason, tuple[tuple[bytes, bytes], ...]]]:
    first, second, *_ = good.chain
    turned = Log((second, first))
    both = ((first, turned.proof(1)), (second, turned.proof(0)))
    yield "the second stands before the first in the log", Reason.CHAIN_ORDER, both
    log = Log((first, second))
    grown = ((first, log.proof(0, 1)), (second, log.proof(1)))
    yield "proofs of two checkpoints", Reason.CHECKPOINTS, grown


def _proofs(good: Good) -> Iterator[Case]:
    proof = read_log_proof(good.proof)
    note, hashes = proof.checkpoint, proof.hashes
    body, _, line = note.decode().rpartition("\n\n")
    origin, size, _ = body.split("\n")
    yield "another place", Reason.INCLUSION, replace(proof, index=proof.index + 1).encode()
    yield "a place beyond the tree", Reason.INCLUSION, replace(proof, index=int(size)).encode()
    yield "a hash less", Reason.INCLUSION, replace(proof, hashes=hashes[:-1]).encode()
    yield "a hash more", Reason.INCLUSION, replace(proof, hashes=(*hashes, hashes[0])).encode()
    yield (
        "two hashes exchanged",
        Reason.INCLUSION,
        replace(proof, hashes=(*hashes[1:2], *hashes[:1], *hashes[2:])).encode(),
    )
    yield "another header", Reason.PROOF_SHAPE, good.proof.replace(b"@v1", b"@v2", 1)
    yield "an index with a zero before it", Reason.PROOF_SHAPE, good.proof.replace(b"index ", b"index 0", 1)
    yield "an index of 2^63", Reason.PROOF_SHAPE, replace(proof, index=2**63).encode()
    yield "a hash of 31 bytes", Reason.PROOF_SHAPE, replace(proof, hashes=(hashes[0][:31], *hashes[1:])).encode()
    yield "an extra line", Reason.PROOF_EXTRA, good.proof.replace(b"\nindex", b"\nextra AAAA\nindex", 1)
    yield (
        "another size",
        Reason.CHECKPOINT_SIGNATURE,
        replace(proof, checkpoint=note.replace(f"\n{size}\n".encode(), f"\n{int(size) + 1}\n".encode(), 1)).encode(),
    )
    yield "another origin", Reason.CHECKPOINT_UNSIGNED, good.proof.replace(origin.encode(), b"other.example/log")
    yield (
        "a checkpoint without a signature",
        Reason.NOTE_SHAPE,
        replace(proof, checkpoint=f"{body}\n".encode()).encode(),
    )
    yield (
        "a root of 31 bytes",
        Reason.CHECKPOINT_SHAPE,
        replace(proof, checkpoint=f"{origin}\n{size}\n{b64encode(bytes(31)).decode()}\n\n{line}".encode()).encode(),
    )
    yield from _notes(proof, f"{body}\n", line)
    empty = sign_checkpoint(Checkpoint(origin, 0, hashlib.sha256().digest()), LOG)
    yield "a log without entries", Reason.INCLUSION, replace(proof, index=0, hashes=(), checkpoint=empty).encode()


def _notes(proof: LogProof, body: str, line: str) -> Iterator[Case]:
    """Yield a proof with checkpoints of other forms, which their log's own key signed."""
    origin, size, root, _ = body.split("\n")
    unended = proof.checkpoint.removesuffix(b"\n")
    yield "a note without its last line break", Reason.NOTE_SHAPE, replace(proof, checkpoint=unended).encode()
    many = f"{body}\n{line * 65}".encode()
    yield "a note with 65 signatures", Reason.NOTE_SHAPE, replace(proof, checkpoint=many).encode()
    for name, reason, text in (
        ("a tab in a note", Reason.NOTE_SHAPE, f"{origin}\n{size}\n{root}\t\n"),
        ("a fourth line", Reason.CHECKPOINT_SHAPE, f"{body}more\n"),
        ("an origin with a space", Reason.CHECKPOINT_SHAPE, body.replace("/", " ", 1)),
        ("an origin with a plus", Reason.CHECKPOINT_SHAPE, body.replace("/", "+", 1)),
        ("a size with a zero before it", Reason.CHECKPOINT_SHAPE, f"{origin}\n0{size}\n{root}\n"),
        ("a size of 2^63", Reason.CHECKPOINT_SHAPE, f"{origin}\n{2**63}\n{root}\n"),
    ):
        signed = sign_line(log_key(origin, LOG), LOG.sign(text.encode())).line()
        yield name, reason, replace(proof, checkpoint=f"{text}\n{signed}".encode()).encode()


def _growths(good: Good) -> Iterator[tuple[str, Reason, bytes, bytes | None]]:
    read = read_log_growth(good.growth)
    size, hashes, note = read.size, read.hashes, read.checkpoint
    yield "no proof of growth", Reason.GROWTH_MISSING, good.kept, None
    yield "a proof of growth without its first line", Reason.GROWTH_SHAPE, good.kept, good.growth.partition(b"\n")[2]
    yield "a proof of growth of another size", Reason.CONSISTENCY, good.kept, LogGrowth(size + 1, hashes, note).encode()
    turned = (hashes[0][::-1], *hashes[1:])
    yield "a hash of growth turned round", Reason.CONSISTENCY, good.kept, LogGrowth(size, turned, note).encode()
    other = Log(good.chain[::-1]).checkpoint(size)
    yield "a kept checkpoint of another tree", Reason.CONSISTENCY, other, good.growth
    ended = LogGrowth(size, hashes, good.kept).encode()
    yield "a proof of growth to another checkpoint", Reason.CONSISTENCY, good.kept, ended
    yield "growth from a size of 2^63", Reason.GROWTH_SHAPE, good.kept, LogGrowth(2**63, hashes, note).encode()
    yield "a hash of growth less", Reason.CONSISTENCY, good.kept, LogGrowth(size, hashes[1:], note).encode()
    yield "another root at the same size", Reason.FORK, good.fork, None
