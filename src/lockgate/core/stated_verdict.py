# SPDX-License-Identifier: Apache-2.0
"""A verdict comes in; its one byte form, and what a receipt has room for of it, go out.

A short verdict stands in its receipt whole. Of a longer one stand there the findings that decided, and the bytes of all
of it are kept as a content, which the receipt names by its digest.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lockgate.core.canonical import Json, Written, written
from lockgate.core.clipped_text import clipped, fitting
from lockgate.core.finding import PRECEDENCE, Finding, Outcome
from lockgate.core.verdict.verdict import Verdict

MEDIA_TYPE = "application/vnd.lockgate.verdict.v1+json"
# A verdict of fewer bytes stands in its receipt whole; findings of a longer one take as many together.
MAX_INLINE = 8_000
MAX_REASON, MAX_REASON_SIZE = 800, 2_400
_RANKS = {outcome: rank for rank, outcome in enumerate((*PRECEDENCE, Outcome.NOT_APPLICABLE))}


@dataclass(frozen=True, slots=True)
class StatedVerdict:
    """A verdict with its findings ranked, the worst first, and the canonical bytes of all of it."""

    verdict: Verdict
    ranked: tuple[Finding, ...]
    texts: tuple[Written, ...]
    whole: bytes

    def document(self, room: int = MAX_INLINE) -> dict[str, Json]:
        """Return what a receipt states of it where findings may take so many bytes."""
        is_inline = len(self.whole) < room
        findings = list(self.texts) if is_inline else fitting(self._deciding(), room)
        return {
            **_head(self.verdict),
            "findings": findings,
            "findingsOmitted": len(self.ranked) - len(findings),
            "full": {
                "sha256": hashlib.sha256(self.whole).hexdigest(),
                "size": len(self.whole),
                "mediaType": MEDIA_TYPE,
                "inline": is_inline,
            },
        }

    def _deciding(self) -> Iterator[Json]:
        """Yield the findings that made the verdict what it is, their reasons cut where they are very long."""
        pairs, outcome = zip(self.ranked, self.texts, strict=True), self.verdict.outcome
        return (_short(finding, text) for finding, text in pairs if finding.outcome is outcome)


def stated_verdict(verdict: Verdict) -> StatedVerdict:
    """Return a verdict as receipts state it."""
    ranked = tuple(sorted(verdict.findings, key=lambda finding: _RANKS[finding.outcome]))
    texts = tuple(written(_document(finding)) for finding in ranked)
    whole = written({**_head(verdict), "findings": texts}).encode("utf-8")
    return StatedVerdict(verdict, ranked, texts, whole)


def _head(verdict: Verdict) -> dict[str, Json]:
    counted = Counter(finding.outcome for finding in verdict.findings)
    return {
        "outcome": verdict.outcome.value,
        "inference": verdict.inference.value,
        "counts": {_camel(outcome.value): counted[outcome] for outcome in Outcome},
    }


def _short(finding: Finding, text: Written) -> Json:
    reason = clipped(finding.reason, MAX_REASON, MAX_REASON_SIZE)
    return text if reason == finding.reason else {**_document(finding), "reason": reason}


def _document(finding: Finding) -> dict[str, Json]:
    return {_camel(name): _lower_camel(part) for name, part in finding.document().items()}


def _lower_camel(value: Json) -> Json:
    """Return an object with its members' names in lowerCamelCase, as in-toto writes predicates."""
    return {_camel(name): part for name, part in value.items()} if isinstance(value, dict) else value


@lru_cache(maxsize=1024)
def _camel(name: str) -> str:
    return re.sub(r"_(.)", lambda each: each[1].upper(), name)
