# SPDX-License-Identifier: Apache-2.0
"""Numbers of assigned units in one step come in; log evidence that the split is not the declared one goes out.

Method S: a beta-binomial Bayes factor; evidence of steps adds.
Spec: ST-57.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lockgate.core.stats.elementary import Floats, log, log1p
from lockgate.core.stats.special import log_beta

CONCENTRATION = 1000.0


def log_evidence(rho: ArrayLike, n_a: ArrayLike, n_b: ArrayLike, k: ArrayLike = CONCENTRATION) -> Floats:
    """Return log of the e-value against "each unit goes to arm a with probability rho", after all units of a step.

    Source: Lindon and Malek, NeurIPS 2022, arXiv 2011.03567.
    """
    share, units_a, units_b, prior = (np.asarray(x, np.float64) for x in (rho, n_a, n_b, k))
    if not ((share > 0.0) & (share < 1.0)).all():
        raise ValueError("an assignment probability lies strictly between 0 and 1")
    prior_a, prior_b = prior * share, prior * (1.0 - share)
    spread: Floats = log_beta(prior_a + units_a, prior_b + units_b) - log_beta(prior_a, prior_b)
    return spread - units_a * log(share) - units_b * log1p(-share)
