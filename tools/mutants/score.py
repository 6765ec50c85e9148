# SPDX-License-Identifier: Apache-2.0
"""What became of the mutants of a module comes in; its score goes out, and what speaks against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from tools.mutants.declared import Module
from tools.mutants.trial import ENDED, KILLED, UNFIT, Outcome

# Bounds are decimal fractions, which doubles are not.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A module's mutants by what became of them; `survivors` are those that nobody has said to be no fault."""

    module: Module
    all: int
    noticed: int
    ended: int
    equivalent: int
    survivors: tuple[str, ...]
    not_equivalent: tuple[str, ...]

    @property
    def tried(self) -> int:
        """Return how many ran, and could have been noticed or not."""
        return self.noticed + len(self.survivors)

    @property
    def score(self) -> float:
        """Return which part of those that are faults was noticed."""
        return self.noticed / self.tried if self.tried else 1.0

    @property
    def may_survive(self) -> int:
        """Return how many of those that were tried the bound lets live; a part of one counts as one."""
        return ceil((1 - self.module.bound) * self.tried - ROUNDING)

    def line(self) -> str:
        """Return a row for people."""
        return (
            f"{self.module.path.removeprefix('src/lockgate/'):32} {self.score:7.1%} of {self.tried:4}"
            f"  ({self.ended} ended, {self.equivalent} equivalent, bound {self.module.bound:.1%})"
        )

    def figures(self) -> dict[str, float | int | list[str]]:
        """Return the row for programs."""
        return {
            "mutants": self.all,
            "tried": self.tried,
            "noticed": self.noticed,
            "ended": self.ended,
            "equivalent": self.equivalent,
            "score": round(self.score, 4),
            "bound": self.module.bound,
            "survivors": list(self.survivors),
        }


def score_of(module: Module, outcomes: Sequence[Outcome], count: int, known: Mapping[str, str]) -> Score:
    """Count what became of a module's mutants."""
    own = [each for each in outcomes if each.mutant.path == module.path and each.result != UNFIT]
    results = Counter(each.result for each in own if each.mutant.name not in known)
    names = [each.mutant.name for each in own if each.has_survived]
    return Score(
        module=module,
        all=count,
        noticed=results[KILLED] + results[ENDED],
        ended=results[ENDED],
        equivalent=sum(name.startswith(f"{module.path}::") for name in known),
        survivors=tuple(name for name in names if name not in known),
        not_equivalent=tuple(
            f"{e.mutant.name}, by {e.by}" for e in own if e.mutant.name in known and not e.has_survived
        ),
    )


def faults(scores: Sequence[Score], known: Mapping[str, str], there: set[str]) -> list[str]:
    """Return in words what must not be: too many survivors, and a list of equivalents that is not true."""
    paths = {each.module.path for each in scores}
    found = [
        f"{each.module.path}: {len(each.survivors)} mutants survive, and {each.may_survive} may"
        for each in scores
        if len(each.survivors) > each.may_survive
    ]
    found += [f"called equivalent, and noticed: {name}" for each in scores for name in each.not_equivalent]
    found += [
        f"called equivalent, and not there: {n}" for n in known if n.partition("::")[0] in paths and n not in there
    ]
    return found
