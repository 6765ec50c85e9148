# SPDX-License-Identifier: Apache-2.0
"""What is missing in a bundle, as missing.json has it, comes in; which receipts lack what, and why, goes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lockgate.core.number_spans import receipts_text
from lockgate.report.text import printable

Lacks = Sequence[Mapping[str, Any]]


def missing_sentences(missing: Mapping[str, Lacks]) -> list[str]:
    """Return a sentence of each kind of file and each reason for which some of it is not there."""
    return [sentence for what, lacks in missing.items() for sentence in _sentences(what, lacks)]


def _sentences(what: str, lacks: Lacks) -> Iterator[str]:
    for why in dict.fromkeys(each["why"] for each in lacks):
        alike = [each for each in lacks if each["why"] == why]
        counted = sum(each.get("to", 0) - each.get("from", 0) + 1 for each in alike)
        yield f"{what}: {counted:,} not there{_of_which(alike)}, because {printable(str(why))}"


def _of_which(lacks: Lacks) -> str:
    spans = [(each["from"], each["to"]) for each in lacks if "from" in each]
    spans += [(each["seq"], each["seq"]) for each in lacks if "seq" in each]
    return f", of {receipts_text(spans)}" if spans else ""
