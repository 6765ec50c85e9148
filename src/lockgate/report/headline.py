# SPDX-License-Identifier: Apache-2.0
"""A comparison comes in; the one sentence that a person reads first goes out."""

from __future__ import annotations

from collections.abc import Callable

from lockgate.core.comparison import Comparison
from lockgate.core.finding import Outcome
from lockgate.core.wording import listed
from lockgate.report import number
from lockgate.report.row import Row, gate_rows
from lockgate.report.text import NAME_COLUMNS, printable, shorten


def headline(comparison: Comparison) -> str:
    """Return what the comparison found, in one sentence."""
    rows = [row for row in gate_rows(comparison) if row.outcome is comparison.outcome]
    baseline, candidate = arm_names(comparison, NAME_COLUMNS)
    if comparison.is_by_limits:
        return _by_limits(comparison, rows, candidate)
    match comparison.outcome:
        case Outcome.REGRESSED:
            return f"{candidate} is worse than {baseline}: {listed([_moved(row) for row in rows])}."
        case Outcome.UNAVAILABLE:
            return f"{candidate} cannot be compared with {baseline}: there are no values of {_named(rows)}."
        case Outcome.INSUFFICIENT:
            return f"There are too few runs to tell whether {candidate} is worse than {baseline}: {_named(rows)}."
        case Outcome.CLEAN:
            return f"{candidate} shows no harm beside {baseline}: {_excluded(comparison)}."
        case Outcome.PROVEN:
            return f"{candidate} is within the declared margins of {baseline} {_by_gates(comparison)}."
        case _:
            return f"No gate applies to {candidate} and {baseline}."


def _by_limits(comparison: Comparison, rows: list[Row], candidate: str) -> str:
    """Return the sentence where every gate has a limit of its own, and the baseline no say."""
    match comparison.outcome:
        case Outcome.REGRESSED:
            return f"{candidate} is beyond its limits: {listed([f'{row.label} is {row.candidate}' for row in rows])}."
        case Outcome.UNAVAILABLE:
            return f"{candidate} cannot be judged: there are no values of {_named(rows)}."
        case Outcome.INSUFFICIENT:
            return f"There are too few runs to tell whether {candidate} keeps its limits: {_named(rows)}."
        case Outcome.CLEAN:
            return f"{candidate} shows no harm beside its limits: {_excluded(comparison)}."
        case _:
            return f"{candidate} is within its limits {_by_gates(comparison)}."


def arm_names(
    comparison: Comparison, columns: int, show: Callable[[str], str] = printable, ellipsis: str = "…"
) -> tuple[str, str]:
    """Return what baseline and candidate are called in so many columns: by their roles where names look alike."""
    names = (comparison.baseline or number.MISSING, comparison.candidate)
    baseline, candidate = (shorten(show(name), columns, ellipsis) for name in names)
    return ("baseline", "candidate") if baseline == candidate else (baseline, candidate)


def verdict_rule(comparison: Comparison) -> str:
    """Return how often this verdict may be red by chance, in words."""
    shown = f"Intervals are {number.write_level(comparison.level)} each."
    if comparison.per_gate_level is not None:
        level = number.write_level(comparison.per_gate_level)
        return f"{shown} Each gate is judged at {level} by itself, so more gates mean more red by chance."
    alpha = number.write_level(comparison.alpha)
    who = "A release at its limits is" if comparison.is_by_limits else "Two equal releases are"
    return f"{shown} {who} called regressed at most {alpha} of the time{_over_gates(comparison)}."


def _moved(row: Row) -> str:
    return f"{row.label} went from {row.baseline} to {row.candidate}"


def _named(rows: list[Row]) -> str:
    return listed([row.label for row in rows])


def _excluded(comparison: Comparison) -> str:
    """Return what clean promises here: nothing, where a gate declares no bound for it."""
    if any(gate.detect is None for gate in comparison.policy.gates):
        return "no gate has found any, and not every gate was asked to exclude it"
    return f"gross harm is excluded {_by_gates(comparison)}"


def _by_gates(comparison: Comparison) -> str:
    """Return which gates say so; one that stands alone is named."""
    gates = gate_rows(comparison)
    return f"in {gates[0].label}" if len(gates) == 1 else f"by {_all(len(gates))}"


def _over_gates(comparison: Comparison) -> str:
    count = len(comparison.gates)
    return "" if count == 1 else f", over {_all(count)}"


def _all(count: int) -> str:
    return "both gates" if count == 2 else f"all {count:,} gates"
