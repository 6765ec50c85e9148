# SPDX-License-Identifier: Apache-2.0
"""Documents come in; the policy that they declare, or every fault with its path, must go out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from lockgate.core.declaration.fault import MAX_LISTED, PolicyFaults
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.policy.gate import Breach, Margin, default_detect
from lockgate.core.policy.policy import Mode, Promote
from lockgate.core.policy.step import Approval, OnDeadline, StepKind
from tests.core.declaration.documents import DOCUMENTS, Document, Node, damaged

DESIGN: Document = {
    "app": "claims-agent",
    "mode": "canary",
    "promote": "clean",
    "alpha": 0.05,
    "min_runs": 30,
    "gates": [
        {"metric": "error_rate"},
        {"metric": "latency_ms:p95", "tolerance": "5%", "margin": "10%"},
        {"metric": "scores.groundedness", "margin": 0.02, "slice": {"intent": "medical"}, "breach": "pause"},
    ],
    "steps": [
        {"ring": "internal", "min_hold": "1h"},
        {"weight": 1, "min_hold": "30m", "settle": "5m"},
        {"weight": 5},
        {"weight": 25, "min_runs": 300},
        {"weight": 50, "approval": "manual", "max_hold": "2d", "on_deadline": "rollback"},
        {"weight": 100, "soak": "1h"},
    ],
    "invariants": [{"id": "pii_leak", "event": "pii_leak", "max": 0}],
    "limits": {"spend": "200 EUR", "time": "7d"},
}


def tolerant(metric: str, tolerance: object) -> Document:
    """Return a policy of one gate with a tolerance."""
    return {"gates": [{"metric": metric, "tolerance": tolerance}]}


def faults_of(document: object) -> dict[str, str]:
    """Return each fault's message by its path."""
    try:
        declare(document)
    except PolicyFaults as error:
        return {fault.path: fault.message for fault in error.faults}
    return {}


@pytest.mark.clause("PO-01")
def test_nothing_declared_is_the_seed() -> None:
    """An empty policy advises, climbs 5, 25, 50, 100, and asks for 30 runs and the error rate."""
    policy = declare({})

    assert (policy.mode, policy.promote, policy.min_runs) == (Mode.SHADOW, Promote.CLEAN, 30)
    assert [step.weight for step in policy.steps] == [5.0, 25.0, 50.0, 100.0]
    assert [(gate.id, gate.share) for gate in policy.gates] == [("error_rate", 1.0)]


@pytest.mark.clause("PO-01")
def test_the_caller_names_the_gates_of_a_policy_that_names_none() -> None:
    """What may gate depends on the data that a door has seen."""
    policy = declare({}, default_gates=("error_rate", "latency_ms:p95"))

    assert [gate.metric.name for gate in policy.gates] == ["error_rate", "latency_ms:p95"]


@pytest.mark.clause("PO-01")
def test_every_part_of_an_owners_policy_is_read() -> None:
    """A whole policy, as people write it, means what it says."""
    policy = declare(DESIGN)

    ring, first, _, third, fourth, last = policy.steps
    groundedness = policy.gates[2]
    assert (ring.kind, ring.ring, ring.min_hold_s) == (StepKind.RING, "internal", 3600)
    assert (first.min_hold_s, first.settle_s, third.min_runs, last.soak_s) == (1800, 300, 300, 3600)
    assert (fourth.approval, fourth.max_hold_s) == (Approval.MANUAL, 172_800)
    assert fourth.on_deadline is OnDeadline.ROLLBACK
    assert policy.gates[1].tolerance == Margin(0.05)
    assert groundedness.id == "scores.groundedness [intent=medical]"
    assert (groundedness.margin, groundedness.breach) == (Margin(0.0, 0.02), Breach.PAUSE)
    assert policy.rules.invariants[0].max == 0
    assert (policy.rules.limits.spend, policy.rules.limits.currency) == ("200", "EUR")


