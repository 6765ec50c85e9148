# SPDX-License-Identifier: Apache-2.0
"""The published vectors come in; our verifier, and one written from the page alone, must say what they say."""

from __future__ import annotations

import hashlib
import json
from base64 import b32encode, b64decode, b64encode
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from lockgate.core.key_manifest import open_manifest
from lockgate.verify import (
    Held,
    Keys,
    VerifyError,
    read_note_key,
    read_public_key,
    verify_chain,
    verify_checkpoint,
    verify_manifest,
    verify_newer_checkpoint,
    verify_receipt,
    verify_rollout,
)
from tools.receipt_vectors import VECTORS, text

DATA: dict[str, Any] = json.loads(VECTORS.read_text(encoding="utf-8"))
KEYS = Keys((read_public_key(DATA["keys"]["receiptKeyPem"].encode()),), (read_note_key(DATA["keys"]["logKey"]),))
ENVELOPES = {each["name"]: each["envelope"].encode() for each in DATA["receipts"]}


@pytest.mark.clause("RF-11")
def test_the_vectors_are_what_their_tool_makes() -> None:
    """Else run `python -m tools.receipt_vectors`."""
    assert VECTORS.read_text(encoding="utf-8") == text()


@pytest.mark.clause("RF-11")
@pytest.mark.parametrize("each", DATA["receipts"], ids=lambda each: each["name"])
def test_each_good_receipt_verifies_with_its_proof(each: dict[str, Any]) -> None:
    """It has the digests, the id and the place that stand beside it."""
    verified = verify_receipt(each["envelope"].encode(), KEYS, each["proof"].encode())

    said = verified.statement
    assert verified.entry is not None
    assert (verified.sha256, verified.entry.index) == (each["sha256"], each["index"])
    assert (said.receipt_id, said.org, said.rollout_id) == (each["receiptId"], each["org"], each["rolloutId"])
    assert (said.seq, said.previous) == (each["seq"], each["prevReceipt"])


@pytest.mark.clause("RF-11")
@pytest.mark.parametrize("each", DATA["chains"], ids=lambda each: each["rolloutId"])
def test_each_series_verifies_as_a_chain(each: dict[str, Any]) -> None:
    """From its first receipt to its last."""
    chain = verify_chain([ENVELOPES[name] for name in each["receipts"]], KEYS)

    assert {link.statement.rollout_id for link in chain} == {each["rolloutId"]}


@pytest.mark.clause("RF-11")
def test_the_log_grows_from_each_of_its_checkpoints() -> None:
    """Every size has its root, and every proof of growth leads from it to the last."""
    notes = {each["size"]: each["note"].encode() for each in DATA["checkpoints"]}
    last = max(notes)
    for each in DATA["checkpoints"]:
        assert verify_checkpoint(notes[each["size"]], KEYS.log).root.hex() == each["rootHex"]
    for each in DATA["growth"]:
        found = verify_newer_checkpoint(notes[last], KEYS, notes[each["old"]], each["consistency"].encode())
        assert found.checkpoint.size == last


def trusted(each: dict[str, Any]) -> Keys:
    """Return what somebody trusts who tries a vector."""
    if not {"manifests", "receiptKeys", "logKeys"} & each.keys():
        return KEYS
    manifest = None
    if "manifests" in each:
        roots = [read_public_key(pem.encode()) for pem in each["roots"]]
        given = [version.encode() for version in each["manifests"]]
        manifest = verify_manifest(given, roots, each.get("rootThreshold", 1)).manifest
    receipt = tuple(read_public_key(pem.encode()) for pem in each.get("receiptKeys", ()))
    return Keys(receipt, tuple(map(read_note_key, each.get("logKeys", ()))), manifest)


def tried(each: dict[str, Any]) -> int:
    """Verify what a vector holds, and return how many files of it."""
    keys = trusted(each)
    files = [each[name].encode() if name in each else None for name in ("proof", "keptCheckpoint", "consistency")]
    if "receipt" in each:
        verify_receipt(each["receipt"].encode(), keys, *files)
    if "chain" in each:
        proofs = [proof.encode() for proof in each.get("proofs", ())]
        held = zip_longest(each["chain"], proofs)
        verify_rollout([Held("one", link.encode(), proof) for link, proof in held], keys)
    return len(each.get("manifests", ())) + len(each.get("chain", ())) + ("receipt" in each)


@pytest.mark.clause("RF-11", "RF-81", "RF-82")
@pytest.mark.parametrize("each", DATA["mustFail"], ids=lambda each: each["name"])
def test_whatever_must_fail_fails_by_its_reason(each: dict[str, Any]) -> None:
    """No other check comes first."""
    with pytest.raises(VerifyError) as refused:
        tried(each)

    assert refused.value.reason.value == each["reason"]


@pytest.mark.clause("RF-40", "RF-81")
@pytest.mark.parametrize("each", DATA["mustVerify"], ids=lambda each: each["name"])
def test_whatever_must_verify_verifies(each: dict[str, Any]) -> None:
    """Each key where a manifest lets it count, and each form that the page lets a statement have."""
    assert tried(each) > 0


@pytest.mark.clause("RF-40")
@pytest.mark.parametrize("each", DATA["manifests"], ids=lambda each: f"version {each['version']}")
def test_each_version_of_the_manifest_has_the_digests_beside_it(each: dict[str, Any]) -> None:
    """The next version, and receipts, name it by the one; root keys sign the other."""
    signed = open_manifest(each["envelope"].encode())

    assert (signed.manifest.version, signed.digest) == (each["version"], each["sha256"])
    assert hashlib.sha256(signed.manifest.payload()).hexdigest() == each["payloadSha256"]


