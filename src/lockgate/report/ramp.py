# SPDX-License-Identifier: Apache-2.0
"""A rollout and its policy come in; the ramp with the steps behind, the present one and those ahead goes out."""

from __future__ import annotations

from lockgate.core.finding import Outcome
from lockgate.core.policy.policy import Policy
from lockgate.core.rollout import Rollout, Status
from lockgate.report.screen import Screen
from lockgate.report.text import width


def draw_ramp(rollout: Rollout, policy: Policy, columns: int, screen: Screen) -> list[str]:
    """Return the ramp as lines that fit."""
    lines: list[str] = []
    line, used = "", 0
    for index, step in enumerate(policy.steps):
        sign, tones = _sign(rollout, index, screen)
        text = f"{sign} {screen.text(step.label(), 24)}"
        joint, joint_tone = _joint(rollout, index, screen)
        if used and used + len(joint) + width(text) > columns:
            lines.append(line)
            line, used = "", 0
        if used:
            line, used = line + screen.paint(joint, joint_tone), used + len(joint)
        line, used = line + screen.paint(text, *tones), used + width(text)
    return [*lines, line]


def _sign(rollout: Rollout, index: int, screen: Screen) -> tuple[str, tuple[str, ...]]:
    signs = screen.signs
    if index < rollout.step or rollout.status is Status.PROMOTED:
        return signs.outcomes[Outcome.CLEAN], ("green",)
    if index > rollout.step:
        return signs.outcomes[Outcome.NOT_APPLICABLE], ("dim",)
    if rollout.status is Status.ROLLED_BACK:
        return signs.outcomes[Outcome.REGRESSED], ("red", "bold")
    return signs.point, ("cyan", "bold")


def _joint(rollout: Rollout, index: int, screen: Screen) -> tuple[str, str]:
    is_behind = index <= rollout.step or rollout.status is Status.PROMOTED
    sign = screen.signs.interval if is_behind else screen.signs.track
    return f" {sign * 4} ", "green" if is_behind else "dim"
