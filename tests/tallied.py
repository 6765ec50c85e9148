# SPDX-License-Identifier: Apache-2.0
"""Numbers come in; their tally, as the engine makes it of runs, goes out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lockgate.core.bucket import Bucket, Values
from lockgate.core.intake import WHOLE
from lockgate.core.stats.micro import from_float
from lockgate.core.summary import NONE, Columns, summarize


def values_of(numbers: ArrayLike) -> Values:
    """Return the tally of some numbers."""
    return values_of_micro(from_float(numbers))


def values_of_micro(numbers: ArrayLike) -> Values:
    """Return the tally of some whole numbers of micro-units."""
    micro = np.asarray(numbers, np.int64)
    columns = Columns(runs=micro.size, statuses=np.full(micro.size, NONE, np.int8), values={"latency_ms": micro})
    return summarize(columns).get(WHOLE, Bucket()).values.get("latency_ms", Values())
