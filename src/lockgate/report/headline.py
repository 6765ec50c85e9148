# SPDX-License-Identifier: Apache-2.0
"""A comparison comes in; the one sentence that a person reads first goes out."""

from __future__ import annotations

from lockgate.core.comparison import Comparison
from lockgate.core.finding import Outcome
from lockgate.report import number
from lockgate.report.row import Row, gate_rows
from lockgate.report.text import clip, printable

NAME_COLUMNS = 40


def headline(comparison: Comparison) -> str:
    """Return what the comparison found, in one sentence."""
    rows = [row for row in gate_rows(comparison) if row.outcome is comparison.outcome]
    baseline, candidate = release(comparison.baseline), release(comparison.candidate)
    match comparison.outcome:
        case Outcome.REGRESSED:
            return f"{candidate} is worse than {baseline}: {_listed([_moved(row) for row in rows])}."
        case Outcome.UNAVAILABLE:
            return f"{candidate} cannot be compared with {baseline}: there are no values of {_named(rows)}."
        case Outcome.INSUFFICIENT:
            return f"There are too few runs to tell whether {candidate} is worse than {baseline}: {_named(rows)}."
        case Outcome.CLEAN:
            return f"{candidate} shows no harm beside {baseline}: {_excluded(comparison)}."
        case Outcome.PROVEN:
            return f"{candidate} is within the declared margins of {baseline} by {_gates(comparison)}."
        case _:
            return f"No gate applies to {candidate} and {baseline}."


def release(name: str) -> str:
    """Return a release's name, safe to show and not longer than a line can bear."""
    return clip(printable(name), NAME_COLUMNS)


def verdict_rule(comparison: Comparison) -> str:
    """Return how often this verdict may be red by chance, in words."""
    shown = f"Intervals are {number.write_level(comparison.level)} each."
    if comparison.per_gate_level is not None:
        level = number.write_level(comparison.per_gate_level)
        return f"{shown} Each gate is judged at {level} by itself, so more gates mean more red by chance."
    alpha = number.write_level(comparison.alpha)
    return f"{shown} Two equal releases are called regressed at most {alpha} of the time, by {_gates(comparison)}."


def _moved(row: Row) -> str:
    return f"{row.label} went from {row.baseline} to {row.candidate}"


def _named(rows: list[Row]) -> str:
    return _listed([row.label for row in rows])


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _excluded(comparison: Comparison) -> str:
    """Return what clean promises here: nothing, where a gate declares no bound for it."""
    if any(gate.detect is None for gate in comparison.policy.gates):
        return "no gate has found any, and not every gate was asked to exclude it"
    return f"gross harm is excluded by {_gates(comparison)}"


def _gates(comparison: Comparison) -> str:
    count = len(comparison.gates)
    return {1: "its one gate", 2: "both gates"}.get(count, f"all {count:,} gates")
