# SPDX-License-Identifier: Apache-2.0
"""Plain numbers come in; the tallies, gates and findings that tests of one look speak of go out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockgate.core.bucket import Bucket, Events, Pairs
from lockgate.core.evidence.sealed import Arms
from lockgate.core.evidence.totals import Cohorts
from lockgate.core.finding import Finding
from lockgate.core.intake import WHOLE, Slice
from lockgate.core.metric import parse_metric
from lockgate.core.policy.gate import Bound, Gate, default_detect
from lockgate.core.stats.fixed.proportion import newcombe
from lockgate.core.verdict.fixed import Levels, fixed_finding
from lockgate.core.verdict.rare import is_beyond_chance
from lockgate.core.verdict.sample import Sample
from tests.tallied import values_of

Table = NDArray[np.bool_]


def gate(name: str, **declared: Any) -> Gate:
    """Return a gate that alone has all of alpha, with the default `detect`."""
    metric = parse_metric(name)
    fields: dict[str, Any] = {
        "id": name,
        "share": 1.0,
        "min_runs": 30,
        "detect": default_detect(metric, is_objective="limit" in declared),
        **declared,
    }
    return Gate(metric=metric, **fields)


def shares(field: str, n: int, events: int) -> Bucket:
    """Return a bucket in which so many of n runs had the worse outcome."""
    return Bucket(n, {}, {field: Events(n, events)}, {})


def numbers(field: str, values: Sequence[float] | NDArray[np.float64]) -> Bucket:
    """Return a bucket of runs with these numbers."""
    return Bucket(len(values), {}, {}, {field: values_of(values)})


def look(
    of: Gate,
    baseline: Bucket,
    candidate: Bucket,
    pairs: Pairs | None = None,
    levels: Levels | None = None,
) -> Finding:
    """Return what a gate says at one look."""
    arms: Mapping[Slice, Arms] = {of.slice: Arms(baseline, candidate), WHOLE: Arms(baseline, candidate)}
    paired = {} if pairs is None else {(of.metric.field, of.slice): pairs}
    return fixed_finding(of, Cohorts(arms, paired), levels or Levels())


def regressed_table(n_a: int, n_b: int, alpha: float) -> Table:
    """Return, for every count of events in candidate (rows) and baseline (columns), whether error_rate regresses."""
    events_a, events_b = np.arange(n_a + 1)[:, None], np.arange(n_b + 1)[None, :]
    table: Table = np.asarray(newcombe(events_a, n_a, events_b, n_b, 1.0 - alpha)[1] > 0.0)
    of, bound = gate("error_rate"), Bound(1.0, 0.0)
    for a, b in zip(*np.nonzero(table), strict=True):
        sample = Sample(of, shares("error_rate", n_b, int(b)), shares("error_rate", n_a, int(a)))
        table[a, b] = is_beyond_chance(sample, bound, alpha)
    return table
