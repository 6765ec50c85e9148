# SPDX-License-Identifier: Apache-2.0
"""Runs by bin come in; counted by Python they must say what arrays say of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.evidence import tail
from lockgate.core.stats.bins import from_pairs
from lockgate.core.stats.sequential import exceedance

BINS = st.dictionaries(st.integers(-1500, 1500), st.integers(1, 10**6), min_size=1, max_size=60).map(
    lambda counts: tuple(sorted(counts.items()))
)


@pytest.mark.clause("ST-58")
@given(BINS, st.floats(0.01, 0.99), st.integers(-1600, 1600))
def test_bins_say_what_arrays_say(counts: tuple[tuple[int, int], ...], p: float, index: int) -> None:
    """The threshold and the runs beyond any bin are those of the published method."""
    of_arrays = from_pairs(counts)

    found = tail.threshold(counts, p), tail.beyond(counts, index)

    assert found == (int(exceedance.threshold(of_arrays, p)), int(exceedance.exceedances(of_arrays, index)[1]))
