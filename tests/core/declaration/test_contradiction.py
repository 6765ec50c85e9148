# SPDX-License-Identifier: Apache-2.0
"""Fields that contradict each other come in; the fault that names the field to change must go out."""

from __future__ import annotations

import pytest

from lockgate.core.declaration.fault import PolicyFaults
from lockgate.core.declaration.policy_declaration import declare
from tests.core.declaration.documents import Document, Node


def faults_of(document: Document) -> list[tuple[str, str]]:
    """Return the path and message of each fault."""
    try:
        declare(document)
    except PolicyFaults as error:
        return [(fault.path, fault.message) for fault in error.faults]
    return []


def gate(metric: str, **fields: Node) -> Document:
    """Return a policy of one gate."""
    return {"gates": [{"metric": metric, **fields}]}


def ramp(*steps: Node) -> Document:
    """Return a policy of these steps."""
    return {"steps": list(steps)}


GATES = {
    "detect inside tolerance": (gate("error_rate", tolerance="10%", detect="5%"), "detect", "lies inside tolerance"),
    "margin inside tolerance": (gate("cost", tolerance="10%", margin="5%"), "margin", "lies inside tolerance"),
    "margin wider than detect": (gate("cost", margin="80%", detect="50%"), "detect", "lies inside margin"),
    "proven without a margin": (gate("cost") | {"promote": "proven"}, "margin", "needs a margin"),
    "an amount of a rate": (gate("cost:rate", tolerance=1), "tolerance", "a percentage only"),
    "a percentage of net losses": (gate("cost:paired", tolerance="5%"), "tolerance", "no percentage of a baseline"),
    "points of a latency": (gate("latency_ms:p95", tolerance="1pp"), "tolerance", "no percentage points"),
    "a limit of pairs": (gate("error_rate:paired", max=0.1), "max", "leave the limit out"),
    "a maximum of what should be high": (gate("pass_rate", max="90%"), "max", "write min instead"),
    "a minimum of what should be low": (gate("error_rate", min="1%"), "min", "write max instead"),
    "a limit of a rate": (gate("input_tokens:rate", max=10), "max", "write metric: input_tokens"),
    "a limit that no score reaches": (gate("scores.stars", min=3), "min", "must lie between 0 and 1"),
    "a limit outside the declared range": (gate("cost", max=20, extent=[0, 10]), "max", "must lie between 0 and 10"),
    "a margin as wide as the range": (gate("scores.stars", tolerance=1), "tolerance", "can never be worse by that"),
    "a percentage of a limit of nothing": (gate("cost", max=0), "detect", "write an amount"),
    "a tolerance in percent of nothing": (
        gate("cost", max=0, tolerance="5%", detect=1),
        "tolerance",
        "write an amount",
    ),
    "pairs turned round": (gate("scores.toxicity:paired", worse="higher"), "worse", "leave it out"),
    "a share that may never happen": (gate("error_rate", max=0), "max", "is an invariant"),
    "a latency in percent": (gate("latency_ms:p95", max="5%"), "max", "only a share is stated in percent"),
    "a share twice as large as all": (gate("error_rate", tolerance=1.5), "tolerance", "can never be worse by that"),
    "a pass rate lower by all of it": (gate("pass_rate", tolerance="100%"), "tolerance", "can never be worse by that"),
    "mirrored of what is worse when higher": (
        gate("error_rate", tolerance={"relative": "5%", "mirrored": True}),
        "tolerance",
        "leave it out",
    ),
    "a bootstrap of a share": (gate("error_rate", method="bootstrap"), "method", "means and quantiles"),
    "a range of a quantile": (gate("latency_ms:p95", extent=[0, 9]), "extent", "only a mean"),
    "a range that falls": (gate("cost", extent=[9, 0]), "extent", "must rise"),
    "a critical gate that pauses": (gate("error_rate", critical=True, breach="pause"), "breach", "leave breach out"),
    "a reduction by the same runs": (
        gate("error_rate", breach="reduce") | {"inference": "fixed"},
        "breach",
        "reads the same runs again",
    ),
    "a tail without runs": (gate("latency_ms:p99", min_runs=50), "min_runs", "must be at least 100"),
}


