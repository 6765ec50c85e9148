# SPDX-License-Identifier: Apache-2.0
"""What happens in the demonstration comes in; frames and lines for the terminal that shows it go out."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Protocol

from lockgate.core.finding import Outcome
from lockgate.core.rollout import Status
from lockgate.demo.decided import Decided
from lockgate.demo.scene import Act
from lockgate.report import number
from lockgate.report.screen import Screen
from lockgate.report.text import NO_BREAK, wrap

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
    """How the trial of an act went: all that was decided, the step at which it ended, and after how many seconds.

    `applied`: the weights that the router had, one after the other. `is_followed`: the candidate's part of the traffic
    became what was decided, all of it or none.
    """

    act: Act
    rollout_id: str
    decisions: tuple[Decided, ...]
    step: str
    seconds: float
    applied: tuple[float, ...]
    is_followed: bool = True

    @property
    def status(self) -> Status:
        """Return how it ended."""
        return self.decisions[-1].status

    @property
    def is_applied(self) -> bool:
        """Say whether the router had each weight that was decided, in that order, and no other."""
        return self.applied == tuple(each.weight for each in self.decisions if each.is_movement)

    @property
    def is_as_told(self) -> bool:
        """Say whether it ended as such a candidate has to: promoted, or rolled back at the first step for its fault."""
        last = self.decisions[-1]
        is_rightly = last.status is self.act.status and last.worse == self.act.worse
        is_in_place = last.status is Status.PROMOTED or last.step == 0
        return self.is_followed and self.is_applied and is_rightly and is_in_place


class Split:
    """How requests were split lately; `rate`: how many a second there were before."""

    def __init__(self, now: float, rate: float | None = None) -> None:
        self._before = rate
        self._moments: deque[tuple[float, Counter[str]]] = deque([(now, Counter())], maxlen=SEEN)

    @property
    def rate(self) -> float | None:
        """Return how many requests a second there are, None before the first."""
        seconds = self._moments[-1][0] - self._moments[0][0]
        return self._counts().total() / seconds if seconds and self._counts().total() else self._before

    def anew(self, now: float) -> Split:
        """Return a split that begins now, as after a move: requests go on, and their shares are others."""
        return Split(now, self.rate)

    def add(self, now: float, counts: Counter[str]) -> None:
        """Count the requests since the last moment."""
        self._moments.append((now, counts))

    def words(self, router: str) -> str:
        """Return the split in words."""
        if self.rate is None:
            return f"no request through {router} yet"
        counts = self._counts()
        shares = ", ".join(f"{name} {count / counts.total():.1%}" for name, count in sorted(counts.items()))
        words = f"{self.rate:,.0f} requests a second through {router}"
        return f"{words}: {shares}".replace("%", f"{NO_BREAK}%") if shares else words

    def _counts(self) -> Counter[str]:
        return sum((counts for _, counts in list(self._moments)[1:]), Counter[str]())


def render_frame(act: Act, split: str, view: str, screen: Screen) -> str:
    """Return what is going on: the act, the traffic, and the rollout as `lockgate show` draws it."""
    head = [screen.paint(f"  {act.candidate}: {act.what}", "bold"), f"  {split}".replace(NO_BREAK, " ")]
    return "\n".join([*head, view])


def render_move(elapsed: float, candidate: str, move: Decided, screen: Screen) -> str:
    """Return the line of a decision."""
    where = f"{_words(move.status)} {move.weight:g} %"
    return render_lines(f"  {elapsed:4.1f} s  {candidate}  {where:<16}  ", move.reason, screen)


def render_end(ended: Ended, screen: Screen) -> str:
    """Return the line of how a trial ended."""
    sign = screen.signs.outcomes[Outcome.CLEAN if ended.is_as_told else Outcome.REGRESSED]
    where = "promoted to 100 %" if ended.status is Status.PROMOTED else f"{_words(ended.status)} at {ended.step}"
    text = f"{ended.act.candidate} {where} after {ended.seconds:.0f} s: {ended.act.what}"
    if not ended.is_applied:
        text += f"; the router had {', '.join(f'{each:g} %' for each in ended.applied) or 'none of its weights'}"
    return render_lines(f"  {sign} ", text, screen)


def _words(status: Status) -> str:
    return status.value.replace("_", " ")


def render_lines(head: str, text: str, screen: Screen) -> str:
    """Return a text behind a head, its further lines under its first."""
    lines = wrap(screen.text(number.write_sentence(text)), max(MIN_TEXT, screen.width - len(head)))
    heads = [head, *[" " * len(head)] * (len(lines) - 1)]
    return "\n".join(map("".join, zip(heads, lines, strict=True))).replace(NO_BREAK, " ")
