# SPDX-License-Identifier: Apache-2.0
"""Alternatives anywhere in the domain come in; their projections must be those of 200 bisections."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.sequential import binary
from lockgate.core.stats.sequential.boundary import nearest
from lockgate.core.stats.sequential.null import Null

counts = st.integers(1, 10**9)
ratios = st.one_of(st.just(1.0), st.floats(0.5, 4.0))
offsets = st.one_of(st.just(0.0), st.floats(-0.5, 0.9), st.floats(-1e-3, 1e-3))


def _alternatives(plug_in: float, null: Null) -> Floats:
    columns = (np.array([x]) for x in (plug_in, null.ratio, null.offset))
    return np.asarray(binary._alternatives(*columns))


def _bisected(weight_a: float, pairs: Floats, ratio: float, offset: float) -> list[float]:
    """Return p, q and their complements after 200 bisections with 60 digits."""
    with mp.workdps(60):
        r, m, a = mpf(ratio), mpf(offset), mpf(weight_a)
        (left_a, left_b), (right_a, right_b) = [[mpf(x) for x in row] for row in pairs.tolist()]
        low, high = max(mpf(0), -m / r), min(mpf(1), (1 - m) / r)
        for _ in range(200):
            q = (low + high) / 2
            p = r * q + m
            slope = a * r * (right_a / (1 - p) - left_a / p) + (1 - a) * (right_b / (1 - q) - left_b / q)
            low, high = (low, q) if slope > 0 else (q, high)
        return [float(x) for x in (p, q, 1 - p, 1 - q)]


@pytest.mark.clause("ST-43")
@settings(max_examples=150)
@given(counts, counts, st.tuples(counts, st.integers(0, 10**9)), ratios, offsets, st.booleans())
def test_seven_steps_find_what_bisection_finds(
    n_a: int, n_b: int, history: tuple[int, int], ratio: float, offset: float, is_mirrored: bool
) -> None:
    """Rates near 0 and 1, counts up to 1e9, both nulls: to 1e-13, and to 1e-9 of each rate and complement."""
    runs, events = history
    offset = 1.0 - ratio - offset if is_mirrored else offset
    plug_in, null = float(binary.plug_in(runs, min(events, runs))), Null(ratio, offset)
    assume(ratio * plug_in + offset < 1.0 - 1e-9)
    assume(ratio + offset > 1e-9)
    alternative = _alternatives(plug_in, null)
    weight = n_a / (n_a + n_b)

    found = nearest(np.array([weight]), alternative, np.array([ratio]), np.array([offset]))[..., ::11]

    exact = [_bisected(weight, alternative[..., j], ratio, offset) for j in (0, 11)]
    expected = np.array(exact).T.reshape(found.shape)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=0)


@pytest.mark.clause("ST-43")
@given(counts, counts, st.floats(1e-12, 1.0 - 1e-12), st.floats(1e-12, 1.0 - 1e-12))
def test_without_a_margin_the_projection_is_the_pooled_rate(n_a: int, n_b: int, t_a: float, t_b: float) -> None:
    """The closed form for ratio 1 and offset 0."""
    q = binary.projection(n_a, t_a, n_b, t_b, Null())

    assert float(q) == pytest.approx((n_a * t_a + n_b * t_b) / (n_a + n_b), rel=1e-12)
