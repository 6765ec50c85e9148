# SPDX-License-Identifier: Apache-2.0
"""A gate and what was written of it come in; where its fields contradict each other is recorded."""

from __future__ import annotations

import math

from lockgate.core.declaration import gate_field as field
from lockgate.core.declaration.allowance import is_inside, least_runs
from lockgate.core.declaration.reading import Field, Reading
from lockgate.core.metric import Kind, Worse, parse_metric
from lockgate.core.policy.gate import Breach, Gate, Margin, Method
from lockgate.core.policy.margin_text import StatedMargin, takes_points
from lockgate.core.policy.policy import Promote

_MARGINS: tuple[Field[StatedMargin | None], ...] = (field.TOLERANCE, field.DETECT, field.MARGIN)
_LIMITS = (field.MAX, field.MIN)


def contradict(reading: Reading, gate: Gate, promote: Promote) -> None:
    """Record every contradiction within one gate."""
    _limit(reading, gate)
    for each in _MARGINS:
        stated = reading.value(each) if reading.has(each) and not reading.is_refused(each) else None
        if stated is not None:
            _unit(reading, each, stated, gate)
    _rungs(reading, gate)
    _fit(reading, gate)
    if promote is Promote.PROVEN and not reading.has(field.MARGIN):
        hint = " (0 proves that the limit itself is kept)" if gate.is_objective else ", such as 10%"
        reading.contradict(field.MARGIN, f"`promote: proven` needs a margin for every gate{hint}")


def _limit(reading: Reading, gate: Gate) -> None:
    given = [each for each in _LIMITS if reading.has(each)]
    if not given:
        return
    right = field.MAX if gate.metric.worse is Worse.HIGHER else field.MIN
    for each in given:
        if each is not right:
            message = f"{gate.metric.name} is worse when {gate.metric.worse}; write {right.name} instead"
            reading.contradict(each, message, field.WORSE)
    if gate.metric.kind is Kind.PAIRED:
        reading.contradict(given[0], "pairs always compare with a baseline; leave the limit out")
    elif gate.metric.kind is Kind.RATE:
        message = f"a rate has no limit, but the mean is the same number; write metric: {gate.metric.field}"
        reading.contradict(given[0], message)
    elif not reading.is_refused(given[0]):
        _limit_value(reading, given[0], gate)


def _limit_value(reading: Reading, given: Field[tuple[float, bool] | None], gate: Gate) -> None:
    """Record a limit that the metric's values cannot meet on both sides."""
    number, in_percent = reading.value(given) or (0.0, False)
    if gate.metric.is_share:
        if not 0.0 < number < 1.0:
            message = "a share's limit must lie between 0% and 100%; what may never happen is an invariant"
            reading.contradict(given, message)
        return
    ends = _range(gate)
    if in_percent:
        reading.contradict(given, f"only a share is stated in percent; write {gate.metric.name} in its own unit")
    elif ends is not None and not ends[0] < number < ends[1]:
        message = (
            f"{number:g} must lie between {ends[0]:g} and {ends[1]:g}, the range of the values, or declare an extent"
        )
        reading.contradict(given, message, field.EXTENT)
    elif number <= 0.0 and gate.detect is not None and gate.detect.relative:
        reading.contradict(field.DETECT, "a limit that is not above 0 has no percentage; write an amount", given)


def _unit(reading: Reading, each: Field[StatedMargin | None], stated: StatedMargin, gate: Gate) -> None:
    """Record a margin whose unit, direction or size the metric cannot have."""
    metric, margin = gate.metric, stated.margin
    if stated.in_points and not takes_points(metric):
        reading.contradict(each, f"{metric.name} has no percentage points; write the amount in its own unit")
    if metric.kind is Kind.PAIRED and margin.relative:
        reading.contradict(each, "net losses have no percentage of a baseline; write an amount such as 0.1 or 10pp")
    if metric.kind is Kind.RATE and margin.absolute:
        reading.contradict(each, "a rate takes a percentage only, such as 25%")
    if margin.mirrored and not (metric.is_share and metric.worse is Worse.LOWER):
        reading.contradict(each, "mirrored is for shares that are worse when lower; leave it out")
    elif margin.relative and gate.limit is not None and gate.limit <= 0.0 and each is not field.DETECT:
        reading.contradict(each, "a limit that is not above 0 has no percentage; write an amount", *_LIMITS)
    elif not _can_be_exceeded(margin, gate):
        reading.contradict(each, f"{metric.name} can never be worse by that much; write less")


def _can_be_exceeded(margin: Margin, gate: Gate) -> bool:
    if gate.metric.kind in (Kind.BINARY, Kind.PAIRED) and margin.absolute >= 1.0:
        return False
    falls = gate.metric.worse is Worse.LOWER and gate.metric.kind is not Kind.PAIRED
    return not (falls and not margin.mirrored and margin.relative >= 1.0) and margin.absolute < _width(gate)


def _range(gate: Gate) -> tuple[float, float] | None:
    """Return the range that a mean is capped to before any run is seen."""
    if gate.metric.kind is not Kind.MEAN:
        return None
    return gate.extent or ((0.0, 1.0) if gate.metric.is_score else None)


def _width(gate: Gate) -> float:
    ends = _range(gate)
    return math.inf if ends is None else ends[1] - ends[0]


def _rungs(reading: Reading, gate: Gate) -> None:
    """Record margins out of order: tolerance <= margin <= detect."""
    rungs = (
        (field.DETECT, gate.detect, field.TOLERANCE, gate.tolerance),
        (field.MARGIN, gate.margin, field.TOLERANCE, gate.tolerance),
        (field.DETECT, gate.detect, field.MARGIN, gate.margin),
    )
    for outer_field, outer, inner_field, inner in rungs:
        if outer is None or inner is None or not is_inside(outer, inner, gate.metric, gate.limit):
            continue
        reading.contradict(
            outer_field, f"lies inside {inner_field.name}; it must allow at least as much", inner_field, *_LIMITS
        )


def _fit(reading: Reading, gate: Gate) -> None:
    """Record fields that the metric's kind has no use for."""
    if gate.metric.kind not in (Kind.MEAN, Kind.QUANTILE) and gate.method is Method.BOOTSTRAP:
        reading.contradict(field.METHOD, "a bootstrap is for means and quantiles; leave it out")
    if gate.metric.kind is not Kind.MEAN and gate.extent is not None:
        reading.contradict(field.EXTENT, "only a mean is capped to a range; leave it out")
    if gate.metric.kind is Kind.PAIRED and gate.metric.worse is not parse_metric(gate.metric.name).worse:
        reading.contradict(field.WORSE, "pairs are read in the metric's usual direction; leave it out")
    if gate.critical and gate.breach is not Breach.ROLLBACK:
        reading.contradict(field.BREACH, "a critical gate rolls back; leave breach out", field.CRITICAL)
    least = least_runs(gate.metric)
    if gate.min_runs < least:
        reading.contradict(
            field.MIN_RUNS, f"{gate.min_runs} must be at least {least}, or no run is expected beyond {gate.metric.name}"
        )