@pytest.mark.clause("PO-02")
@settings(max_examples=60)
@given(DOCUMENTS)
def test_the_effective_document_declares_the_same_policy(document: Document) -> None:
    """What `policy show` prints can be pasted into a file."""
    policy = declare(document)

    again = declare(policy.document())

    assert again == policy
    assert again.digest() == policy.digest()


@pytest.mark.clause("PO-02")
@settings(max_examples=60)
@given(DOCUMENTS)
def test_the_digest_does_not_depend_on_the_order_of_fields(document: Document) -> None:
    """Two files that mean the same are the same policy."""

    def turned(value: Node) -> Node:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return [turned(item) for item in value] if isinstance(value, list) else value

    assert declare(turned(document)).digest() == declare(document).digest()


@pytest.mark.clause("PO-02")
@pytest.mark.parametrize(
    ("short", "long"),
    [
        ({"steps": "5,25,50,100"}, {}),
        ({"steps": [5, 25.0, "50%", {"weight": 100}]}, {"steps": " 5, 25 ,50,100 "}),
        ({"steps": [{"kind": "mirror"}, 100]}, {"steps": [{"kind": "mirror", "weight": 0}, {"weight": 100}]}),
        ({"steps": [{"kind": "switch"}]}, {"steps": [{"kind": "switch", "weight": 100}]}),
        ({"steps": [{"ring": "a"}, 100]}, {"steps": [{"kind": "ring", "ring": "a", "weight": 0}, 100]}),
        ({"gates": ["cost:mean"]}, {"gates": [{"metric": "cost", "share": 1}]}),
        (tolerant("error_rate", "1pp"), tolerant("error_rate", 0.01)),
        (tolerant("cost", "5% + 1"), tolerant("cost", {"relative": "5%", "absolute": 1})),
        ({"gates": [{"metric": "error_rate", "max": "1%"}]}, {"gates": [{"metric": "error_rate", "max": 0.01}]}),
        ({"invariants": ["pii_leak"]}, {"invariants": [{"id": "pii_leak", "event": "pii_leak", "max": 0}]}),
        ({"bucket": "1h", "alpha": "5%"}, {"bucket": 3600, "alpha": 0.05}),
        ({"limits": {"spend": "200.00 EUR"}}, {"limits": {"spend": "200 EUR"}}),
    ],
)  # fmt: skip
def test_a_short_form_is_the_same_policy(short: Document, long: Document) -> None:
    """How a thing is written does not change what is promised."""
    assert declare(short).digest() == declare(long).digest()


@pytest.mark.clause("PO-03")
def test_every_fault_is_listed_with_its_path() -> None:
    """A person mends a file once, not fault by fault."""
    faults = faults_of(
        {
            "mdoe": "canary",
            "alpha": 0.7,
            "gates": ["error_rat", {"metric": "pass_rate", "tolerance": "x"}],
            "steps": [5, 50, 25, 100],
            "limits": {"time": "1 week"},
        }
    )

    assert faults["mdoe"] == "unknown field; did you mean 'mode'?"
    assert faults["steps[2].weight"] == "25 must be above 50, the weight before it"
    assert list(faults) == ["mdoe", "alpha", "gates[0].metric", "gates[1].tolerance", "steps[2].weight", "limits.time"]


@pytest.mark.clause("PO-03")
@settings(max_examples=60)
@given(damaged())
def test_a_damaged_document_is_read_or_answered_with_its_faults(document: Document) -> None:
    """Whatever is written, the answer is a policy or a list of faults, each with words."""
    faults = faults_of(document)

    assert faults or declare(document).gates
    assert all(message for message in faults.values())


@pytest.mark.clause("PO-03")
@pytest.mark.parametrize("document", [None, 1, "steps", [1]])
def test_what_is_no_mapping_is_refused(document: object) -> None:
    """A policy is a mapping of fields."""
    assert "must be a mapping" in faults_of(document)[""]


