# SPDX-License-Identifier: Apache-2.0
"""Gates, steps and rules come in; the parts of a legal policy document that declares exactly them go out."""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.core.metric import Kind, Worse
from lockgate.core.policy.decimal_text import plain_number
from lockgate.core.policy.duration import duration_text
from lockgate.core.policy.gate import Gate
from lockgate.core.policy.margin_text import margin_document
from lockgate.core.policy.rule import Rules
from lockgate.core.policy.step import Step, StepKind


def gate_document(gate: Gate) -> dict[str, Json]:
    """Return a gate with every default spelled out."""
    document: dict[str, Json] = {
        "id": gate.id,
        "metric": gate.metric.name,
        "worse": gate.metric.worse.value,
        "share": plain_number(gate.share),
        "min_runs": gate.min_runs,
    }
    if gate.limit is not None:
        document["max" if gate.metric.worse is Worse.HIGHER else "min"] = plain_number(gate.limit)
    document |= {
        "tolerance": margin_document(gate.tolerance, gate.metric),
        "detect": "none" if gate.detect is None else margin_document(gate.detect, gate.metric),
        "margin": None if gate.margin is None else margin_document(gate.margin, gate.metric),
        "slice": dict(gate.slice),
        "critical": gate.critical,
        "user_outcome": gate.user_outcome,
        "breach": gate.breach.value,
        "method": gate.method.value,
    }
    if gate.metric.kind is Kind.MEAN:
        document["extent"] = None if gate.extent is None else [plain_number(end) for end in gate.extent]
    return document


def step_document(step: Step, gates: tuple[str, ...] | None) -> dict[str, Json]:
    """Return a step with every default spelled out, and the ids of its gates (None: all)."""
    document: dict[str, Json] = {"kind": step.kind.value}
    if step.kind is StepKind.RING:
        document["ring"] = step.ring
    return document | {
        "weight": plain_number(step.weight),
        "min_runs": step.min_runs,
        "min_hold": duration_text(step.min_hold_s),
        "max_hold": None if step.max_hold_s is None else duration_text(step.max_hold_s),
        "on_deadline": step.on_deadline.value,
        "settle": duration_text(step.settle_s),
        "soak": duration_text(step.soak_s),
        "holdback": plain_number(step.holdback),
        "approval": step.approval.value,
        "gates": "all" if gates is None else list(gates),
    }


def rules_document(rules: Rules) -> dict[str, Json]:
    """Return the sections of the deterministic rules, every default spelled out."""
    limits = rules.limits
    return {
        "invariants": [{"id": rule.id, "event": rule.event, "max": rule.max} for rule in rules.invariants],
        "sustained": [
            {
                "id": rule.id,
                "metric": rule.metric,
                "budget": plain_number(rule.budget),
                "window": duration_text(rule.window_s),
                "need": rule.need,
                "of": rule.of,
                "max_reductions": rule.max_reductions,
                "cool_down": duration_text(rule.cool_down_s),
            }
            for rule in rules.sustained
        ],
        "disagreement": [
            {"id": rule.id, "max_excess": plain_number(rule.max_excess), "min_pairs": rule.min_pairs}
            for rule in rules.disagreement
        ],
        "limits": {
            "spend": None if limits.spend is None else f"{limits.spend} {limits.currency}",
            "time": None if limits.time_s is None else duration_text(limits.time_s),
            "units": limits.units,
            "runs": limits.runs,
            "on_limit": limits.on_limit.value,
        },
    }
