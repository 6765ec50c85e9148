# SPDX-License-Identifier: Apache-2.0
"""A policy as its owner wrote it comes in as a mapping; the Policy goes out, or one error that lists every fault.

Clauses: PO-01 to PO-12. It reads no file and knows no YAML.

>>> declare({"gates": ["error_rate"], "steps": "5,100"}).steps[0].weight
5.0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lockgate.core.declaration import policy_field as field
from lockgate.core.declaration.fault import Fault, PolicyFaults
from lockgate.core.declaration.gate_declaration import DeclaredGate, declare_gate
from lockgate.core.declaration.gate_field import BREACH, GATES, ID, SHARE
from lockgate.core.declaration.nearest import suggestion
from lockgate.core.declaration.reading import Field, Reading
from lockgate.core.declaration.rule_declaration import declare_rules
from lockgate.core.declaration.rule_field import DISAGREEMENT, INVARIANTS, LIMITS, SUSTAINED
from lockgate.core.declaration.shape import Text, shown
from lockgate.core.declaration.step_declaration import DeclaredStep, declare_steps
from lockgate.core.declaration.step_field import DEFAULT_STEPS, STEP_GATES, STEPS
from lockgate.core.metric import parse_metric
from lockgate.core.policy.gate import Breach, Gate
from lockgate.core.policy.policy import Inference, Policy
from lockgate.errors import UsageError

DEFAULT_GATES = ("error_rate",)
# Shares that are split equally may add to a rounding error more than 1.
SHARE_SLACK = 1e-9

_PARTS = tuple(
    Field[Any](name=name, shape=Text(), default=None, about="")
    for name in (GATES.name, STEPS.name, INVARIANTS.name, SUSTAINED.name, DISAGREEMENT.name, LIMITS)
)


def declare(document: object, default_gates: Sequence[object] = DEFAULT_GATES) -> Policy:
    """Return the policy that a document declares, or raise PolicyFaults with every fault and its path.

    Args:
        document: A JSON-like mapping, such as a policy file holds.
        default_gates: The gates of a document that names none.
    """
    faults: list[Fault] = []
    if not isinstance(document, Mapping):
        message = f"{shown(document)} must be a mapping of fields, such as app, gates and steps"
        raise PolicyFaults((Fault("", message, is_structural=True),))
    reading = Reading(document, "", (*field.POLICY_FIELDS, *_PARTS), faults)
    policy = _top(reading)
    stated = document.get(GATES.name)
    gates = _gates(default_gates if stated is None else stated, policy, faults)
    stated = document.get(STEPS.name)
    steps = declare_steps(DEFAULT_STEPS if stated is None else stated, policy.min_runs, faults)
    policy = replace(
        policy,
        gates=_applied(gates, steps),
        steps=tuple(each.step for each in steps),
        rules=declare_rules(document, faults),
    )
    if faults:
        raise PolicyFaults(tuple(faults))
    return policy


def _top(reading: Reading) -> Policy:
    return Policy(
        app=reading.value(field.APP),
        mode=reading.value(field.MODE),
        promote=reading.value(field.PROMOTE),
        inference=reading.value(field.INFERENCE),
        alpha=reading.value(field.ALPHA),
        alpha_promote=reading.value(field.ALPHA_PROMOTE),
        alpha_ratio=reading.value(field.ALPHA_RATIO),
        min_runs=reading.value(field.MIN_RUNS),
        bucket_s=reading.value(field.BUCKET),
        bucket_runs=reading.value(field.BUCKET_RUNS),
        unit=reading.value(field.UNIT),
        require_pairwise=reading.value(field.REQUIRE_PAIRWISE),
        enforce_weight=reading.value(field.ENFORCE_WEIGHT),
        max_stale_s=reading.value(field.MAX_STALE),
        gates=(),
        steps=(),
    )


def _gates(value: object, policy: Policy, faults: list[Fault]) -> tuple[DeclaredGate, ...]:
    if isinstance(value, Sequence) and not value:
        message = "names no gate; write at least one metric, such as error_rate, or leave the field out"
        faults.append(Fault(GATES.name, message, is_structural=True))
    items = GATES.items(value, GATES.name, faults)
    declared = [declare_gate(item, path, policy.min_runs, policy.promote, faults) for path, item in items]
    gates = tuple(each for each in declared if each is not None)
    seen: dict[str, str] = {}
    for each in gates:
        first = seen.setdefault(each.gate.id, each.reading.path)
        if first != each.reading.path:
            each.reading.contradict(ID, f"{shown(each.gate.id)} is {first} already; give this gate an id of its own")
        if policy.inference is Inference.FIXED and each.gate.breach is Breach.REDUCE:
            message = "after a reduction `inference: fixed` reads the same runs again; roll back or pause instead"
            each.reading.contradict(BREACH, message)
    return _shared(gates, faults)


def _shared(gates: tuple[DeclaredGate, ...], faults: list[Fault]) -> tuple[DeclaredGate, ...]:
    """Split what the declared shares leave equally over the gates that declare none."""
    stated = [each.share for each in gates if each.share is not None]
    open_gates = len(gates) - len(stated)
    left = 1.0 - sum(stated)
    if any(each.reading.is_refused(SHARE) for each in gates):
        return gates
    if left < -SHARE_SLACK:
        message = f"the shares add to {sum(stated):g}; they must add to at most 1"
        faults.append(Fault(GATES.name, message))
    elif open_gates and left <= SHARE_SLACK:
        message = f"the shares add to 1, so nothing is left for {_unshared(gates)}; lower a share"
        faults.append(Fault(GATES.name, message))
    split = left / open_gates if open_gates else 0.0
    return tuple(
        replace(each, gate=replace(each.gate, share=split if each.share is None else each.share)) for each in gates
    )


def _unshared(gates: tuple[DeclaredGate, ...]) -> str:
    return ", ".join(shown(each.gate.id) for each in gates if each.share is None)


def _applied(gates: tuple[DeclaredGate, ...], steps: tuple[DeclaredStep, ...]) -> tuple[Gate, ...]:
    """Give each gate the indexes of the steps that name it; None where every step does."""
    if all(step.gates is None for step in steps):
        return tuple(each.gate for each in gates)
    lists = [_named(step, gates) for step in steps]
    applied = []
    for each in gates:
        indexes = tuple(index for index, ids in enumerate(lists) if each.gate.id in ids)
        if not indexes:
            each.reading.contradict(ID, f"no step names {shown(each.gate.id)}; add it to a step's gates, or drop it")
        applied.append(replace(each.gate, steps=None if len(indexes) == len(steps) else indexes))
    return tuple(applied)


def _named(step: DeclaredStep, gates: tuple[DeclaredGate, ...]) -> set[str]:
    known = [each.gate for each in gates]
    if step.gates is None:
        return {gate.id for gate in known}
    named: set[str] = set()
    for name in step.gates:
        ids = {gate.id for gate in known if gate.id == name} or {
            gate.id for gate in known if gate.metric.name == _metric_name(name)
        }
        if not ids:
            near = (
                suggestion(name, (gate.id for gate in known)) or f"; known are {', '.join(gate.id for gate in known)}"
            )
            step.reading.refuse(STEP_GATES, f"{shown(name)} is no gate of this policy{near}")
        named |= ids
    return named


def _metric_name(name: str) -> str:
    try:
        return parse_metric(name).name
    except UsageError:
        return name
