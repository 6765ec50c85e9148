# SPDX-License-Identifier: Apache-2.0
"""What one case measured comes in; a row of a table, and whether the case keeps its bounds, goes out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from numpy.random import Generator

Cell = str | float | int | None
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Size:
    """How much is simulated: replicates, buckets of a long watch, and whether bounds are those of a smoke run."""

    replicates: int
    buckets: int
    smoke: bool = False

    def above(self, rate: float) -> float:
        """Return the most that is observed of a true rate, but for chance: three standard errors above it."""
        return rate + 3.0 * math.sqrt(rate * (1.0 - rate) / self.replicates)

    def allowed(self, rate: float) -> float:
        """Return a bound on an observed share itself, widened by chance in a smoke run only."""
        return self.above(rate) if self.smoke else rate


@dataclass(frozen=True, slots=True)
class Check:
    """A measured value and the bound that it has to keep."""

    what: str
    value: float
    bound: float
    at_most: bool = True

    @property
    def holds(self) -> bool:
        """Say whether the bound is kept."""
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def document(self) -> dict[str, Cell]:
        """Return the JSON form."""
        return {
            "what": self.what,
            "value": self.value,
            "bound": self.bound,
            "relation": "<=" if self.at_most else ">=",
            "holds": self.holds,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a section's table, with what it is checked against and, for plots, its curve over ticks."""

    cells: dict[str, Cell]
    checks: tuple[Check, ...] = ()
    curve: dict[str, list[float]] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """Return the JSON form."""
        checks = [check.document() for check in self.checks]
        document: dict[str, object] = {"cells": self.cells, "checks": checks}
        return {**document, "curve": self.curve} if self.curve else document


@dataclass(frozen=True, slots=True)
class Case:
    """A seeded simulation that fills rows of a section."""

    section: str
    name: str
    run: Callable[[Generator, Size], list[Row]]