@pytest.mark.clause("PO-05")
@pytest.mark.parametrize(("document", "field", "message"), GATES.values(), ids=GATES)
def test_a_gate_that_cannot_be_meant_is_refused(document: Document, field: str, message: str) -> None:
    """One fault, at the field to change, in words that say how."""
    [(path, found)] = faults_of(document)

    assert path == f"gates[0].{field}"
    assert message in found


MEANT = {
    "a margin equal to the tolerance": gate("cost", tolerance="5%", margin="5%"),
    "margins that cross": gate("error_rate", tolerance="1pp", detect="50%"),
    "points of a score": gate("scores.groundedness", tolerance="2pp"),
    "points of net losses": gate("error_rate:paired", tolerance="10pp"),
    "a minimum of a score that is worse when lower": gate("scores.groundedness", min=0.9),
    "a maximum of a score turned round": gate("scores.toxicity", worse="higher", max=0.1),
    "a score of one to five": gate("scores.stars", min=3, extent=[1, 5]),
    "pairs in their usual direction": gate("scores.toxicity:paired", worse="lower"),
    "an objective with a tolerance": gate("error_rate", max="1%", tolerance="1pp", margin="1pp"),
    "a bootstrap of a mean": gate("cost", method="bootstrap", extent=[0, 10]),
    "proven with a margin of nothing": gate("error_rate", max="1%", margin=0) | {"promote": "proven"},
}


@pytest.mark.clause("PO-05")
@pytest.mark.parametrize("document", MEANT.values(), ids=MEANT)
def test_a_gate_that_can_be_meant_is_read(document: Document) -> None:
    """What is unusual is no fault."""
    assert faults_of(document) == []


STEPS = {
    "a weight that does not rise": (ramp(5, 5, 100), "steps[1].weight", "5 must be above 5, the weight before it"),
    "a weight of nothing": (ramp(0, 100), "steps[0].weight", "kind: mirror"),
    "a weight past all": (ramp(5, 101), "steps[1].weight", "from 0 to 100"),
    "a last weight below all": (ramp(5, 50), "steps[1].weight", "must be 100"),
    "a ring below a weight": (ramp(5, {"ring": "a"}, 100), "steps[1].weight", "write weight: 5"),
    "the same ring twice": (ramp({"ring": "a"}, {"ring": "a"}, 100), "steps[1].ring", "name another group"),
    "a mirror after users": (ramp(5, {"kind": "mirror"}, 100), "steps[1].kind", "must come before"),
    "a mirror with a weight": (ramp({"kind": "mirror", "weight": 5}, 100), "steps[0].weight", "serves nobody"),
    "half a switch": (ramp({"kind": "switch", "weight": 50}), "steps[0].weight", "all at once"),
    "a ring without a name": (ramp({"kind": "ring"}, 100), "steps[0].ring", "name the group"),
    "a weight with a ring": (ramp({"kind": "weight", "weight": 5, "ring": "a"}, 100), "steps[0].ring", "leave it out"),
    "a weight without its number": (ramp({"kind": "weight"}, 100), "steps[0].weight", "is missing"),
    "more than all": (ramp({"weight": 60, "holdback": 50}, 100), "steps[0].holdback", "more than 100 (60 + 50)"),
    "a mirror that holds back": (ramp({"kind": "mirror", "holdback": 5}, 100), "steps[0].holdback", "leave it out"),
    "a switch that holds back": (ramp({"kind": "switch", "holdback": 5}), "steps[0].holdback", "holds nobody back"),
    "less than the weight before": (
        ramp(90, {"weight": 100, "holdback": 16}),
        "steps[1].weight",
        "84, which the holdback of 16 leaves, must be above 90",
    ),
    "a soak before the end": (ramp({"weight": 5, "soak": "1h"}, 100), "steps[0].soak", "use min_hold"),
    "a hold past its deadline": (
        ramp({"weight": 5, "min_hold": "2h", "max_hold": "1h"}, 100),
        "steps[0].min_hold",
        "must not be longer than max_hold",
    ),
    "an action without a deadline": (
        ramp({"weight": 5, "on_deadline": "rollback"}, 100),
        "steps[0].on_deadline",
        "never happens without max_hold",
    ),
    "a gate that is not there": (
        ramp({"weight": 5, "gates": ["eror_rate"]}, 100),
        "steps[0].gates",
        "mean 'error_rate'",
    ),
    "no step": (ramp(), "steps", "has no step"),
}


