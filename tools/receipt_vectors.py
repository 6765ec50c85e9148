# SPDX-License-Identifier: Apache-2.0
"""Samples of receipts come in; the vectors by which a verifier in any language is tried go out.

    python -m tools.receipt_vectors            # writes tests/vectors/receipts_v1.json

The keys are made from words that everybody can read: they are worth nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lockgate.core.envelope import open_envelope
from lockgate.core.key_manifest import open_manifest
from lockgate.core.merkle import leaf_hash
from lockgate.core.statement import read_statement
from lockgate.operations.vault.sign import log_key
from tools.manifest_refusals import manifest_refusals
from tools.receipt_contradictions import taken_back
from tools.receipt_forms import misshapen, unusual
from tools.receipt_log import ORIGIN, Log
from tools.receipt_manifests import ROOTS, accepted, pem, versions
from tools.receipt_refusals import Good, refusals
from tools.receipt_samples import LOG, RECEIPTS, Sample, samples
from tools.receipt_trees import other_trees

PAGE = "docs/reference/receipt.md"
VECTORS = Path(__file__).resolve().parent.parent / "tests" / "vectors" / "receipts_v1.json"
# A content that is longer is named by its digest alone.
MAX_CONTENT = 50_000
# Of so many entries a verifier had kept the checkpoint.
KEPT = 5


def vectors() -> dict[str, Any]:
    """Return everything that a verifier must accept, and what it must refuse."""
    made = samples()
    log = Log([each.envelope for each in made])
    return {
        "about": f"Receipts of Lockgate, as {PAGE} specifies them. TEST-ONLY keys. Made by tools/receipt_vectors.py.",
        "keys": {
            "receiptKeyPem": RECEIPTS.public_key_pem.decode(),
            "receiptKeyId": RECEIPTS.key_id,
            "logKey": log_key(ORIGIN, LOG).text,
            "origin": ORIGIN,
            "rootPems": {name: pem(each) for name, each in ROOTS.items()},
        },
        "receipts": [_receipt(each, index, log) for index, each in enumerate(made)],
        "chains": _chains(made),
        "checkpoints": [
            {"size": size, "rootHex": log.trees[size].root.hex(), "note": log.checkpoint(size).decode()}
            for size in range(1, len(made) + 1)
        ],
        "growth": [{"old": old, "consistency": log.growth(old).decode()} for old in range(1, len(made) + 1)],
        "manifests": [_manifest(each) for each in versions()],
        "mustVerify": [{"name": name, **files} for name, files in (*accepted(), *_accepted())],
        "mustFail": [
            *({"name": each.name, "reason": each.reason.value, **each.files} for each in refusals(_good(made, log))),
            *({"name": name, "reason": reason.value, "receipt": data.decode()} for name, reason, data in misshapen()),
            *({"name": name, "reason": reason.value, **files} for name, reason, files in other_trees(log)),
            *({"name": name, "reason": reason.value, **files} for name, reason, files in manifest_refusals()),
        ],
    }


def _receipt(sample: Sample, index: int, log: Log) -> dict[str, Any]:
    opened = open_envelope(sample.envelope)
    statement = read_statement(opened.payload)
    return {
        "name": sample.name,
        "envelope": sample.envelope.decode(),
        "sha256": hashlib.sha256(sample.envelope).hexdigest(),
        "preAuthenticationEncodingSha256": hashlib.sha256(opened.signed_bytes()).hexdigest(),
        "payloadSha256": hashlib.sha256(opened.payload).hexdigest(),
        "leafHashHex": leaf_hash(sample.envelope).hex(),
        "receiptId": statement.receipt_id,
        "org": statement.org,
        "rolloutId": statement.rollout_id,
        "seq": statement.seq,
        "prevReceipt": statement.previous,
        "index": index,
        "proof": log.proof(index).decode(),
        "contents": [_content(each) for each in sample.contents],
    }


def _manifest(data: bytes) -> dict[str, Any]:
    signed = open_manifest(data)
    return {
        "version": signed.manifest.version,
        "envelope": data.decode(),
        "sha256": signed.digest,
        "payloadSha256": hashlib.sha256(signed.manifest.payload()).hexdigest(),
        "signedBy": [key_id for key_id, _ in signed.signatures],
    }


def _content(data: bytes) -> dict[str, Any]:
    named = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    return {**named, "text": data.decode()} if len(data) <= MAX_CONTENT else named


def _accepted() -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((name, {"receipt": data.decode()}) for name, data in unusual())
    chain = taken_back()
    spaced = f"\n{RECEIPTS.public_key_pem.decode().replace(chr(10), chr(13) + chr(10))} "
    first: dict[str, Any] = {"receipt": chain[0].decode(), "receiptKeys": [spaced]}
    yield "a trusted key with white space around it and other line breaks", first
    yield "rolled back after it was promoted", {"chain": [each.decode() for each in chain]}


def _chains(made: tuple[Sample, ...]) -> list[dict[str, Any]]:
    series = dict.fromkeys(each.series for each in made)
    return [{"rolloutId": name, "receipts": [each.name for each in made if each.series == name]} for name in series]


def _good(made: tuple[Sample, ...], log: Log) -> Good:
    chain = tuple(each.envelope for each in made if each.name.startswith("canary-"))
    # Another entry in the place of the last: the tree of somebody who told two stories.
    forked = Log((*log.entries[:-1], log.entries[0]))
    return Good(
        receipt=chain[1],
        chain=chain,
        proof=log.proof(1),
        kept=log.checkpoint(KEPT),
        growth=log.growth(KEPT),
        fork=forked.checkpoint(len(made)),
    )


def text() -> str:
    """Return the file's text."""
    return json.dumps(vectors(), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    VECTORS.write_text(text(), encoding="utf-8")
