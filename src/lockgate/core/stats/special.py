# SPDX-License-Identifier: Apache-2.0
"""Floats come in; beta, normal, Student and binomial functions made of `elementary` go out.

Every function takes arrays and broadcasts.
Series stop when no row's next term can change a bit, so that a row's value does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from lockgate.core.stats.elementary import Floats, exp, log, log1p

HALF_LOG_TWO_PI = 0.9189385332046728
INVERSE_ROOT_TWO_PI = 0.3989422804014327
# Where Stirling's series with five terms reaches the last place.
_STIRLING_FROM = 15.0
# B_2k / (2k (2k - 1)) for k = 1..6.
_STIRLING = (1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360360.0)
_TAIL_FROM = 2.5
_TAIL_TERMS = 70
# A term below this part of a sum of positive terms is less than half of its last place.
_NEGLIGIBLE = 2.0 / float(1 << 56)
_MAX_TERMS = 100_000


def _stirling_rest(x: Floats) -> Floats:
    """Return log gamma(x) - ((x - 1/2) log x - x + log(2 pi) / 2) for x > 0."""
    small = x < _STIRLING_FROM
    if not small.any():
        return _stirling_series(x)
    # gamma(x) = gamma(x + m) / (x (x + 1) ... (x + m - 1)), with x + m the first one that the series serves.
    shifted, product = x, np.ones_like(x)
    for _ in range(int(_STIRLING_FROM)):
        low = shifted < _STIRLING_FROM
        product = np.where(low, product * shifted, product)
        shifted = np.where(low, shifted + 1.0, shifted)
    difference = (shifted - 0.5) * log(shifted) - (x - 0.5) * log(x) - (shifted - x) - log(product)
    return np.where(small, difference, 0.0) + _stirling_series(shifted)


def _stirling_series(x: Floats) -> Floats:
    inverse = 1.0 / x
    square = inverse * inverse
    result = np.full_like(x, _STIRLING[-1])
    for coefficient in _STIRLING[-2::-1]:
        result = result * square + coefficient
    return result * inverse


def log_beta(a: ArrayLike, b: ArrayLike) -> Floats:
    """Return the logarithm of the beta function for a, b > 0, without the cancellation of three large log gammas."""
    first, second = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    small, large = np.minimum(first, second), np.maximum(first, second)
    main = (0.5 - small) * log1p(large / small) - large * log1p(small / large) - 0.5 * log(large)
    rest = _stirling_rest(small) + _stirling_rest(large) - _stirling_rest(small + large)
    result: Floats = main + (rest + HALF_LOG_TWO_PI)
    return result[()]


def normal_density(x: ArrayLike) -> Floats:
    """Return the standard normal density."""
    value = np.asarray(x, np.float64)
    return INVERSE_ROOT_TWO_PI * exp(-0.5 * value * value)


def normal_cdf(x: ArrayLike) -> Floats:
    """Return the standard normal distribution function, both tails in relative accuracy.

    Series of A&S 26.2.11 in the middle, continued fraction 26.2.14 in the tails.
    """
    value = np.asarray(x, np.float64)
    size = np.abs(value)
    upper = np.where(size < _TAIL_FROM, 0.5 - _normal_middle(np.minimum(size, _TAIL_FROM)), _normal_tail(size))
    return np.where(value > 0.0, 1.0 - upper, upper)[()]


def _normal_middle(x: Floats) -> Floats:
    """Return P(0 < X < x) for 0 <= x <= 2.5."""
    square = x * x
    return normal_density(x) * _series(x, lambda k: square / (2.0 * k + 1.0))


def _normal_tail(x: Floats) -> Floats:
    """Return P(X > x) for x >= 2.5."""
    tail = np.maximum(x, _TAIL_FROM)
    fraction = tail
    for k in range(_TAIL_TERMS, 0, -1):
        fraction = tail + k / fraction
    return normal_density(tail) / fraction


def _series(first: Floats, ratio: Callable[[int], Floats]) -> Floats:
    """Return the sum of positive terms that starts with `first`, term k being `ratio(k)` times the one before.

    Ratios fall, or stay below 1/2: so what is left after a term is at most the bound `rest`.
    """
    term, result = first, first
    for k in range(1, _MAX_TERMS):
        factor = ratio(k)
        term = term * factor
        result = result + term
        if k % 8 == 0:
            rest = term * np.maximum(factor / (1.0 - np.minimum(factor, 0.999_999)), 1.0)
            if not (rest > result * _NEGLIGIBLE).any():
                break
    return result


def normal_quantile(p: ArrayLike) -> Floats:
    """Return the standard normal quantile: Halley's steps from the approximation A&S 26.2.23."""
    share = np.asarray(p, np.float64)
    tail = np.minimum(share, 1.0 - share)
    inside = tail > 0.0
    safe = np.where(inside, tail, 0.25)
    t = np.sqrt(-2.0 * log(safe))
    x = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    for _ in range(3):
        step = (safe - normal_cdf(-x)) / normal_density(x)
        x = x - step / (1.0 + 0.5 * x * step)
    x = np.where(inside, np.where(tail == 0.5, 0.0, x), np.where(tail == 0.0, np.inf, np.nan))
    return np.where(share < 0.5, -x, x)[()]


