# SPDX-License-Identifier: Apache-2.0
"""Findings come in; the verdict, which is all of them and the worst of them, goes out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.canonical import Json
from lockgate.core.finding import Finding, Outcome, worst
from lockgate.core.policy.policy import Inference


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings; its outcome is the worst that counts."""

    findings: tuple[Finding, ...]
    inference: Inference

    @property
    def outcome(self) -> Outcome:
        """Return the worst outcome of all findings."""
        return worst(tuple(finding.outcome for finding in self.findings))

    def document(self) -> dict[str, Json]:
        """Return the JSON form of receipts and answers."""
        return {
            "outcome": self.outcome.value,
            "inference": self.inference.value,
            "findings": [finding.document() for finding in self.findings],
        }
