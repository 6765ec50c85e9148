# SPDX-License-Identifier: Apache-2.0
"""Counts of two arms come in, as folding makes them; what their processes gain must be what each gains by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.evidence.bets import Counts, judged
from lockgate.core.stats.sequential.binary import increments, mirrored_increments, plug_in
from lockgate.core.stats.sequential.null import Null


@st.composite
def two_arms(draw: st.DrawFn) -> Counts:
    """Draw a bucket's counts, an earlier rate and a null."""
    n_a, n_b = draw(st.integers(0, 10_000)), draw(st.integers(0, 10_000))
    s_a, s_b = draw(st.integers(0, n_a)), draw(st.integers(0, n_b))
    before = draw(st.integers(0, 1_000_000))
    known = float(plug_in(before, draw(st.integers(0, before))))
    ratio, offset = draw(st.floats(0.25, 4.0)), draw(st.integers(-500, 500)) / 1000
    return Counts(float(n_a), float(s_a), float(n_b), float(s_b), known, ratio, offset)


@pytest.mark.clause("BU-280")
@given(st.lists(two_arms(), min_size=1, max_size=6))
def test_processes_judged_at_once_gain_what_each_gains_alone(counts: list[Counts]) -> None:
    """To the last bit, whatever is judged beside a process."""
    together = judged(counts)

    alone = [increments(*each[:5], Null(each.ratio, each.offset)) for each in counts]
    assert together.tobytes() == np.array(alone).tobytes()


@pytest.mark.clause("BU-280")
@given(two_arms())
def test_a_process_of_absence_reads_complements(counts: Counts) -> None:
    """Its counts turned round come to what the mirrored null gives, to the last bit."""
    turned = judged([counts.mirrored()])[0]

    null = Null(counts.ratio, counts.offset)
    assert turned.tobytes() == mirrored_increments(*counts[:5], null).tobytes()
