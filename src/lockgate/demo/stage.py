# SPDX-License-Identifier: Apache-2.0
"""What happens in the demonstration comes in; frames and lines for the terminal that shows it go out."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Protocol

from lockgate.core.finding import Outcome
from lockgate.core.instant import Instant
from lockgate.core.rollout import Rollout, Status
from lockgate.demo.scene import Act
from lockgate.operations.queries import Explanation
from lockgate.report import number
from lockgate.report.screen import Screen
from lockgate.report.standing import status_words
from lockgate.report.text import NO_BREAK, wrap
from lockgate.report.view import render_view

MIN_TEXT = 24
# Over how many moments the traffic is counted that people see.
SEEN = 4


class Stage(Protocol):
    """Where the demonstration is seen."""

    @property
    def screen(self) -> Screen:
        """Return what it can show."""
        ...

    def draw(self, frame: str) -> None:
        """Show how it stands, in place of what stood there."""
        ...

    def tell(self, text: str) -> None:
        """Say what stays."""
        ...


@dataclass(frozen=True, slots=True)
class Ended:
    """How the trial of an act went: the step at which it was decided, and after how many seconds.

    `worse`: the metrics in which the candidate was found worse when it ended.
    `is_carried_out`: the candidate's part of the traffic became what was decided, all of it or none.
    """

    act: Act
    rollout: Rollout
    step: str
    seconds: float
    worse: tuple[str, ...] = ()
    is_carried_out: bool = True

    @property
    def is_as_told(self) -> bool:
        """Say whether it ended as such a candidate has to: promoted, or rolled back at the first step for its fault."""
        status, is_first = self.rollout.status, self.rollout.step == 0
        is_rightly = status is self.act.status and self.worse == self.act.worse
        return self.is_carried_out and is_rightly and (status is Status.PROMOTED or is_first)


class Split:
    """How requests were split lately."""

    def __init__(self, now: float) -> None:
        self._moments: deque[tuple[float, Counter[str]]] = deque([(now, Counter())], maxlen=SEEN)

    def add(self, now: float, counts: Counter[str]) -> None:
        """Count the requests since the last moment."""
        self._moments.append((now, counts))

    def words(self, router: str) -> str:
        """Return the split in words."""
        counts = sum((counts for _, counts in list(self._moments)[1:]), Counter[str]())
        seconds, total = self._moments[-1][0] - self._moments[0][0], counts.total()
        if not total:
            return f"no request through {router} yet"
        shares = ", ".join(f"{name} {count / total:.1%}" for name, count in sorted(counts.items()))
        rate = total / seconds if seconds else 0.0
        return f"{rate:,.0f} requests a second through {router}: {shares}".replace("%", f"{NO_BREAK}%")


def render_frame(act: Act, split: str, said: Explanation, now: Instant, screen: Screen) -> str:
    """Return what is going on: the act, the traffic, and the rollout as `lockgate show` draws it."""
    head = [screen.paint(f"  {act.candidate}: {act.what}", "bold"), f"  {split}".replace(NO_BREAK, " ")]
    ending = said.decision.reason if said.rollout.is_terminal else ""
    return "\n".join([*head, render_view(said, now, screen, ending)])


def render_move(elapsed: float, rollout: Rollout, reason: str, screen: Screen) -> str:
    """Return the line of a decision."""
    where = f"{status_words(rollout)} {rollout.weight:g} %"
    return render_lines(f"  {elapsed:4.1f} s  {rollout.candidate}  {where:<16}  ", reason, screen)


def render_end(ended: Ended, screen: Screen) -> str:
    """Return the line of how a trial ended."""
    sign = screen.signs.outcomes[Outcome.CLEAN if ended.is_as_told else Outcome.REGRESSED]
    is_promoted = ended.rollout.status is Status.PROMOTED
    where = "promoted to 100 %" if is_promoted else f"{status_words(ended.rollout)} at {ended.step}"
    text = f"{ended.act.candidate} {where} after {ended.seconds:.0f} s: {ended.act.what}"
    return render_lines(f"  {sign} ", text, screen)


def render_lines(head: str, text: str, screen: Screen) -> str:
    """Return a text behind a head, its further lines under its first."""
    lines = wrap(screen.text(number.write_sentence(text)), max(MIN_TEXT, screen.width - len(head)))
    heads = [head, *[" " * len(head)] * (len(lines) - 1)]
    return "\n".join(map("".join, zip(heads, lines, strict=True))).replace(NO_BREAK, " ")
