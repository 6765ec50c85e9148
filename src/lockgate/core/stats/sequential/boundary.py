# SPDX-License-Identifier: Apache-2.0
"""Pairs of alternative rates come in; the pairs on the null's boundary that are nearest to them go out.

The boundary is the line p = ratio * q + offset, "nearest" is the least of n_a kl(t_a, p) + n_b kl(t_b, q).
Pairs are laid out [event or not, arm, ...]: [[t_a, t_b], [1 - t_a, 1 - t_b]], so that no complement is a difference.
Spec: ST-43.
"""

from __future__ import annotations

import numpy as np

from lockgate.core.stats.elementary import Floats

# Enough for rates within 1e-9 of 0 and 1, counts up to 1e9 and ratios from 0.25 to 4: to the last bits of each rate.
STEPS = 7
# Convergence is of third order: what remains after a relative step this small is below the last bit.
_CLOSE = 1e-7


def nearest(weight_a: Floats, alternative: Floats, ratio: Floats, offset: Floats) -> Floats:
    """Return the projections, laid out as the alternatives; `weight_a` is n_a / (n_a + n_b).

    The minimum is the zero of a sum of four hyperbolas in q, two with poles left of the feasible interval and
    two right, which increases between the poles.
    Each step replaces it by one hyperbola per side, on the two inner poles, with the same value and two derivatives:
    Gragg's iteration for such equations (Borges and Gragg, 1993), monotone and of third order from any start.
    A projection that was found stays as it is, so that it does not depend on what is computed beside it.
    Distances to both ends of the interval are carried, so that small rates and small complements keep their digits.
    """
    gaps = _gaps(ratio, offset)
    mass = np.empty(alternative.shape)
    np.multiply(alternative[:, 0], weight_a, out=mass[:, 0])
    np.multiply(alternative[:, 1], 1.0 - weight_a, out=mass[:, 1])
    span = (np.minimum(ratio + offset, 1.0) - np.maximum(offset, 0.0)) / ratio
    # The distances from both ends; exact where ratio is 1 and offset 0.
    ends: Floats = span * (mass[:, 0] + mass[:, 1])
    terms = np.empty((3, *mass.shape))
    is_found = np.zeros(ends.shape[1:], np.bool_)
    for _ in range(STEPS):
        inverse = 1.0 / (ends[:, None] + gaps)
        for order, lower in enumerate((mass, terms[0], terms[1])):
            np.multiply(lower, inverse, out=terms[order])
        sums = terms[:, :, 0] + terms[:, :, 1]
        value, _, bend = sums[:, 1] - sums[:, 0]
        slope = sums[1, 0] + sums[1, 1]
        left, right = np.maximum(inverse[:, 0], inverse[:, 1])
        lean = left - right
        half = 0.5 * (slope + value * lean)
        square = left * right * value - slope * lean - bend
        step = value / (half + np.sqrt(np.maximum(half * half + value * square, 0.0)))
        step = np.where(is_found, 0.0, step)
        ends[0] -= step
        ends[1] += step
        is_found |= np.abs(step) <= _CLOSE * np.minimum(ends[0], ends[1])
        if is_found.all():
            break
    projected = ends[:, None] + gaps
    projected[:, 0] *= ratio
    return projected


def _gaps(ratio: Floats, offset: Floats) -> Floats:
    """Return how far p's and q's own ends lie outside the feasible interval of q, [lower or upper, arm, ...]."""
    slack = 1.0 - ratio - offset
    gaps = np.empty((2, 2, *offset.shape))
    gaps[0, 0], gaps[0, 1], gaps[1, 0], gaps[1, 1] = offset, -offset, slack, -slack
    np.maximum(gaps, 0.0, out=gaps)
    gaps /= ratio
    return gaps
