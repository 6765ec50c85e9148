# SPDX-License-Identifier: Apache-2.0
"""A finding's evidence comes in; a meter between rolling back and promoting goes out.

Evidence of harm grows from the middle to the left, evidence that excludes harm from the middle to the right.
An end is reached only by a gate that has reached it.
"""

from __future__ import annotations

from lockgate.core.finding import Evidence, Finding, Outcome
from lockgate.core.policy.policy import Promote
from lockgate.report.screen import Screen

LEFT_LABEL = "roll back"


def draw_meter(finding: Finding, promote: Promote, columns: int, screen: Screen) -> str:
    """Return the meter of a gate; one without evidence is blank."""
    evidence = finding.evidence
    if evidence is None:
        return " " * columns
    left, right = (columns - 1) // 2, columns - 1 - (columns - 1) // 2
    harm = _filled(evidence.harm, evidence.harm_threshold, left, is_over=finding.outcome is Outcome.REGRESSED)
    good = _filled(_sought(evidence, promote), evidence.promote_threshold, right, is_over=_is_there(finding, promote))
    signs = screen.signs
    return (
        screen.paint(signs.track * (left - harm), "dim")
        + screen.paint(signs.interval * harm, "red")
        + screen.paint(signs.zero, "bold")
        + screen.paint(signs.interval * good, "green")
        + screen.paint(signs.track * (right - good), "dim")
    )


def draw_share(done: int, wanted: int, columns: int, screen: Screen) -> str:
    """Return how much of what is wanted is there, as a bar."""
    filled = _filled(float(done), float(wanted), columns, is_over=done >= wanted)
    tone = "green" if done >= wanted else "cyan"
    return screen.paint(screen.signs.interval * filled, tone) + screen.paint(
        screen.signs.track * (columns - filled), "dim"
    )


def _sought(evidence: Evidence, promote: Promote) -> float:
    return (evidence.proven if promote is Promote.PROVEN else evidence.clean) or 0.0


def _is_there(finding: Finding, promote: Promote) -> bool:
    reached = (Outcome.PROVEN,) if promote is Promote.PROVEN else (Outcome.CLEAN, Outcome.PROVEN)
    return finding.outcome in reached


def _filled(value: float, threshold: float, columns: int, *, is_over: bool) -> int:
    if is_over:
        return columns
    part = value / threshold if threshold > 0.0 else 0.0
    return min(columns - 1, max(0, int(part * columns)))