@pytest.mark.clause("RF-11")
def test_no_two_vectors_have_one_name() -> None:
    """Else one would hide what is said of the other."""
    names = [each["name"] for kind in ("receipts", "mustVerify", "mustFail") for each in DATA[kind]]

    assert len(set(names)) == len(names)


class StrangerError(Exception):
    """What somebody refuses who has read docs/reference/receipt.md and nothing else."""


def check(said: object, *, why: str) -> None:
    """Refuse what is not so."""
    if not said:
        raise StrangerError(why)


def unbased(encoded: str) -> bytes:
    """Return the bytes of strict base64."""
    data = b64decode(encoded, validate=True)
    check(b64encode(data).decode() == encoded, why="base64")
    return data


def stranger_receipt(envelope: bytes) -> dict[str, Any]:
    """Return the predicate of a receipt, by steps 1 to 6 of the page."""
    check(len(envelope) <= 65_535, why="size")
    document = json.loads(envelope)
    ordered = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    check(ordered == envelope and set(document) == {"payload", "payloadType", "signatures"}, why="envelope")
    (signature,) = document["signatures"]
    key: Any = load_pem_public_key(DATA["keys"]["receiptKeyPem"].encode())
    assert isinstance(key, Ed25519PublicKey)
    check(signature["keyid"] == DATA["keys"]["receiptKeyId"], why="key")
    kind, payload = document["payloadType"].encode(), unbased(document["payload"])
    check(len(payload) <= 40_000, why="payload size")
    key.verify(unbased(signature["sig"]), b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload))
    check(kind == b"application/vnd.in-toto+json", why="type")
    statement = json.loads(payload)
    check(statement["_type"] == "https://in-toto.io/Statement/v1", why="statement")
    check(statement["predicateType"] == "urn:lockgate:attestation:rollout-decision:v1", why="predicate")
    said: dict[str, Any] = statement["predicate"]
    names = json.dumps([said["org"], said["rolloutId"], said["seq"]], separators=(",", ":"), ensure_ascii=False)
    hashed = b32encode(hashlib.sha256(names.encode()).digest()).decode().lower()
    check(said["receiptId"] == f"rcp_{hashed[:26]}", why="id")
    check((said["prevReceipt"] is None) == (said["seq"] == 1), why="previous")
    return said


def stranger_root(envelope: bytes, proof: str) -> tuple[int, str, str]:
    """Return index, root and size that a proof leads to, by step 7 of the page."""
    head, _, note = proof.partition("\n\n")
    header, index_line, *lines = head.split("\n")
    check(header == "c2sp.org/tlog-proof@v1" and index_line.startswith("index "), why="proof")
    origin, size, root = note.split("\n\n")[0].split("\n")
    index, found = int(index_line.removeprefix("index ")), hashlib.sha256(b"\0" + envelope).digest()
    position, last = index, int(size) - 1
    check(index <= last and origin == DATA["keys"]["origin"], why="index")
    for line in lines:
        sibling = unbased(line)
        check(last > 0 and len(sibling) == 32, why="length")
        if position & 1 or position == last:
            found = hashlib.sha256(b"\1" + sibling + found).digest()
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + sibling).digest()
        position, last = position >> 1, last >> 1
    check(last == 0 and b64encode(found).decode() == root, why="root")
    return index, root, size


@pytest.mark.clause("RF-12")
@pytest.mark.parametrize("each", DATA["receipts"], ids=lambda each: each["name"])
def test_a_verifier_written_from_the_page_accepts_what_ours_accepts(each: dict[str, Any]) -> None:
    """Receipt, id, proof, and the bytes that a verdict's digest is of."""
    envelope = each["envelope"].encode()

    said = stranger_receipt(envelope)
    index, _, size = stranger_root(envelope, each["proof"])

    assert (said["receiptId"], index, int(size)) == (each["receiptId"], each["index"], len(DATA["receipts"]))
    verdict = said["verdict"]
    if verdict is not None and verdict["full"]["inline"]:
        whole = rfc8785.dumps({name: verdict[name] for name in ("counts", "findings", "inference", "outcome")})
        assert (hashlib.sha256(whole).hexdigest(), len(whole)) == (verdict["full"]["sha256"], verdict["full"]["size"])
    for content in each["contents"]:
        assert content["sha256"] == verdict["full"]["sha256"]
        if "text" in content:
            assert hashlib.sha256(content["text"].encode()).hexdigest() == content["sha256"]


@pytest.mark.clause("RF-12")
def test_a_verifier_written_from_the_page_refuses_every_wrong_signature_and_root() -> None:
    """What forgers would try: another payload, key, type, place, root or id."""
    reasons = {"signature", "key_unknown", "inclusion", "receipt_id", "statement_type", "predicate_type"}
    own = [each for each in DATA["mustFail"] if "manifests" not in each]
    refused = [each for each in own if each["reason"] in reasons]

    for each in refused:
        with pytest.raises((StrangerError, InvalidSignature, ValueError)):
            stranger_root(each["receipt"].encode(), each["proof"]) if "proof" in each else stranger_receipt(
                each["receipt"].encode()
            )

    assert {each["reason"] for each in refused} == reasons


@pytest.mark.clause("RF-11")
def test_the_vectors_are_named_on_the_page() -> None:
    """Whoever reads the format finds what to try a verifier on."""
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "receipt.md"

    assert "tests/vectors/receipts_v1.json" in page.read_text(encoding="utf-8")
