# SPDX-License-Identifier: Apache-2.0
"""Losses, ties and wins of paired probes come in; exact tests and an interval for net losses go out.

A loss is a probe that the candidate answered worse; arrays broadcast. Spec: ST-16, ST-17.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.fixed.proportion import two_sided_z
from lockgate.core.stats.special import binomial_tail


def sign_test(losses: ArrayLike, wins: ArrayLike) -> tuple[Floats, Floats]:
    """Return the exact p-values of "losses are not more likely than wins" and "as likely as": one- and two-sided."""
    lost, won = np.asarray(losses, np.float64), np.asarray(wins, np.float64)
    worse = binomial_tail(lost, lost + won, 0.5)
    better = binomial_tail(won, lost + won, 0.5)
    return worse, np.minimum(2.0 * np.minimum(worse, better), 1.0)[()]


def net_loss_interval(
    losses: ArrayLike, ties: ArrayLike, wins: ArrayLike, level: float
) -> tuple[Floats, Floats, Floats]:
    """Return P(loss) - P(win) with its limits: Wald's, after adding one loss and one win.

    Source: Bonett and Price, J. Educ. Behav. Stat. 37, 2012, 479. Its least coverage is nearer to the level than that
    of Wilson limits combined with their covariance (MOVER), which dips where nearly every probe ends alike.
    """
    lost, tied, won = (np.asarray(part, np.float64) for part in (losses, ties, wins))
    n = lost + tied + won
    loss, win = (lost + 1.0) / (n + 2.0), (won + 1.0) / (n + 2.0)
    centre = loss - win
    half = two_sided_z(level) * np.sqrt((loss + win - centre * centre) / (n + 2.0))
    net = np.where(n > 0.0, (lost - won) / np.maximum(n, 1.0), np.nan)
    return net[()], np.maximum(centre - half, -1.0)[()], np.minimum(centre + half, 1.0)[()]
