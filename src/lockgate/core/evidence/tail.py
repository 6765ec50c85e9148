# SPDX-License-Identifier: Apache-2.0
"""Runs by bin come in; the bin that a baseline's quantile sets as threshold, and the runs beyond a bin, go out.

It says of one bucket's bins what `exceedance` says of arrays: so few bins Python counts in less time than numpy.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from operator import itemgetter

from lockgate.core.evidence.state import Bins

_INDEX = itemgetter(0)


def threshold(counts: Bins, p: float) -> int:
    """Return the threshold that, by ratio, nearest to 1 - p of the runs exceed."""
    upto = list(accumulate([number for _, number in counts]))
    runs = upto[-1]
    place = bisect_left(upto, runs * p)
    index, number = counts[place]
    above, within = float(runs - upto[place]), float(runs - upto[place] + number)
    aim = runs * (1.0 - p)
    return index - 1 if above * within < aim * aim else index


def beyond(counts: Bins, index: int) -> int:
    """Return the runs in bins above an index."""
    return sum([number for _, number in counts[bisect_right(counts, index, key=_INDEX) :]])