@pytest.mark.clause("PO-03")
def test_a_long_list_of_faults_is_cut_and_counted() -> None:
    """A screen holds the first hundred."""
    with pytest.raises(PolicyFaults, match="and 20 more"):
        declare({f"field{number}": 1 for number in range(MAX_LISTED + 20)})


@pytest.mark.clause("PO-03")
def test_a_message_is_harmless_to_a_terminal() -> None:
    """Control characters of a file do not reach the screen."""
    faults = faults_of({"\x1b[2J": 1, "app": "\x1b]0;x\x07", "mode": "\ud800"})

    assert not any(
        ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for text in map(str, faults.items()) for letter in text
    )


@pytest.mark.clause("PO-05")
def test_detect_is_the_default_unless_declared() -> None:
    """Absent means the default of the metric, `none` means none."""
    policy = declare(
        {"gates": ["error_rate", {"metric": "cost", "detect": "none"}, {"metric": "pass_rate", "detect": "5pp"}]}
    )

    assert [gate.detect for gate in policy.gates] == [default_detect(policy.gates[0].metric), None, Margin(0.0, 0.05)]


@pytest.mark.clause("PO-05")
@pytest.mark.parametrize(
    ("gate", "detect"),
    [
        ({"metric": "error_rate", "tolerance": "100%"}, Margin(1.0, 0.01)),
        ({"metric": "latency_ms:p99", "tolerance": 100}, Margin(0.5, 100.0)),
        ({"metric": "latency_ms:p95", "tolerance": "5%", "margin": "80%"}, Margin(0.8, 0.0)),
        ({"metric": "pass_rate", "tolerance": "5%"}, Margin(0.75, 0.05, mirrored=True)),
        ({"metric": "scores.groundedness", "tolerance": "5%"}, Margin(0.0, 0.1)),
    ],
)
def test_the_default_detect_is_never_finer_than_what_was_declared(gate: Document, detect: Margin) -> None:
    """A wide tolerance does not contradict a margin that its owner never wrote."""
    assert declare({"gates": [gate]}).gates[0].detect == detect


@pytest.mark.clause("PO-06")
def test_shares_left_over_are_split_equally() -> None:
    """Who declares no share gets an equal part of what is left."""
    policy = declare({"gates": [{"metric": "error_rate", "share": "50%"}, "cost", "pass_rate"]})

    assert [gate.share for gate in policy.gates] == [0.5, 0.25, 0.25]


@pytest.mark.clause("PO-08")
def test_a_step_names_the_gates_that_apply_at_it() -> None:
    """A gate applies where a step names it by id or metric, and at every step that names none."""
    policy = declare(
        {
            "gates": ["error_rate", "cost", {"metric": "cost", "id": "dear", "tolerance": "50%"}],
            "steps": [
                {"kind": "offline", "gates": ["dear"]},
                {"weight": 5, "gates": ["error_rate", "cost:mean"]},
                {"weight": 100, "gates": ["error_rate"]},
            ],
        }
    )

    assert [gate.steps for gate in policy.gates] == [(1, 2), (1,), (0, 1)]


@pytest.mark.clause("PO-08")
def test_a_name_that_is_an_id_means_that_gate_only() -> None:
    """An id wins over the metric that it happens to spell."""
    policy = declare(
        {"gates": ["cost", {"metric": "cost", "id": "dear"}], "steps": [{"weight": 5, "gates": ["cost"]}, 100]}
    )

    assert [gate.steps for gate in policy.gates] == [None, (1,)]


@pytest.mark.clause("PO-06")
def test_a_quantile_asks_for_runs_beyond_it() -> None:
    """Below a hundred runs none is expected beyond the 99th percentile."""
    policy = declare({"gates": ["latency_ms:p99", "latency_ms:p50", "latency_ms:p99.9"]})

    assert [gate.min_runs for gate in policy.gates] == [100, 30, 1000]
