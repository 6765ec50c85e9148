# SPDX-License-Identifier: Apache-2.0
"""Images of what a loss of power leaves on a disk come in; each must hold whatever was answered before."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.faults import power, steps
from tests.faults.process import DONE, ended

pytestmark = [pytest.mark.faults, pytest.mark.clause("LI-137")]
BEFORE = ("declare", "create")
STEPS = ("ingest transition", "ingest first", "look", "promote", "freeze", "unfreeze")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store that is about to live the steps."""
    home = tmp_path_factory.mktemp("begun")
    for name in BEFORE:
        assert ended(steps.do, home, name) == DONE
    return home


@pytest.fixture(scope="module")
def stood(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """Return how the store stands before the first step, and after each."""
    home = Path(shutil.copytree(begun, tmp_path_factory.mktemp("stood") / "home"))
    found = [steps.standing(home)]
    for name in STEPS:
        assert ended(steps.do, home, name) == DONE
        found.append(steps.standing(home))
    return found


def _losses(
    begun: Path, events: Sequence[power.Event], stood: list[dict[str, object]], folder: Path, images: int
) -> Iterator[str]:
    """Yield what is wrong with images of moments that are spread over the events."""
    draw = random.Random(11)  # noqa: S311 -- the same images in every run
    for number in range(images):
        until = draw.randrange(1, len(events) + 1)
        target = folder / str(number)
        answered = power.image(begun, events[:until], draw, target)
        flaws = steps.flaws(target)
        if flaws:
            yield f"image {number}: {flaws[0]}"
        elif steps.standing(target) not in stood[answered : answered + 2]:
            yield f"image {number}: {answered} steps were answered, and are not there"
        shutil.rmtree(target)


def test_what_was_answered_survives_a_loss_of_power(
    begun: Path,
    stood: list[dict[str, object]],
    tmp_path: Path,
    seconds: Callable[[float, float], float],
    count: Callable[[str, int], None],
) -> None:
    """At any moment, with any part of what was not synchronised: the store is sound and holds every answered step."""
    home = Path(shutil.copytree(begun, tmp_path / "home"))
    events = power.recorded(home, tmp_path / "log", STEPS)
    assert [event.kind for event in events].count("ack") == len(STEPS)
    images = int(seconds(60, 1_000))

    found = list(_losses(begun, events, stood, tmp_path, images))

    assert found == []
    count("images of a loss of power", images)


def test_the_images_show_what_less_synchronisation_loses(
    begun: Path, stood: list[dict[str, object]], tmp_path: Path
) -> None:
    """With synchronous = NORMAL answered steps are lost; a harness that found none would prove nothing."""
    home = Path(shutil.copytree(begun, tmp_path / "home"))
    events = power.recorded(home, tmp_path / "log", STEPS, "NORMAL")

    found = list(_losses(begun, events, stood, tmp_path, 40))

    assert len(found) > 10