@pytest.mark.clause("PO-07")
@pytest.mark.parametrize(("document", "path", "message"), STEPS.values(), ids=STEPS)
def test_a_step_that_cannot_be_meant_is_refused(document: Document, path: str, message: str) -> None:
    """One fault, at the field to change, in words that say how."""
    [(found_path, found)] = faults_of(document)

    assert found_path == path
    assert message in found


WALKS = {
    "a holdback at the end": ramp(5, {"weight": 100, "holdback": 5}),
    "a holdback that fills up": ramp(5, {"weight": 95, "holdback": 5}),
    "rings, then weights": ramp({"kind": "offline"}, {"kind": "mirror"}, {"ring": "a"}, {"ring": "b"}, 1, 100),
    "a ring that keeps a weight": ramp(5, {"ring": "a", "weight": 5}, 100),
    "a deadline that only holds": ramp({"weight": 5, "max_hold": "1h"}, 100),
    "evals alone": ramp({"kind": "offline"}),
}


@pytest.mark.clause("PO-07")
@pytest.mark.parametrize("document", WALKS.values(), ids=WALKS)
def test_a_walk_that_can_be_meant_is_read(document: Document) -> None:
    """What leads upwards to all of the traffic is no fault."""
    assert faults_of(document) == []


TOGETHER = {
    "shares past one": (
        {"gates": [{"metric": "cost", "share": 0.7}, {"metric": "error_rate", "share": "40%"}]},
        "gates",
        "add to 1.1",
    ),
    "nothing left for a gate": ({"gates": [{"metric": "cost", "share": 1}, "error_rate"]}, "gates", "for 'error_rate'"),
    "the same gate twice": ({"gates": ["error_rate", "error_rate"]}, "gates[1].id", "is gates[0] already"),
    "no gate": ({"gates": []}, "gates", "names no gate"),
    "a gate that no step names": (
        {"gates": ["cost", "error_rate"], "steps": [{"weight": 100, "gates": ["cost"]}]},
        "gates[1].id",
        "no step names 'error_rate'",
    ),
    "too many gates": ({"gates": [{"metric": "cost", "id": f"{n}"} for n in range(401)]}, "gates", "at most 400"),
    "the same invariant twice": ({"invariants": ["leak", "leak"]}, "invariants[1].id", "is invariants[0] already"),
    "an invariant without an event": ({"invariants": [{"id": "leak"}]}, "invariants[0].event", "is missing"),
    "more windows than there are": (
        {"sustained": [{"metric": "cost", "budget": 1, "need": 4}]},
        "sustained[0].need",
        "must not be above 3",
    ),
    "an unknown metric in a budget": (
        {"sustained": [{"metric": "costs", "budget": 1}]},
        "sustained[0].metric",
        "unknown metric 'costs'",
    ),
    "an amount without a currency": ({"limits": {"spend": 200}}, "limits.spend", "200 EUR"),
    "a bucket of hours": ({"bucket": "2h"}, "bucket", "from 1 s to 3600 s"),
    "an alpha past a half": ({"alpha": "60%"}, "alpha", "at most 0.5"),
    "an alpha of nothing": ({"alpha": 0}, "alpha", "above 0"),
    "a word for true": ({"require_pairwise": "yes"}, "require_pairwise", "'yes' must be true or false"),
    "a number for a label": ({"gates": [{"metric": "cost", "slice": {"tier": 1}}]}, "gates[0].slice", "in quotes"),
    "half a second": ({"bucket": "1.5s"}, "bucket", "must be a duration"),
    "a time as clocks show it": ({"bucket": "1:30"}, "bucket", "such as 90s"),
    "no value for a default": ({"alpha": None}, "alpha", "nothing must be"),
}


@pytest.mark.clause("PO-06")
@pytest.mark.parametrize(("document", "path", "message"), TOGETHER.values(), ids=TOGETHER)
def test_a_policy_that_cannot_be_meant_is_refused(document: Document, path: str, message: str) -> None:
    """One fault, at the field to change, in words that say how."""
    [(found_path, found)] = faults_of(document)

    assert found_path == path
    assert message in found


@pytest.mark.clause("PO-03")
def test_a_faulty_field_is_not_blamed_twice() -> None:
    """What a refused value would contradict is left unsaid."""
    document = ramp({"weight": 5, "max_hold": "soon", "on_deadline": "rollback"}, {"weight": "x"}, 100)

    assert [path for path, _ in faults_of(document)] == ["steps[0].max_hold", "steps[1].weight"]
