# SPDX-License-Identifier: Apache-2.0
"""A check comes in; contents that are not what their digest says, or that a receipt names in vain, go out as flaws."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.core.canonical import byte_digest
from lockgate.core.named_contents import named_contents
from lockgate.core.soundness.flaw import Flaw, Rule, flaw_of
from lockgate.core.statement import Statement
from lockgate.core.vault import Receipt
from lockgate.errors import DataError
from lockgate.operations.vault.checking import Check
from lockgate.operations.vault.portions import PORTION

CONTENTS = "the contents"


def check_contents(check: Check) -> None:
    """Check that the bytes that are kept by a digest have it."""
    after = ""
    while digests := check.seen.content_digests(after, PORTION):
        for digest in digests:
            check.count("contents")
            check.add(_altered(check, digest))
        after = digests[-1]


def _altered(check: Check, digest: str) -> Iterator[Flaw]:
    try:
        body = check.seen.content(digest)
    except DataError as error:
        yield Flaw(Rule.EVIDENCE, CONTENTS, f"{digest}: {error.message}")
        return
    if body is None or byte_digest(body) != digest:
        yield Flaw(Rule.EVIDENCE, CONTENTS, f"the bytes that are kept as {digest} are others")


def missing_contents(check: Check, receipt: Receipt, statement: Statement) -> Iterator[Flaw]:
    """Yield what a receipt names and the store does not keep."""
    for digest in named_contents(statement.predicate):
        try:
            is_there = check.seen.content(digest) is not None
        except DataError:
            # Bytes that cannot be read are told of once, by whoever reads all of them.
            is_there = True
        if not is_there:
            yield flaw_of(receipt, Rule.EVIDENCE, f"it names {digest}, which is not kept")
