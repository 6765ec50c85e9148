# SPDX-License-Identifier: Apache-2.0
"""Each place at which a process may end comes in; what is left must be whole, and another try comes to the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lockgate.crash_point import POINTS
from tests.faults import steps
from tests.faults.homes import Homes
from tests.faults.process import DONE, KILLED, ended, killed_at, reached

# A claim that its sender took into the grave ends by itself.
LEASE_MINUTES = 2.0
# In the short form, of each place of a store that is a database so many moments are tried.
SAMPLE = 1
# What a database holds changes between these alone.
COMMITS = ("store.begun", "store.kept")


@dataclass(frozen=True)
class Moment:
    """A step of a life, and a place that it reaches, for the n-th time."""

    step: str
    point: str
    nth: int


Standing = tuple[dict[str, object], list[str]]


@dataclass(frozen=True)
class Life:
    """Every place that a life reaches, its store as it was before each step, and how it stood before and after."""

    folder: Path
    moments: tuple[Moment, ...]
    before: dict[str, Standing]
    after: dict[str, Standing]

    def whole(self, step: str) -> list[dict[str, object]]:
        """Return how a store may stand that a step was killed in: as before, as after, and signed before it drops."""
        before, after = self.before[step][0], self.after[step][0]
        signed = [{**before, "log": after["log"]}] if step == "prune" else []
        return [before, *signed, after]


@pytest.fixture(scope="module")
def lived(homes: Homes, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Return a life that nothing disturbed."""
    root = tmp_path_factory.mktemp("life")
    home = homes.new(root / "home")
    found: list[Moment] = []
    # Whoever looks at an empty database makes the tables in it.
    stood = [_standing_of(homes.copy(home, root / "0"))]
    for number, step in enumerate(steps.LIFE, 1):
        homes.copy(home, root / step.name)
        assert ended(reached, root / "points", steps.do, home, step.name) == DONE
        counted: Counter[str] = Counter()
        for point in (root / "points").read_text(encoding="utf-8").split():
            counted[point] += 1
            found.append(Moment(step.name, point, counted[point]))
        stood.append(_standing_of(homes.apart(home, root / str(number))))
    names = [step.name for step in steps.LIFE]
    return Life(
        folder=root,
        moments=tuple(found),
        before=dict(zip(names, stood[:-1], strict=True)),
        after=dict(zip(names, stood[1:], strict=True)),
    )


def _standing_of(home: Path) -> Standing:
    """Return how a store stands."""
    return steps.standing(home), steps.told(home)


@pytest.mark.clause("LI-129", "SV-1023")
def test_every_place_of_the_table_is_reached_and_every_place_is_in_the_table(homes: Homes, lived: Life) -> None:
    """A place that no life reaches would never be tested."""
    assert {moment.point for moment in lived.moments} == set(POINTS) - homes.unreached
    assert all(len(sentence.split()) > 4 for sentence in POINTS.values())


@pytest.mark.clause("LI-572", "SV-1023")
def test_what_is_pruned_is_signed_before_any_of_it_is_gone(homes: Homes, lived: Life, tmp_path: Path) -> None:
    """Killed at each place in turn it is never gone without its receipt, and once it is signed and still there."""
    points = POINTS if homes.cluster is None else COMMITS
    left = []

    for number, moment in enumerate(each for each in lived.moments if each.step == "prune" and each.point in points):
        home = homes.copy(lived.folder / "prune", tmp_path / str(number))
        assert ended(killed_at, moment.point, moment.nth, steps.do, home, "prune") == KILLED
        left.append(steps.standing(home))

    stood = [lived.whole("prune").index(each) for each in left]
    assert stood == sorted(stood)
    assert set(stood) == {0, 1, 2}
    assert lived.before["prune"][0]["raw"] != lived.after["prune"][0]["raw"]


@pytest.mark.clause("LI-129", "SV-1023")
@pytest.mark.parametrize("point", POINTS)
def test_a_process_that_ends_anywhere_leaves_nothing_or_everything(
    point: str, homes: Homes, lived: Life, tmp_path: Path, seconds: Callable[[float, float], float]
) -> None:
    """Killed there, the store is sound and holds the whole step or nothing of it; again, it comes to the same."""
    moments = [each for each in lived.moments if each.point == point]
    assert bool(moments) is (point not in homes.unreached)
    if homes.cluster is not None and seconds(0, 1) == 0:
        # Databases take long to copy; the same of a place's moments in every run, another at each place.
        moments = random.Random(point).sample(moments, min(len(moments), SAMPLE))  # noqa: S311 -- seeded

    for number, moment in enumerate(moments):
        step = moment.step
        home = homes.copy(lived.folder / step, tmp_path / str(number))

        assert ended(killed_at, moment.point, moment.nth, steps.do, home, step) == KILLED

        assert steps.flaws(home) == [], moment
        left, is_telling = steps.standing(home), step.startswith("deliver")
        # Claiming, sending and settling are steps of their own.
        assert is_telling or left in lived.whole(step), moment
        assert ended(steps.do, home, step, LEASE_MINUTES if is_telling else 0.0) == DONE
        assert steps.flaws(home) == [], moment
        assert (steps.standing(home), set(steps.told(home))) == (lived.after[step][0], set(lived.after[step][1])), (
            moment
        )
