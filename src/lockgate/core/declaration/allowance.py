# SPDX-License-Identifier: Apache-2.0
"""Margins of one metric come in; which lies inside which, whatever the baseline's value, goes out."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.metric import Kind, Metric
from lockgate.core.policy.gate import Margin, default_detect

# A worsening allowed at the least and at the greatest value that the metric can have.
Allowance = tuple[float, ...]


def allowance(margin: Margin, metric: Metric, limit: float | None) -> Allowance:
    """Return how much worse a margin allows, at the ends of the metric's range or at an objective's limit."""
    if limit is not None:
        return (_at(margin, limit),)
    if metric.is_share or metric.is_score:
        return (_at(margin, 0.0), _at(margin, 1.0))
    # Of an unbounded value the amount rules at zero, and the percentage far out.
    return (margin.absolute, margin.relative)


def _at(margin: Margin, value: float) -> float:
    return margin.relative * (1.0 - value if margin.mirrored else abs(value)) + margin.absolute


def is_inside(inner: Margin, outer: Margin, metric: Metric, limit: float | None) -> bool:
    """Say whether a margin allows less than another, whatever the value of the baseline."""
    pairs = list(zip(allowance(inner, metric, limit), allowance(outer, metric, limit), strict=True))
    return all(mine <= other for mine, other in pairs) and any(mine < other for mine, other in pairs)


def covering_detect(metric: Metric, limit: float | None, finer: tuple[Margin, ...]) -> Margin:
    """Return the default coarse margin, widened where a tolerance or margin reaches beyond it."""
    detect = default_detect(metric, is_objective=limit is not None)
    for margin in finer:
        pairs = zip(allowance(margin, metric, limit), allowance(detect, metric, limit), strict=True)
        if any(needed > given for needed, given in pairs):
            detect = _joined(detect, margin)
    return detect


def _joined(detect: Margin, margin: Margin) -> Margin:
    if detect.mirrored == margin.mirrored or margin.relative == 0.0:
        relative, absolute = max(detect.relative, margin.relative), max(detect.absolute, margin.absolute)
        return replace(detect, relative=relative, absolute=absolute)
    # A percentage of a share is at most that many percentage points.
    return replace(detect, absolute=max(detect.absolute, margin.relative + margin.absolute))


def least_runs(metric: Metric) -> int:
    """Return how many runs it takes that one of them is expected beyond a quantile; 1 for other kinds."""
    if metric.kind is not Kind.QUANTILE or metric.quantile is None:
        return 1
    return -int(-1 // (1 - metric.quantile))
