# SPDX-License-Identifier: Apache-2.0
"""Policies come in; what they promise, and only that, must be said."""

from __future__ import annotations

import pytest

from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.policy.promise import promises
from tests.core.declaration.documents import Document

PROVEN = {"promote": "proven", "gates": [{"metric": "cost", "margin": "10%"}]}
LIMIT = {"gates": [{"metric": "scores.groundedness", "min": -0.5, "extent": [-1, 1]}]}
SAID: dict[str, tuple[Document, str]] = {
    "shadow changes nothing": ({}, "Shadow: every verdict is signed and nothing is changed"),
    "canary acts": ({"mode": "canary"}, "Canary: decisions move traffic."),
    "all looks together": ({"alpha": "1%"}, "however often it looks, a candidate that keeps within every tolerance"),
    "fixed promises one look": ({"inference": "fixed"}, "over repeated looks nothing is promised"),
    "a mean at one look": (
        {"inference": "fixed", "gates": ["error_rate", {"metric": "cost", "extent": [0, 1]}, "ttft_ms"]},
        "cost, ttft_ms: at one look two arms of a few dozen runs may both have missed a rare tail",
    ),
    "clean is about detect": (
        {},
        "worse than a gate's detect from its first runs on leaves a step with probability at most 5 %",
    ),
    "harm that begins later is excepted": (
        {},
        "harm that begins later is looked for at every step, but may be promoted",
    ),
    "proven is about margin": (
        PROVEN,
        "worse than a gate's margin, over all traffic, from its first runs on leaves a step",
    ),
    "a gate that is proven": (
        PROVEN,
        "cost: worse at all is a breach (rollback); proven once worse by more than 10 %",
    ),
    "a gate that is clean": ({}, "clean once worse by more than 75 % + 1 pp is excluded"),
    "an objective": (LIMIT, "worse than its minimum of -0.5 is a breach (rollback); clean once"),
    "rules are apart": ({"invariants": ["leak"]}, "outside that error rate"),
    "a switch is not compared": (
        {"steps": [5, {"kind": "switch", "soak": "1h"}]},
        "at 100 %: nothing is compared there",
    ),
}


@pytest.mark.clause("PO-12")
@pytest.mark.parametrize(("document", "words"), SAID.values(), ids=SAID)
def test_a_promise_is_said(document: Document, words: str) -> None:
    """An owner reads what the policy means before relying on it."""
    assert words in "\n".join(promises(declare(document)))


@pytest.mark.clause("PO-12")
def test_a_plain_ramp_says_nothing_of_silent_steps() -> None:
    """A rollout that ends on arrival has no silent time at its last step."""
    assert "nothing is compared" not in "\n".join(promises(declare({})))
