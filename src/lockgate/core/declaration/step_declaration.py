# SPDX-License-Identifier: Apache-2.0
"""Declared steps, in any of their short forms, come in; Steps go out, their faults and contradictions collected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lockgate.core.declaration import step_field as field
from lockgate.core.declaration.fault import Fault
from lockgate.core.declaration.reading import Reading
from lockgate.core.declaration.shape import shown
from lockgate.core.policy.decimal_text import NUMBER_PATTERN
from lockgate.core.policy.step import OnDeadline, Step, StepKind

STEPS_PATTERN = rf"^ *{NUMBER_PATTERN} ?%?(?: *, *{NUMBER_PATTERN} ?%?){{0,{field.STEPS.most - 1}}} *$(?!\n)"
_ZERO_WEIGHT = (StepKind.OFFLINE, StepKind.MIRROR, StepKind.RING)
_UNEXPOSED = (StepKind.OFFLINE, StepKind.MIRROR)


@dataclass(frozen=True, slots=True)
class DeclaredStep:
    """A step, the names of the gates that apply at it (None: all), and where it was read."""

    step: Step
    gates: tuple[str, ...] | None
    reading: Reading


def declare_steps(value: object, min_runs: int, faults: list[Fault]) -> tuple[DeclaredStep, ...]:
    """Return the steps that a declaration means; none given is the default ramp."""
    path = field.STEPS.name
    if isinstance(value, str):
        if re.search(STEPS_PATTERN, value) is None:
            faults.append(Fault(path, f"{shown(value)} must be weights such as 5,25,50,100", is_structural=True))
            return ()
        value = [part.strip() for part in value.split(",")]
    if isinstance(value, Sequence) and not value:
        faults.append(Fault(path, f"has no step; write weights such as {field.DEFAULT_STEPS}", is_structural=True))
        return ()
    items = field.STEPS.items(value, path, faults)
    steps = [_step(item, where, min_runs, faults) for where, item in items]
    if None not in steps:
        _ramp(tuple(each for each in steps if each is not None))
    return tuple(each for each in steps if each is not None)


def _step(item: object, path: str, min_runs: int, faults: list[Fault]) -> DeclaredStep | None:
    is_weight = isinstance(item, str | int | float) and not isinstance(item, bool)
    document = {field.WEIGHT.name: item} if is_weight else item
    if not isinstance(document, Mapping) or not document:
        message = f"{shown(item)} must be a weight such as 25, or a mapping with a kind, a weight or a ring"
        faults.append(Fault(path, message, is_structural=True))
        return None
    reading = Reading(document, path, field.STEP_FIELDS, faults)
    kind = _kind(reading)
    weight = reading.value(field.WEIGHT)
    if weight is None:
        if kind is StepKind.WEIGHT:
            reading.contradict(field.WEIGHT, "is missing; write the percentage of traffic", field.KIND)
        weight = 0.0 if kind in _ZERO_WEIGHT else 100.0
    step = Step(
        kind=kind,
        weight=weight,
        ring=reading.value(field.RING),
        min_runs=reading.value(field.MIN_RUNS) or min_runs,
        min_hold_s=reading.value(field.MIN_HOLD),
        max_hold_s=reading.value(field.MAX_HOLD),
        on_deadline=reading.value(field.ON_DEADLINE),
        settle_s=reading.value(field.SETTLE),
        soak_s=reading.value(field.SOAK),
        holdback=reading.value(field.HOLDBACK),
        approval=reading.value(field.APPROVAL),
    )
    _exposure(reading, step)
    _times(reading, step)
    if step.kind is StepKind.WEIGHT and step.weight == 100 and step.holdback < 100:
        # What is asked for, and carried out, is the candidate's own part.
        step = replace(step, weight=100 - step.holdback)
    return DeclaredStep(step, reading.value(field.STEP_GATES), reading)


def _kind(reading: Reading) -> StepKind:
    stated = reading.value(field.KIND)
    if stated is not None:
        return stated
    return StepKind.RING if reading.has(field.RING) else StepKind.WEIGHT


def _exposure(reading: Reading, step: Step) -> None:
    if step.kind is StepKind.RING and step.ring is None:
        reading.contradict(field.RING, "is missing; name the group", field.KIND)
    if step.kind is not StepKind.RING and step.ring is not None:
        reading.contradict(field.RING, f"a step of kind {step.kind} has no ring; leave it out", field.KIND)
    if step.kind in _UNEXPOSED and step.weight != 0:
        reading.contradict(field.WEIGHT, f"a step of kind {step.kind} serves nobody; leave the weight out", field.KIND)
    if step.kind is StepKind.SWITCH and step.weight != 100:
        reading.contradict(field.WEIGHT, "a switch is all at once; leave the weight out", field.KIND)
    if step.kind is StepKind.SWITCH and step.holdback:
        reading.contradict(field.HOLDBACK, "a switch holds nobody back; write a weight for that", field.KIND)
    if step.kind is StepKind.WEIGHT and step.weight == 0:
        reading.contradict(field.WEIGHT, "0 serves nobody; write kind: mirror for that", field.KIND)
    if step.holdback and step.kind in _UNEXPOSED:
        reading.contradict(field.HOLDBACK, f"a step of kind {step.kind} holds nobody back; leave it out", field.KIND)
    if 0 < step.weight < 100 < step.weight + step.holdback:
        total = f"{step.weight:g} + {step.holdback:g}"
        reading.contradict(
            field.HOLDBACK, f"weight and holdback add to more than 100 ({total}); lower one of them", field.WEIGHT
        )


def _times(reading: Reading, step: Step) -> None:
    if step.max_hold_s is None:
        if step.on_deadline is not OnDeadline.HOLD:
            reading.contradict(
                field.ON_DEADLINE, f"{step.on_deadline} never happens without max_hold; write one", field.MAX_HOLD
            )
        return
    for each, seconds in (
        (field.MIN_HOLD, step.min_hold_s),
        (field.SETTLE, step.settle_s),
        (field.SOAK, step.soak_s),
    ):
        if seconds > step.max_hold_s:
            reading.contradict(each, "must not be longer than max_hold", field.MAX_HOLD)


def _ramp(steps: tuple[DeclaredStep, ...]) -> None:
    """Record steps that do not lead upwards, one after the other, to full exposure."""
    top: DeclaredStep | None = None
    rings: set[str | None] = set()
    for index, each in enumerate(steps):
        step, reading = each.step, each.reading
        if step.soak_s and index < len(steps) - 1:
            reading.contradict(field.SOAK, "is for the last step only; use min_hold here")
        if step.kind in _UNEXPOSED:
            if top is not None:
                reading.contradict(field.KIND, f"{step.kind} must come before the steps that expose users")
            continue
        if step.kind is StepKind.RING and step.ring in rings:
            reading.contradict(field.RING, f"{shown(step.ring)} is an earlier step already; name another group")
        rings |= {step.ring} if step.kind is StepKind.RING else set()
        if top is not None and not top.reading.is_refused(field.WEIGHT):
            _above(each, top.step.weight)
        top = each
    last = steps[-1] if steps else None
    if last is not None and last.step.kind is StepKind.WEIGHT and last.step.weight + last.step.holdback < 100:
        last.reading.contradict(
            field.WEIGHT, f"{last.step.weight:g} must be 100, because it is the last", field.HOLDBACK
        )


def _above(each: DeclaredStep, before: float) -> None:
    weight = each.step.weight
    if each.step.kind is StepKind.RING:
        if weight < before:
            message = f"a ring after a weight keeps it; write weight: {before:g}"
            each.reading.contradict(field.WEIGHT, message)
    elif weight <= before:
        left = f", which the holdback of {each.step.holdback:g} leaves," if each.step.holdback else ""
        each.reading.contradict(field.WEIGHT, f"{weight:g}{left} must be above {before:g}, the weight before it")
