# SPDX-License-Identifier: Apache-2.0
"""An estimate with its limits comes in; one named value, as reports show it, goes out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, its limits, the two-sided level that they hold for one look, and the method that made them."""

    estimate: float
    low: float
    high: float
    level: float
    method: str
