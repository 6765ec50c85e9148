# SPDX-License-Identifier: Apache-2.0
"""Rollouts, receipts or turns come in; short lines of a terminal, one for each, go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lockgate.core.instant import Instant, instant_text
from lockgate.core.rollout import Rollout
from lockgate.core.transition import Transition
from lockgate.core.vault import Receipt
from lockgate.report import number
from lockgate.report.screen import Screen
from lockgate.report.standing import TONES, status_words
from lockgate.report.text import NO_BREAK, pad, width

MARGIN = "  "
GAP = "  "
MIN_NAME = 8
# What id, mode, status and weight take.
FIXED = 20 + 6 + 11 + 6


@dataclass(frozen=True, slots=True)
class Change:
    """What was decided of a rollout, or holds it, and why."""

    rollout: Rollout
    action: str
    cause: str
    reason: str
    at: Instant


def render_rollouts(rollouts: Sequence[Rollout], screen: Screen) -> str:
    """Return rollouts as a table, the oldest first."""
    room = max(3 * MIN_NAME, screen.width - len(MARGIN) - FIXED - 6 * len(GAP)) // 3
    rows = [
        (
            each.id,
            screen.text(each.app, room),
            screen.text(each.candidate, room),
            screen.text(each.baseline, room),
            each.mode.value,
            status_words(each),
            f"{each.weight:g} %",
        )
        for each in rollouts
    ]
    heads = ("id", "app", "candidate", "baseline", "mode", "status", "weight")
    widths = [max(width(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = [screen.paint(_row(heads, widths), "dim")]
    for each, row in zip(rollouts, rows, strict=True):
        before, after = _row(row[:5], widths[:5]), _row(row[5:], widths[5:]).removeprefix(MARGIN)
        lines.append(f"{before}{GAP}{screen.paint(after, TONES[each.status])}")
    return "\n".join(line.rstrip() for line in lines).replace(NO_BREAK, " ") + "\n"


def render_receipts(receipts: Sequence[tuple[Receipt, str]], screen: Screen) -> str:
    """Return receipts with their reasons, in order."""
    heads = ("seq", "at", "decision")
    rows = [(str(each.seq), time_text(each.at), f"{each.action} ({each.cause})") for each, _ in receipts]
    widths = [max(width(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    room = max(MIN_NAME, screen.width - len(MARGIN) - sum(widths) - 3 * len(GAP))
    lines = [screen.paint(_row((*heads, "reason"), [*widths, 0]), "dim")]
    for row, (_, reason) in zip(rows, receipts, strict=True):
        lines.append(_row((*row, screen.text(number.write_sentence(reason), room)), [*widths, 0]))
    return "\n".join(line.rstrip() for line in lines).replace(NO_BREAK, " ") + "\n"


def change_of(transition: Transition) -> Change:
    """Return what one turn of the loop came to as a change."""
    decision = transition.decision
    return Change(transition.after, decision.action.value, decision.cause.value, decision.reason, transition.at)


def render_change(change: Change, screen: Screen) -> str:
    """Return one change as one line, as a log keeps it."""
    rollout = change.rollout
    where = pad(f"{rollout.weight:g} %", 5, right=True)
    said = screen.text(f"{change.action} ({change.cause}): {number.write_sentence(change.reason)}")
    status = screen.paint(pad(status_words(rollout), 11), TONES[rollout.status])
    return f"{time_text(change.at)}  {rollout.id}  {status}  {where}  {said}\n".replace(NO_BREAK, " ")


def time_text(at: Instant) -> str:
    """Return a time to the second, in UTC."""
    return instant_text(at)[:19] + "Z"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return MARGIN + GAP.join(pad(cell, columns) for cell, columns in zip(cells, widths, strict=True))
