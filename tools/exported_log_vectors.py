# SPDX-License-Identifier: Apache-2.0
"""Samples of receipts come in; exported logs by which a verifier in any language is tried go out.

    python -m tools.exported_log_vectors            # writes tests/vectors/exported_log_v1.json

The keys are made from words that everybody can read: they are worth nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lockgate.core.checkpoint import Checkpoint
from lockgate.core.export_line import End, end_line, entry_line
from lockgate.core.merkle import Node, Tree, leaf_hash, plan_consistency
from lockgate.core.refusal import Reason
from lockgate.operations.vault.sign import log_key, sign_checkpoint
from tools.receipt_contradictions import going_on, put, series, signed_again
from tools.receipt_samples import LOG, RECEIPTS

VECTORS = Path(__file__).resolve().parent.parent / "tests" / "vectors" / "exported_log_v1.json"
PAGE = "docs/reference/exported-log.md"
ORIGIN = "lockgate.example/acme"
CANARY, APP = tuple(series("canary")), tuple(series("app"))
# Receipts of an app stand between those of a rollout.
ENTRIES = (*CANARY[:2], APP[0], *CANARY[2:4], APP[1], *CANARY[4:])
Lines = list[bytes]


def portion(entries: Sequence[bytes], since: int, size: int, covered: int | None = None) -> Lines:
    """Return the lines of the entries of a log between two sizes, under its checkpoint of a size."""
    trees, nodes = [Tree()], dict[Node, bytes]()
    for entry in entries[: covered or len(entries)]:
        tree, made = trees[-1].append(leaf_hash(entry))
        trees.append(tree)
        nodes.update(made)
    last = trees[-1]
    end = End(
        since=since,
        size=size,
        before=trees[since].peaks,
        consistency=plan_consistency(size, last.size).hashes(nodes) if 0 < size < last.size else (),
        checkpoint=sign_checkpoint(Checkpoint(ORIGIN, last.size, last.root), LOG),
    )
    return [*(entry_line(index, entries[index]) for index in range(since, size)), end_line(end)]


def _whole(*entries: bytes) -> Lines:
    return portion(entries, 0, len(entries))


def _must_verify() -> Iterator[tuple[str, int, int, Lines]]:
    count = len(ENTRIES)
    contrary = signed_again(CANARY[:3], 3, put("from.weight", 99))
    yield "the whole log", 0, count, _whole(*ENTRIES)
    yield "three portions", 0, count, [*portion(ENTRIES, 0, 3, 4), *portion(ENTRIES, 3, 3), *portion(ENTRIES, 3, count)]
    yield "the midst of a log", 3, 5, portion(ENTRIES, 3, 5)
    yield "a contradiction of what the lines do not hold", 2, 3, portion(contrary, 2, 3)


def _must_fail() -> Iterator[tuple[str, Reason, Lines]]:
    first, second, third, *_ = CANARY
    whole = _whole(*CANARY[:3])
    other = signed_again(CANARY[:2], 2, put("decision.reason", "another story"))[1]
    yield "a space", Reason.LOG_EXPORT_FIELDS, [whole[0].replace(b'{"index":0,', b'{"index": 0,'), *whole[1:]]
    yield "no JSON", Reason.LOG_EXPORT_SHAPE, [b"receipt\n", *whole]
    yield "another action beside the envelope", Reason.LOG_EXPORT_FIELDS, [_told_otherwise(whole[0]), *whole[1:]]
    yield "no end", Reason.LOG_EXPORT_GAP, whole[:-1]
    yield "a line missing", Reason.LOG_EXPORT_GAP, [*whole[:1], *whole[2:]]
    yield "another entry", Reason.LOG_EXPORT_TREE, [*_whole(first, other)[:2], *_whole(first, second)[2:]]
    yield "a second tree", Reason.FORK, [*portion((first, other), 0, 1), *portion((first, second), 1, 2)]
    yield "a receipt missing", Reason.CHAIN, _whole(first, third)
    yield "a second story", Reason.CHAIN_DUPLICATE, _whole(first, second, other)
    contrary = signed_again(CANARY, 3, put("from.weight", 99))
    yield "a contradiction", Reason.CHAIN_CONTRADICTION, _whole(contrary[0], APP[0], *contrary[1:3])
    both = [*portion(contrary[:3], 0, 2, 2), *portion(contrary[:3], 2, 3)]
    yield "a contradiction between portions", Reason.CHAIN_CONTRADICTION, both
    ended = (*CANARY, going_on(CANARY[-1], "resume", "active"))
    yield "a rollout that goes on from its end", Reason.CHAIN_ENDED, _whole(*ended)


def _told_otherwise(line: bytes) -> bytes:
    return line.replace(b'"action":"', b'"action":"x', 1)


def vectors() -> dict[str, Any]:
    """Return exported logs that a verifier must accept, and some that it must refuse."""
    return {
        "about": f"Exported logs of Lockgate, as {PAGE} specifies them. TEST-ONLY keys.",
        "keys": {"receiptKeyPem": RECEIPTS.public_key_pem.decode(), "logKey": log_key(ORIGIN, LOG).text},
        "mustVerify": [
            {"name": name, "since": since, "size": size, "lines": _texts(lines)}
            for name, since, size, lines in _must_verify()
        ],
        "mustFail": [
            {"name": name, "reason": reason.value, "lines": _texts(lines)} for name, reason, lines in _must_fail()
        ],
    }


def _texts(lines: Lines) -> list[str]:
    return [line.decode("ascii").removesuffix("\n") for line in lines]


def text() -> str:
    """Return the file's text."""
    return json.dumps(vectors(), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    VECTORS.write_text(text(), encoding="utf-8")
