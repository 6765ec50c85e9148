# SPDX-License-Identifier: Apache-2.0
"""A factor and an addend come in; the null hypothesis "not worse by more than that" goes out.

`a` is the arm on trial, `b` the arm it is held against; an event, or a larger value, is worse.
Arrays hold one null for each row.
Spec: ST-40, ST-41.
"""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.stats.elementary import Floats

# Nearer than this to the edge of what rates can be, a null is treated as lying on it.
EDGE = 1e-9


@dataclass(frozen=True, slots=True)
class Null:
    """The hypothesis theta_a <= ratio * theta_b + offset, in every bucket; ratio is positive."""

    ratio: float | Floats = 1.0
    offset: float | Floats = 0.0

    def mirrored(self) -> Null:
        """Return theta_a >= ratio * theta_b + offset as a null about the complements 1 - theta."""
        return Null(self.ratio, 1.0 - self.ratio - self.offset)
