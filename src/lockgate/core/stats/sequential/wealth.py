# SPDX-License-Identifier: Apache-2.0
"""Log e-values of buckets come in; the log evidence of a mixture, with copies restarted at steps, goes out.

Wealth is an array [..., copies, alternatives] of logarithms; a copy that has not started stays at wealth 1.
A mixture with weights fixed beforehand is formed after multiplication, so each alternative keeps its own wealth.
Spec: ST-47 to ST-49.
"""

from __future__ import annotations

from functools import cache
from math import copysign, isfinite
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from lockgate.core.stats.elementary import Floats, log, log_sum_exp

# Evidence is rounded before it is compared with a threshold: far below any meaning, far above the last bit.
DECIMALS = 1e9


def copy_shares(steps: int) -> Floats:
    """Return each copy's share: half for the one from the first bucket, the rest equally for one per later step.

    Source: the e-detectors of Shin, Ramdas and Rinaldo (2022), with finitely many starts fixed beforehand.
    """
    if steps < 1:
        raise ValueError("there is at least one step")
    if steps == 1:
        return np.ones(1)
    return np.concatenate([[0.5], np.full(steps - 1, 0.5 / (steps - 1))])


def grow(log_wealth: Floats, increments: Floats, active: ArrayLike) -> Floats:
    """Return the wealth [..., copies, J] after increments [..., J], for the copies [..., copies] that run."""
    running = np.asarray(active, np.bool_)[..., None]
    return log_wealth + np.where(running, increments[..., None, :], 0.0)


def log_evidence(log_wealth: Floats, shares: Floats, alternatives: ArrayLike | None = None) -> Floats:
    """Return log(sum over copies of share * mean over alternatives of wealth), [...].

    Rows of fewer copies or alternatives than the array's are filled up with -inf and say how many `alternatives` [...]
    they have; a filled copy has share 0.
    """
    return mixed(log_wealth, log_weights(shares, log_wealth.shape[-1] if alternatives is None else alternatives))


def log_weights(shares: Floats, alternatives: ArrayLike) -> Floats:
    """Return log(share / alternatives), [..., copies], by which each copy's alternatives are weighted in a mixture."""
    return log(shares / np.asarray(alternatives, np.float64)[..., None])


def mixed(log_wealth: Floats, weights: Floats) -> Floats:
    """Return the log evidence of mixtures whose log weights are known, [...]."""
    weighted = log_wealth + weights[..., None]
    return log_sum_exp(weighted.reshape(*weighted.shape[:-2], -1))


@cache
def threshold(alpha: float, share: float = 1.0) -> float:
    """Return ln(1 / (alpha share)), the log evidence at which a process with this part of alpha has crossed."""
    return float(round_evidence(-log(alpha * share)))


@overload
def round_evidence(log_evidence: float) -> float: ...
@overload
def round_evidence(log_evidence: ArrayLike) -> Floats: ...
def round_evidence(log_evidence: float | ArrayLike) -> float | Floats:
    """Return log evidence to nine decimals, the form in which it is compared, shown and stored."""
    if isinstance(log_evidence, float) and isfinite(scaled := log_evidence * DECIMALS):
        # As `rint` rounds, halves to even, and a negative number that becomes 0 stays negative.
        return copysign(float(round(scaled)), scaled) / DECIMALS
    rounded: Floats = np.rint(np.asarray(log_evidence, np.float64) * DECIMALS) / DECIMALS
    return rounded
