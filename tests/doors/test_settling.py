# SPDX-License-Identifier: Apache-2.0
"""Runs that came while traffic settled come in; `explain` says where they went: docs/spec.md, What to do next."""

from __future__ import annotations

from typing import Any

import pytest

from lockgate.operations.asking.queries import explain
from lockgate.operations.intake.ingest import ingest
from lockgate.report.remedy import remedies
from lockgate.report.screen import Screen
from lockgate.report.view import render_view
from lockgate.testing.world import World
from tests.server.served import API, served
from tests.spec.line import APP, WORSE, created, world

AHEAD = 10 * 365 * 86_400


def sentences(here: World, rollout_id: str) -> tuple[str, ...]:
    """Return what would let a rollout leave its step."""
    return tuple(remedies(explain(rollout_id, here.house), here.clock.now()))


@pytest.mark.clause("LI-573")
@pytest.mark.parametrize("jump", [0, AHEAD])
def test_runs_that_came_while_traffic_settled_are_named(jump: int) -> None:
    """Also after a clock that ran ahead; they are not waited for in silence, and later ones count."""
    here = world()
    rollout_id = created(here).rollout.id
    here.clock.advance(jump)
    ingest(here.batch(APP, {"v36": 5, "abc123": 5}, WORSE), here.house)
    here.clock.advance(20 - jump)
    ingest(here.batch(APP, {"v36": 1_000, "abc123": 1_000}, WORSE), here.house)
    here.clock.advance(7_200)

    before = sentences(here, rollout_id)
    ingest(here.batch(APP, {"v36": 40, "abc123": 40}, WORSE), here.house)
    here.clock.advance(60)
    after = sentences(here, rollout_id)

    assert (
        "1,005 runs of the candidate came in the first bucket of this step, during which its traffic may still have "
        "moved, and are never compared."
    ) in before
    assert not any("never compared" in sentence for sentence in after)


@pytest.mark.clause("LI-573")
def test_runs_of_a_bucket_that_is_open_are_not_yet_spoken_of() -> None:
    """They may seal with others; what has come to nothing is said when it has."""
    here = world()
    rollout_id = created(here).rollout.id
    ingest(here.batch(APP, {"v36": 5, "abc123": 5}, WORSE), here.house)

    assert not any("never compared" in sentence for sentence in sentences(here, rollout_id))


@pytest.mark.clause("LI-603")
def test_runs_that_never_count_are_shown_and_watched() -> None:
    """Both screens of a person say it, and a log of what changes too, as long as nothing else counts at the step."""
    here = world()
    rollout_id = created(here).rollout.id
    ingest(here.batch(APP, {"v36": 40, "abc123": 40}, WORSE), here.house)
    here.clock.advance(60)

    said = explain(rollout_id, here.house)
    shown = " ".join(render_view(said, here.clock.now(), Screen(width=100)).split())

    assert "not compared 40 runs of the candidate came in the first bucket of this step" in shown
    ingest(here.batch(APP, {"v36": 40, "abc123": 40}, WORSE), here.house)
    here.clock.advance(60)
    later = render_view(explain(rollout_id, here.house), here.clock.now(), Screen(width=100))
    assert "not compared" not in later


@pytest.mark.clause("LI-604")
def test_a_hold_whose_gate_has_only_learned_says_so() -> None:
    """The first bucket that counts holds nothing against a candidate, however bad it looks; the second does."""
    here = world()
    rollout_id = created(here).rollout.id
    reasons = []
    for _ in range(3):
        ingest(here.batch(APP, {"v36": 400, "abc123": 400}, WORSE), here.house)
        here.clock.advance(60)
        reasons.append(explain(rollout_id, here.house).decision.reason)

    assert "one more sealed bucket is needed" not in reasons[0]
    assert reasons[1].endswith(
        "the first bucket only teaches how the baseline varies, and one more sealed bucket is needed"
    )
    assert "only teaches" not in reasons[2]


@pytest.mark.clause("LI-605")
def test_a_watch_tells_when_what_it_said_is_no_longer_so() -> None:
    """Each stage of a gate is told once, though the cause of the hold stays; numbers that change are no news."""
    here = world()
    rollout_id = created(here, policy={"min_runs": 30, "alpha": 0.0001}).rollout.id
    told: dict[str, Any] = {}
    heard = []
    with served(here, is_open=True) as door:
        for _ in range(5):
            words = {"held": [], "untold": [], **told}
            path = f"{API}/rollouts/{rollout_id}/screens/look"
            answer = door.http.post(path, json={"words": words, "screen": {"width": 200}}).json()
            told = answer["more"]["told"]
            heard.append(answer["out"])
            ingest(here.batch(APP, {"v36": 40, "abc123": 40}, WORSE), here.house)
            here.clock.advance(60)

    assert "no candidate run at this step has carried error_rate yet" in heard[0]
    assert "came in the first bucket of this step" in heard[1]
    assert "only teaches" in heard[2]
    assert "error_rate rose from" in heard[3]
    assert heard[4] == ""
