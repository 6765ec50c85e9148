# SPDX-License-Identifier: Apache-2.0
"""The tallied values of two releases come in; outlines of how they are spread go out.

Outlines come from the histogram's bins alone; each bin's values count as spread evenly over it.
Where the values span more than a factor of ten the axis counts bins, which makes it logarithmic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil, isqrt

from lockgate.core.bucket import Values
from lockgate.core.stats.bins import index_of, lower_edge, representative, upper_edge
from lockgate.core.stats.micro import MICRO
from lockgate.report.axis import linear_ticks, log_ticks

MIN_CELLS, MAX_CELLS = 8, 48
LOG_FROM = 10
# The part of all values that may fall off either end, so that one straggler does not flatten the rest.
TRIMMED = 0.001
PERCENTS = (5, 25, 50, 75, 95, 99)


@dataclass(frozen=True, slots=True)
class Tick:
    """A value in units, and where it stands between the ends."""

    value: float
    at: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Two outlines on one axis: the share of each release's values in cells of equal breadth."""

    baseline: tuple[float, ...]
    candidate: tuple[float, ...]
    ticks: tuple[Tick, ...]
    is_log: bool
    place: Callable[[float], float]
    percentiles: tuple[tuple[int, float, float], ...]


def is_yes_or_no(values: Values) -> bool:
    """Say whether the values are only 0 and 1, which a share says better."""
    return {index for index, _ in values.bins} <= {0, _index(MICRO)}


def spread_of(baseline: Values, candidate: Values) -> Spread | None:
    """Return the outlines of two releases, or nothing where there is nothing to tell apart."""
    if not baseline.n or not candidate.n:
        return None
    pooled = baseline + candidate
    first, last = _at_rank(pooled, TRIMMED), _at_rank(pooled, 1 - TRIMMED)
    if first == last:
        return None
    low, high = int(lower_edge(first)), int(upper_edge(last))
    is_log = low > 0 and high > LOG_FROM * low
    cells = min(MAX_CELLS, max(MIN_CELLS, isqrt(min(baseline.n, candidate.n))))
    edges = _log_edges(first, last, cells) if is_log else _even_edges(low, high, cells)
    place = _log_place(edges) if is_log else _even_place(low, high)
    values = [tick / MICRO for tick in log_ticks(low, high)] if is_log else linear_ticks(low / MICRO, high / MICRO)
    return Spread(
        _shares(baseline, edges),
        _shares(candidate, edges),
        tuple(Tick(value, place(value)) for value in values),
        is_log,
        place,
        tuple((percent, _percentile(baseline, percent), _percentile(candidate, percent)) for percent in PERCENTS),
    )


def _shares(values: Values, edges: list[int]) -> tuple[float, ...]:
    """Return the share of the values between each two edges, by interpolation inside of bins."""
    below = [0.0] * len(edges)
    for index, count in values.bins:
        start, stop = int(lower_edge(index)), int(upper_edge(index))
        for position, edge in enumerate(edges):
            below[position] += count * min(1.0, max(0.0, (edge - start) / (stop - start)))
    return tuple((after - before) / values.n for before, after in pairwise(below))


def _log_edges(first: int, last: int, cells: int) -> list[int]:
    step = max(1, ceil((last - first + 1) / cells))
    return [int(lower_edge(index)) for index in range(first, last + step + 1, step)]


def _even_edges(low: int, high: int, cells: int) -> list[int]:
    return [low + (high - low) * cell // cells for cell in range(cells + 1)]


def _log_place(edges: list[int]) -> Callable[[float], float]:
    start, end = _index(edges[0]), _index(edges[-1])
    return lambda value: min(1.0, max(0.0, (_index(round(value * MICRO)) - start) / (end - start)))


def _even_place(low: int, high: int) -> Callable[[float], float]:
    return lambda value: min(1.0, max(0.0, (value * MICRO - low) / (high - low)))


def _percentile(values: Values, percent: int) -> float:
    return int(representative(_at_rank(values, percent / 100))) / MICRO


def _at_rank(values: Values, share: float) -> int:
    """Return the bin that holds the value below which a share of all values lie."""
    wanted = max(1, ceil(values.n * share))
    reached = accumulate(count for _, count in values.bins)
    return next(index for (index, _), seen in zip(values.bins, reached, strict=True) if seen >= wanted)


def _index(micro: int) -> int:
    return int(index_of(micro))
