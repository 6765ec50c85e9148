# SPDX-License-Identifier: Apache-2.0
"""What a receipt binds: docs/spec.md, Receipts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lockgate.core.finding import Outcome
from lockgate.core.instant import instant_text
from lockgate.core.policy.policy import Inference, Mode, Policy
from lockgate.core.receipt import Actor, Bindings, Draft, draft, promise
from lockgate.core.statement import receipt_name
from tests.spec.ramp import START, gate, policy, rollout, situation, tick, verdict

BINDINGS = Bindings(
    seq=2,
    previous="sha256:aa",
    state_before="sha256:bb",
    state_after="sha256:cc",
    buckets=("sha256:dd", "sha256:ee"),
    looks=3,
    looks_digest="sha256:ff",
    engine="0.1.0",
)


def drafted(of: Policy, said: Outcome = Outcome.REGRESSED, bindings: Bindings = BINDINGS) -> Draft:
    """Return the draft of one tick."""
    return draft(tick(rollout(of), of, said, situation()), verdict(said), of, bindings, Actor())


@pytest.mark.clause("DE-30")
def test_the_same_decision_drafts_the_same_bytes() -> None:
    """A signer that crashed may draft again and sign the same statement."""
    first, second = drafted(policy()), drafted(policy())

    assert first.payload == second.payload
    assert json.loads(first.payload)["predicate"]["decision"]["action"] == "rollback"


@pytest.mark.clause("DE-31")
@pytest.mark.parametrize(
    "field", ["seq", "previous", "state_before", "state_after", "buckets", "looks", "looks_digest"]
)
def test_a_receipt_binds_its_evidence(field: str) -> None:
    """No digest that a decision rests on can change without changing the receipt."""
    other: Any = {"seq": 3, "looks": 4, "buckets": ("sha256:00",)}.get(field, "sha256:00")

    changed = drafted(policy(), bindings=replace(BINDINGS, **{field: other}))

    assert changed.payload != drafted(policy()).payload


@pytest.mark.clause("DE-32")
def test_a_receipt_says_what_it_promises() -> None:
    """Who reads it learns which error rates hold, and that independence was assumed."""
    said = [
        promise(policy(), rollout(policy())),
        promise(policy(gate(detect=None), unit="user"), rollout(policy())),
        promise(policy(inference=Inference.FIXED), rollout(policy())),
    ]

    assert [(each["falseRollback"], each["falsePromotion"], each["independence"]) for each in said] == [
        (0.05, 0.05, "assumed"),
        (0.05, None, "assumed"),
        (None, None, "assumed"),
    ]


@pytest.mark.clause("DE-33")
def test_a_shadow_receipt_says_that_it_only_advises() -> None:
    """The weight of a shadow receipt is what would have been."""
    document = json.loads(drafted(policy(mode=Mode.SHADOW), Outcome.CLEAN).payload)["predicate"]

    assert document["advisory"] is True
    assert (document["to"]["weight"], document["to"]["wouldBeWeight"]) == (0, 25)


@pytest.mark.clause("DE-30")
def test_a_receipt_id_is_derived() -> None:
    """Organisation, rollout and sequence name a receipt, whoever drafts it."""
    names = {receipt_name("default", "rol_1", 1), receipt_name("default", "rol_1", 2), receipt_name("acme", "rol_1", 1)}

    assert len(names) == 3
    assert receipt_name("default", "rol_1", 1) == receipt_name("default", "rol_1", 1)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (START, "2026-09-21T14:13:20.000Z"),
        (1_790_000_000_007, "2026-09-21T14:13:20.007Z"),
    ],
)
@pytest.mark.clause("DE-33")
def test_instants_are_written_in_utc(instant: int, text: str) -> None:
    """An instant reads the same in every time zone."""
    assert instant_text(instant) == text