def _student_tail(t: Floats, freedom: Floats, constant: Floats) -> Floats:
    """Return P(T > t) for t >= 0: both series of DLMF 8.17.8 with b = 1/2; the constant is -log B(1/2, freedom / 2)."""
    square = t * t
    middle = square < freedom
    # Rows that belong to the other series get values at which this one ends at once.
    near = np.where(middle, square, 0.0) / freedom
    share = near / (1.0 + near)
    front = exp(constant - 0.5 * freedom * log1p(near)) * np.sqrt(share)
    inner = front * _series(np.ones_like(share), lambda k: (freedom + (2 * k - 1)) / (2 * k + 1.0) * share)
    if middle.all():
        return 0.5 - inner
    # Far out, t^2 = df u with u >= 1, the series in 1 / (1 + u) has ratios below 1/2.
    rest = 1.0 / (1.0 + np.where(middle, float(1 << 60), square / freedom))
    lead = exp(constant + 0.5 * freedom * log(rest)) * np.sqrt(1.0 - rest) / freedom
    outer = lead * _series(np.ones_like(rest), lambda k: (freedom + (2 * k - 1)) / (freedom + 2 * k) * rest)
    return np.where(middle, 0.5 - inner, outer)


def student_quantile(p: ArrayLike, df: ArrayLike) -> Floats:
    """Return Student's quantile for df >= 1: Newton's steps on log P(T > t) over log t from the normal quantile.

    That function is concave, so the steps close in from one side.
    Relative accuracy is 1e-10 for p from 1e-6 to 1 - 1e-6.
    """
    share, freedom = np.broadcast_arrays(np.asarray(p, np.float64), np.asarray(df, np.float64))
    tail = np.minimum(share, 1.0 - share)
    inside = (tail > 0.0) & (tail < 0.5)
    safe = np.where(inside, tail, 0.25)
    constant, root, target = -log_beta(0.5, 0.5 * freedom), np.sqrt(freedom), log(safe)
    t = -normal_quantile(safe)
    for _ in range(7):
        above = _student_tail(t, freedom, constant)
        density = exp(constant - 0.5 * (freedom + 1.0) * log1p(t * t / freedom)) / root
        t = t * exp((log(above) - target) * above / (t * density))
    t = np.where(inside, t, np.where(tail == 0.5, 0.0, np.where(tail == 0.0, np.inf, np.nan)))
    return np.where(share < 0.5, -t, t)[()]


def binomial_tail(k: ArrayLike, n: ArrayLike, p: ArrayLike) -> Floats:
    """Return P(X >= k) for X binomial: the first term by Loader's saddle-point form, then the ratio of terms.

    The smaller tail is summed, so it keeps its relative accuracy. Time grows with sqrt(n p (1 - p)).
    Source: C. Loader, Fast and accurate computation of binomial probabilities, 2000.
    """
    at, size, share = np.broadcast_arrays(*(np.asarray(part, np.float64) for part in (k, n, p)))
    upper = at > size * share
    # The lower tail is the upper one of failures.
    count = np.where(upper, at, size - at + 1.0)
    chance = np.where(upper, share, 1.0 - share)
    inside = (at >= 1.0) & (at <= size) & (share > 0.0) & (share < 1.0)
    count, chance = np.where(inside, count, 1.0), np.where(inside, chance, 0.5)
    trials = np.where(inside, size, 1.0)
    odds = chance / (1.0 - chance)
    first = exp(_log_binomial(count, trials, chance))
    tail = first * _series(
        np.ones_like(first), lambda j: np.maximum(trials - count - (j - 1), 0.0) / (count + j) * odds
    )
    answer = np.where(upper, tail, 1.0 - tail)
    certain = (at < 1.0) | ((share == 1.0) & (at <= size))
    return np.where(inside, answer, np.where(certain, 1.0, 0.0))[()]


def _log_binomial(k: Floats, n: Floats, p: Floats) -> Floats:
    """Return the logarithm of P(X = k) for 1 <= k <= n and 0 < p < 1."""
    full = k == n
    inner_k, inner_n = np.where(full, 1.0, k), np.where(full, 2.0, n)
    left = inner_n - inner_k
    rest = _stirling_rest(inner_n) - _stirling_rest(inner_k) - _stirling_rest(left)
    scale = 0.5 * (log(inner_n / inner_k) - log(left)) - HALF_LOG_TWO_PI
    deviance = _deviance(inner_k, inner_n * p) + _deviance(left, inner_n * (1.0 - p))
    return np.where(full, n * log(p), rest + scale - deviance)


def _deviance(x: Floats, mean: Floats) -> Floats:
    """Return x log(x / mean) + mean - x."""
    excess = (x - mean) / mean
    return mean * ((1.0 + excess) * log1p(excess) - excess)
