# SPDX-License-Identifier: Apache-2.0
"""Both arms' events by bucket come in; an interval of their difference that holds at any number of looks goes out.

For display: no decision reads it. It exists for differences of shares alone; a mean or quantile has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lockgate.core.bucket import Events
from lockgate.core.canonical import Json
from lockgate.core.finding import Difference
from lockgate.core.metric import Kind, Worse
from lockgate.core.policy.gate import Gate
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.sequential import sequence
from lockgate.core.verdict.estimate import SHOWN_LEVEL

# Each costs about a millisecond. What the first buckets leave out is left out for good, so that no more are needed.
MAX_BUCKETS = 500
# Points of the grid by what they are multiples of, in units of 1 / 400, and up to where: fine where harm is small.
_UNIT = 400
_PARTS = ((1, 20), (4, 80), (20, 380))


@dataclass(frozen=True, slots=True)
class Anytime:
    """The interval of a gate's difference, and how many buckets with both arms it rests on."""

    gate: Gate
    difference: Difference
    buckets: int

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        shown = self.difference
        return {"low": shown.low, "high": shown.high, "level": shown.level, "buckets": self.buckets}


def has_anytime(gate: Gate) -> bool:
    """Say whether a gate compares two shares."""
    return gate.metric.kind is Kind.BINARY and not gate.is_objective


def anytime(gate: Gate, arms: Sequence[tuple[Events, Events]]) -> Anytime | None:
    """Return the interval after buckets of baseline and candidate in order; None where there is none yet.

    The truth is left out at any time with probability at most 1 - level, for this gate by itself.
    """
    read = arms[:MAX_BUCKETS]
    if not has_anytime(gate) or not read:
        return None
    counts = [(candidate.n, candidate.events, baseline.n, baseline.events) for baseline, candidate in read]
    low, high = (float(end) for end in sequence.confidence_sequence(counts, 1.0 - SHOWN_LEVEL, _grid()))
    if gate.metric.worse is Worse.LOWER:
        low, high = -high, -low
    both = [sum(part) for part in zip(*counts, strict=True)]
    estimate = both[1] / both[0] - both[3] / both[2]
    shown = -estimate if gate.metric.worse is Worse.LOWER else estimate
    return Anytime(gate, Difference(shown, low, high, SHOWN_LEVEL, "confidence-sequence"), len(read))


def _grid() -> Floats:
    last, found = 0, [0]
    for step, end in _PARTS:
        found += range(last + step, end + 1, step)
        last = end
    return np.array([-number for number in reversed(found[1:])] + found, np.float64) / _UNIT
