# SPDX-License-Identifier: Apache-2.0
"""The proofs that transparency-dev/merkle tests its verifiers by come in; ours must say the same of each but one."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from lockgate.core.merkle import HASH_SIZE, check_consistency, check_inclusion
from lockgate.core.refusal import VerifyError

PUBLISHED = json.loads(
    (Path(__file__).resolve().parents[1] / "vectors" / "transparency_dev_merkle.json").read_text(encoding="utf-8")
)
# RFC 6962 has roots of 32 bytes; theirs compares two of any length where the sizes are equal.
STRICTER = {"consistency/additional/sizes-are-equal-one-and-proof-is-empty"}
ROWS = [
    (kind, dict(zip(PUBLISHED[f"{kind}_columns"], row, strict=True)))
    for kind in ("inclusion", "consistency")
    for row in PUBLISHED[kind]
]


def is_accepted(kind: str, row: dict[str, Any]) -> bool:
    """Say whether our verifier takes a proof."""
    data = {name: b64decode(row[name]) for name in row if name.startswith(("root", "leafHash"))}
    proof = [b64decode(text) for text in row["proof"] or ()]
    try:
        if kind == "inclusion":
            check_inclusion(data["leafHash"], row["leafIdx"], (row["treeSize"], data["root"]), proof)
        else:
            check_consistency((row["size1"], data["root1"]), (row["size2"], data["root2"]), proof)
    except VerifyError:
        return False
    return True


@pytest.mark.clause("IO-01")
@pytest.mark.parametrize(("kind", "row"), ROWS, ids=lambda value: value if isinstance(value, str) else value["name"])
def test_a_published_proof_is_judged_as_published(kind: str, row: dict[str, Any]) -> None:
    """Every good proof passes, every other is refused; only a root that is no hash is taken there and not here."""
    wanted = not row["wantErr"] and row["name"] not in STRICTER

    assert is_accepted(kind, row) is wanted


@pytest.mark.clause("IO-01")
def test_what_we_refuse_alone_is_no_tree() -> None:
    """The one case has two roots that are not of the hash's length, and there are as many cases as were published."""
    alone = [row for _, row in ROWS if row["name"] in STRICTER]

    assert [len(b64decode(row["root1"])) == HASH_SIZE for row in alone] == [False]
    assert len(ROWS) == 196
