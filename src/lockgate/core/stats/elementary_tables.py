# SPDX-License-Identifier: Apache-2.0
"""Integers come in; the tables behind log and exp go out, each entry split into an exact head and a tail."""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FIXED = 128

# log: the significand z lies in [0.6875, 1.375), cut into 1024 cells by its leading bits.
LOG_CELL_BITS = 10
LOG_OFFSET = 0x3FE6000000000000
# Cell centres are multiples of 2^-12.
_GRID = 4096
# exp: 2^(j/256) for j in 0..255.
EXP_STEPS = 256


def _atanh_reciprocal(n: int) -> int:
    """Return atanh(1/n) in units of 2^-128, by its series."""
    power, square, result, k = (1 << _FIXED) // n, n * n, 0, 1
    while power:
        result += power // k
        power //= square
        k += 2
    return result


def _parts(value: int, bits: int) -> tuple[float, float]:
    """Split a value in units of 2^-128 into a head that is a multiple of 2^-bits, and its tail."""
    unit = 1 << (_FIXED - bits)
    head = (value + unit // 2) // unit
    return head / (1 << bits), (value - head * unit) / (1 << _FIXED)


_LN2 = 2 * _atanh_reciprocal(3)
# 42 bits after the point: 1075 times the head of ln 2, plus a head of the table, is exact in 53 bits.
LN2_PARTS = _parts(_LN2, 42)
# 34 bits after the point: 2^18 times the head of ln 2 / 256 is exact.
EXP_STEP_PARTS = _parts(_LN2 // EXP_STEPS, 34)
EXP_SCALE = (EXP_STEPS << _FIXED) / _LN2


def log_table() -> tuple[Floats, Floats, Floats]:
    """Return the centre of each cell, and the head and tail of its logarithm.

    Cells close to 1 take 1 itself as their centre: there the logarithm keeps its relative accuracy.
    """
    # Centres are even above 1 and odd below; they chain by log((n + 1) / (n - 1)) = 2 atanh(1 / n).
    logs = {_GRID: 0, _GRID - 1: -2 * _atanh_reciprocal(2 * _GRID - 1)}
    for n in range(_GRID + 1, 5632, 2):
        logs[n + 1] = logs[n - 1] + 2 * _atanh_reciprocal(n)
    for n in range(_GRID - 2, 2816, -2):
        logs[n - 1] = logs[n + 1] - 2 * _atanh_reciprocal(n)
    centres = []
    for cell in range(1 << LOG_CELL_BITS):
        edge = np.int64(LOG_OFFSET + (cell << (52 - LOG_CELL_BITS))).view(np.float64)
        low = int(edge * _GRID)
        centre = low + (2 if low >= _GRID else 1)
        centres.append(_GRID if abs(centre - _GRID) < 16 else centre)
    heads, tails = zip(*(_parts(logs[centre], 42) for centre in centres), strict=True)
    return np.array(centres) / _GRID, np.array(heads), np.array(tails)


def exp_table() -> tuple[Floats, Floats]:
    """Return heads and tails of 2^(j/256), each a product of repeated square roots of 2."""
    roots = []
    root = 2 << _FIXED
    for _ in range(EXP_STEPS.bit_length() - 1):
        root = isqrt(root << _FIXED)
        roots.append(root)
    powers = []
    for j in range(EXP_STEPS):
        power = 1 << _FIXED
        for bit, factor in enumerate(reversed(roots)):
            if j >> bit & 1:
                power = power * factor >> _FIXED
        powers.append(power)
    heads, tails = zip(*(_parts(power, 52) for power in powers), strict=True)
    return np.array(heads), np.array(tails)
