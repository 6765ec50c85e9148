# SPDX-License-Identifier: Apache-2.0
"""Log evidence, its threshold and the runs that made it come in; how many more runs are likely needed goes out.

A straight line through the origin, for display: no decision reads it.
Spec: ST-62.
"""

from __future__ import annotations

import math


def runs_to_decision(log_evidence: float, threshold: float, runs: int) -> int | None:
    """Return the further runs at which evidence that grows as so far meets the threshold; None if it does not grow."""
    if log_evidence >= threshold:
        return 0
    if log_evidence <= 0.0 or runs <= 0:
        return None
    return math.ceil((threshold - log_evidence) * (runs / log_evidence))
