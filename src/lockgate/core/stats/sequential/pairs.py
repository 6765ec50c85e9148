# SPDX-License-Identifier: Apache-2.0
"""Losses, ties and wins of paired runs come in; log evidence that losses outweigh wins goes out.

Method P: bets on x = +1 (loss), 0 (tie), -1 (win) against E x <= offset.
For pass and fail a loss is a pair that only the baseline passes: the sequential form of McNemar's test.
Spec: ST-52.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lockgate.core.stats.elementary import Floats, log1p

# Shares of the largest bet, which would lose everything on one win.
BETS: Floats = np.array([0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.7, 0.85])


@dataclass(frozen=True, slots=True)
class Factors:
    """The log gain of each bet on one loss, tie and win, [..., 10]; they depend on the null alone."""

    loss: Floats
    tie: Floats
    win: Floats


def factors(offset: ArrayLike = 0.0) -> Factors:
    """Return the log gains against P(loss) - P(win) <= offset, [..., 10].

    They are 0 for an offset outside (-1, 1), whose null holds for all laws or for at most one.
    """
    margin = np.asarray(offset, np.float64)[..., None]
    open_ = (margin > -1.0) & (margin < 1.0)
    margin = np.where(open_, margin, 0.0)
    bet = BETS / (1.0 + margin)
    logs = log1p(np.stack([bet * (1.0 - margin), -(bet * margin), np.broadcast_to(-BETS, bet.shape)]))
    return Factors(*np.where(open_, logs, 0.0))


def increments(losses: ArrayLike, ties: ArrayLike, wins: ArrayLike, offset: ArrayLike = 0.0) -> Floats:
    """Return the log e-values of these pairs against P(loss) - P(win) <= offset, [..., 10].

    Source: betting on a bounded mean, Waudby-Smith and Ramdas, JRSS-B 86 (2024) 1-27.
    """
    return gains(losses, ties, wins, factors(offset))


def gains(losses: ArrayLike, ties: ArrayLike, wins: ArrayLike, per_pair: Factors) -> Floats:
    """Return the log e-values of these pairs against the null that the factors were made for, [..., 10]."""
    lost, tied, won = (np.asarray(x, np.float64)[..., None] for x in (losses, ties, wins))
    return lost * per_pair.loss + tied * per_pair.tie + won * per_pair.win


def mirrored_increments(losses: ArrayLike, ties: ArrayLike, wins: ArrayLike, offset: ArrayLike = 0.0) -> Floats:
    """Return the log e-values of these pairs against P(loss) - P(win) >= offset, [..., 10]."""
    return increments(wins, ties, losses, -np.asarray(offset, np.float64))
