# SPDX-License-Identifier: Apache-2.0
"""One declared gate comes in; a Gate goes out, its faults and contradictions collected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lockgate.core.declaration import gate_field as field
from lockgate.core.declaration.allowance import covering_detect, least_runs
from lockgate.core.declaration.fault import Fault
from lockgate.core.declaration.gate_contradiction import contradict
from lockgate.core.declaration.reading import Reading
from lockgate.core.declaration.shape import shown
from lockgate.core.metric import Metric, Worse, parse_metric
from lockgate.core.policy.decimal_text import number_text
from lockgate.core.policy.gate import Gate, Margin
from lockgate.core.policy.policy import Promote
from lockgate.errors import UsageError


@dataclass(frozen=True, slots=True)
class DeclaredGate:
    """A gate whose share may still have to be split, and where it was read."""

    gate: Gate
    share: float | None
    reading: Reading


def declare_gate(item: object, path: str, min_runs: int, promote: Promote, faults: list[Fault]) -> DeclaredGate | None:
    """Return the gate that an item declares, or None when its metric cannot be known."""
    document = {field.METRIC.name: item} if isinstance(item, str) else item
    if not isinstance(document, Mapping):
        faults.append(Fault(path, f"{shown(item)} must be a metric or a mapping", is_structural=True))
        return None
    reading = Reading(document, path, field.GATE_FIELDS, faults)
    metric = _metric(reading)
    share = reading.value(field.SHARE)
    gate = _gate(reading, metric or parse_metric("error_rate"), min_runs)
    if metric is None:
        return None
    contradict(reading, gate, promote)
    return DeclaredGate(gate, share, reading)


def _metric(reading: Reading) -> Metric | None:
    name, worse = reading.value(field.METRIC), reading.value(field.WORSE)
    if reading.is_refused(field.METRIC):
        return None
    try:
        return parse_metric(name, worse)
    except UsageError as error:
        reading.refuse(field.METRIC, f"{error.message}. {error.advice}")
        return None


def _gate(reading: Reading, metric: Metric, min_runs: int) -> Gate:
    limit = _limit(reading, metric)
    part = reading.value(field.SLICE)
    tolerance = reading.value(field.TOLERANCE).margin
    stated_margin = reading.value(field.MARGIN)
    margin = None if stated_margin is None else stated_margin.margin
    return Gate(
        id=reading.value(field.ID) or _default_id(metric, limit, part),
        metric=metric,
        share=0.0,
        min_runs=reading.value(field.MIN_RUNS) or max(min_runs, least_runs(metric)),
        tolerance=tolerance,
        detect=_detect(reading, metric, limit, (tolerance, margin or tolerance)),
        margin=margin,
        limit=limit,
        slice=part,
        critical=reading.value(field.CRITICAL),
        user_outcome=reading.value(field.USER_OUTCOME),
        breach=reading.value(field.BREACH),
        method=reading.value(field.METHOD),
        extent=reading.value(field.EXTENT),
    )


def _limit(reading: Reading, metric: Metric) -> float | None:
    stated = reading.value(field.MAX), reading.value(field.MIN)
    of_metric = stated[0] if metric.worse is Worse.HIGHER else stated[1]
    chosen = of_metric or stated[0] or stated[1]
    return None if chosen is None else chosen[0]


def _detect(reading: Reading, metric: Metric, limit: float | None, finer: tuple[Margin, ...]) -> Margin | None:
    stated = reading.value(field.DETECT)
    if stated is not None:
        return stated.margin
    is_none = reading.has(field.DETECT) and not reading.is_refused(field.DETECT)
    return None if is_none else covering_detect(metric, limit, finer)


def _default_id(metric: Metric, limit: float | None, part: tuple[tuple[str, str], ...]) -> str:
    name = metric.name
    if limit is not None:
        sign = "-" if limit < 0 else ""
        name += f" {'max' if metric.worse is Worse.HIGHER else 'min'} {sign}{number_text(abs(limit))}"
    return name + (f" [{', '.join(f'{label}={value}' for label, value in part)}]" if part else "")
