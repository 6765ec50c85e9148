# SPDX-License-Identifier: Apache-2.0
"""Rollouts of a small world come in; the screens that show them must be true, fit, and obey nobody."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from lockgate.core.decision.decision import Action, Cause, Decision
from lockgate.core.finding import Evidence, Finding, Outcome, Reading
from lockgate.core.metric import parse_metric
from lockgate.core.policy.policy import Mode, Promote
from lockgate.core.rollout import Status
from lockgate.operations.asking.queries import Explanation, explain
from lockgate.operations.create import Order, create
from lockgate.report.explained import explained, render_explained
from lockgate.report.listing import render_rollouts
from lockgate.report.meter import draw_meter, draw_share
from lockgate.report.screen import Screen
from lockgate.report.standing import late
from lockgate.report.text import width
from lockgate.report.view import render_view
from lockgate.testing.world import Law, World
from lockgate.wiring import memory_store

APP = "claims-agent"
OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
POLICY = {"mode": "canary", "gates": ["error_rate", "latency_ms:p95"]}


def seen(
    rate: float = 0.01, *, minutes: int = 3, candidate: str = "abc123", **policy: object
) -> tuple[Explanation, int]:
    """Return a rollout after some minutes of traffic and ticks, and the world's time."""
    world = World(memory_store(), seed=3)
    order = Order(app=APP, baseline="v36", candidate=candidate, policy={**POLICY, **policy})
    rollout = create(order, world.house).rollout
    laws = {"v36": Law(), candidate: Law(error_rate=rate)}
    world.walk(rollout.id, laws, runs=2_000, minutes=minutes)
    return explain(rollout.id, world.house), world.clock.now()


def finding(outcome: Outcome, harm: float, clean: float) -> Finding:
    """Return a finding with evidence of some heights, of which 3 is enough."""
    return Finding(
        gate="error_rate",
        metric=parse_metric("error_rate"),
        outcome=outcome,
        reason="",
        baseline=Reading(0.01, 100),
        candidate=Reading(0.01, 100),
        evidence=Evidence(
            harm=harm,
            harm_level=harm,
            harm_threshold=3.0,
            clean=clean,
            proven=None,
            promote_threshold=3.0,
            projected_runs=None,
            judged_runs=100,
            judged_baseline_runs=100,
        ),
    )


@pytest.mark.clause("LC-10")
@pytest.mark.parametrize(
    ("outcome", "harm", "clean", "drawn"),
    [
        (Outcome.INSUFFICIENT, 0.0, 0.0, ".....|....."),
        (Outcome.INSUFFICIENT, 1.5, 1.5, "...==|==..."),
        (Outcome.INSUFFICIENT, 2.999, 2.999, ".====|====."),
        (Outcome.INSUFFICIENT, 9.0, 9.0, ".====|====."),
        (Outcome.CLEAN, 0.0, 3.0, ".....|====="),
        (Outcome.REGRESSED, 3.0, 0.0, "=====|....."),
    ],
)
def test_a_meter_reaches_an_end_with_its_gate(outcome: Outcome, harm: float, clean: float, drawn: str) -> None:
    """However near the evidence is, the meter is full only when the gate says so."""
    screen = Screen(80, colour=False, unicode=False)

    assert draw_meter(finding(outcome, harm, clean), Promote.CLEAN, 11, screen) == drawn


@pytest.mark.clause("LC-10")
def test_a_meter_of_proof_is_not_filled_by_clean() -> None:
    """Under `promote: proven` the right end is proof, and a clean gate is not there yet."""
    screen = Screen(80, colour=False, unicode=False)

    assert draw_meter(finding(Outcome.CLEAN, 0.0, 9.0), Promote.PROVEN, 11, screen) == ".....|....."


@pytest.mark.clause("LC-10")
def test_a_bar_is_full_when_everything_is_there() -> None:
    """29 of 30 fresh runs are not 30."""
    screen = Screen(80, colour=False, unicode=False)

    assert [draw_share(done, 30, 10, screen) for done in (0, 29, 30)] == ["." * 10, "=" * 9 + ".", "=" * 10]


@pytest.mark.clause("LC-10")
@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("rate", [0.01, 0.2])
@pytest.mark.parametrize("unicode", [True, False])
def test_a_screen_fits_and_colour_says_nothing_more(columns: int, rate: float, unicode: bool) -> None:
    """Every line fits its terminal; without colour the same words stand there; ASCII is ASCII."""
    said, now = seen(rate)

    plain = render_view(said, now, Screen(columns, colour=False, unicode=unicode), "why it ended")
    painted = render_view(said, now, Screen(columns, colour=True, unicode=unicode), "why it ended")

    assert max(width(line) for line in plain.splitlines()) <= columns
    assert STYLE.sub("", painted) == plain
    assert unicode or plain.isascii()


@pytest.mark.clause("LC-10")
def test_the_view_holds_ramp_runs_gates_and_reason() -> None:
    """What a person at a terminal asks: where, how much is there, what does each gate say, why not further, when."""
    said, now = seen(minutes=1)

    shown = render_view(said, now, Screen(80, colour=False))

    assert "● ACTIVE  abc123 serves 5 % of claims-agent beside v36." in shown
    assert "● 5 % ┄┄┄┄ · 25 % ┄┄┄┄ · 50 % ┄┄┄┄ · 100 %" in shown
    assert "0 of 30" in shown
    assert "roll back            clean" in shown
    assert "next bucket  none is open" in shown
    assert "hold         no candidate run at this step has carried error_rate yet" in shown


@pytest.mark.clause("LI-387")
@pytest.mark.parametrize("columns", [80, 100, 120, 160])
def test_an_outcome_never_touches_its_values(columns: int) -> None:
    """The longest outcome has room beside what was measured, also of an objective that a step does not gate."""
    steps = [{"weight": 5, "gates": [], "min_runs": 10_000}, {"weight": 100}]
    said, now = seen(minutes=4, steps=steps, gates=[{"metric": "error_rate", "max": 0.5}])

    shown = render_view(said, now, Screen(columns, colour=False))

    assert "not applicable" in shown
    assert not re.search(r"not applicable\S", shown)


@pytest.mark.clause("LC-10")
@pytest.mark.parametrize("columns", [80, 96, 120])
def test_a_list_fits(columns: int) -> None:
    """Long names are cut before a line breaks."""
    said, _ = seen(candidate="a-release-with-a-very-long-name-indeed")

    shown = render_rollouts([said.rollout], Screen(columns, colour=False), {})

    assert max(width(line) for line in shown.splitlines()) <= columns
    assert said.rollout.id in shown


@pytest.mark.clause("CL-95")
@pytest.mark.parametrize("candidate", ["v2", "a-release-with-a-very-long-name-indeed"])
def test_a_list_fits_a_narrow_terminal_with_all_that_is_needed(candidate: str) -> None:
    """No line of it breaks at any width, and of each rollout its id, its status and its weight stand in one line."""
    said, _ = seen(candidate=candidate)
    ended = replace(said.rollout, id=f"rol_{'z' * 16}", mode=Mode.SHADOW, status=Status.ROLLED_BACK, weight=0.01)

    for columns in range(50, 133):
        lines = render_rollouts([said.rollout, ended], Screen(columns, colour=False), {}).splitlines()

        assert max(width(line) for line in lines) <= columns
        (first,), (second,) = ([line for line in lines if each.id in line] for each in (said.rollout, ended))
        assert first.endswith(f"{said.rollout.weight:g} %")
        assert re.search(r" rolled back +would 0\.01 %$", second)
        assert sum(f" {candidate[:2]}" in line for line in lines) == 2


@pytest.mark.clause("CL-95")
def test_names_on_a_narrow_terminal_have_a_line_of_their_own() -> None:
    """What would be cut to nothing beside the rest is read below it."""
    said, _ = seen(candidate="release-2026-11-21")

    shown = render_rollouts([replace(said.rollout, mode=Mode.SHADOW)], Screen(55, colour=False), {})

    assert shown == (
        "  id                    status  weight\n"
        "    app           candidate\n"
        f"  {said.rollout.id}  active  would {said.rollout.weight:g} %\n"
        "    claims-agent  release-2026-11-21\n"
    )


@pytest.mark.clause("LC-10")
def test_a_name_commands_no_terminal() -> None:
    """Release names are shown in every screen, never obeyed, also one that a store holds and `create` would refuse."""
    said, now = seen()
    rollout = replace(said.rollout, candidate=f"abc{OVERRIDE}123")
    said = replace(said, trial=replace(said.trial, rollout=rollout))
    screen = Screen(120, colour=False)

    texts = [
        render_view(said, now, screen),
        render_explained(said, now, screen),
        render_rollouts([said.rollout], screen, {}),
    ]

    assert all("\\u202e" in text and OVERRIDE not in text for text in texts)


@pytest.mark.clause("LC-11")
def test_a_hold_is_explained_by_what_would_end_it() -> None:
    """Why, what would change it, and what each gate says, in this order."""
    said, now = seen(minutes=1)

    parts = {part.heading: part.sentences for part in explained(said, now)}

    assert list(parts)[:2] == ["It holds", "What would change it"]
    assert parts["What would change it"] == (
        "error_rate: runs of the candidate at this step that carry error_rate.",
        "latency_ms:p95: runs of the candidate at this step that carry latency_ms:p95.",
        "30 more candidate runs at this step.",
        (
            "100 runs of the candidate came in the first bucket of this step, during which its traffic may still have "
            "moved, and are never compared."
        ),
        "Only sealed buckets are read, and none is open: no run has come since the last one was sealed.",
    )


@pytest.mark.clause("LC-11")
def test_a_plain_interval_that_does_not_decide_is_explained() -> None:
    """Who sees an interval on the worse side and no rollback is told why."""
    said, now = _with_plain_interval()

    sentences = {part.heading: part.sentences for part in explained(said, now)}[
        "Why the plain interval does not decide"
    ]

    assert len(sentences) == 1
    assert "lies on the worse side, but it holds at one look only" in sentences[0]


def _with_plain_interval() -> tuple[Explanation, int]:
    """Return a rollout at the moment when its plain interval is past zero and its evidence is not enough."""
    world = World(memory_store(), seed=5)
    order = Order(app=APP, baseline="v36", candidate="abc123", policy={**POLICY, "gates": ["error_rate"]})
    rollout = create(order, world.house).rollout
    laws = {"v36": Law(), "abc123": Law(error_rate=0.06)}
    for _ in range(60):
        world.walk(rollout.id, laws, runs=400, minutes=1)
        said = explain(rollout.id, world.house)
        difference = said.verdict.findings[0].difference
        if difference is not None and difference.low > 0.0 and not said.rollout.is_terminal:
            return said, world.clock.now()
    raise AssertionError("the plain interval never excluded zero before the rollout ended")


@pytest.mark.clause("LC-11")
def test_a_wait_for_a_person_names_the_command() -> None:
    """Who is waited for reads what to type."""
    said, now = seen(minutes=1, steps=[{"weight": 5, "approval": "manual"}, {"weight": 100}])

    sentences = {part.heading: part.sentences for part in explained(said, now)}["What would change it"]

    command = f'lockgate approve --id {said.rollout.id} --step 0 --revision 1 --reason "..."'
    assert f"A person who approves leaving this step: `{command}`." in sentences


@pytest.mark.clause("LC-11")
def test_an_ended_rollout_is_explained_by_its_end() -> None:
    """What has ended waits for nothing."""
    said, now = seen(0.3, minutes=10)

    parts = {part.heading: part.sentences for part in explained(said, now, "it failed")}

    assert parts["Why it ended"] == ("it failed",)
    assert parts["What would change it"][0].startswith("Nothing: it has ended.")


@pytest.mark.clause("LC-04")
def test_running_out_of_time_in_shadow_mode_leaves_no_traffic() -> None:
    """In shadow mode there is no live weight to worry about, and that is said."""
    said, _ = seen(minutes=1, mode="shadow")
    decision = Decision(action=Action.HOLD, cause=Cause.MIN_RUNS, reason="too few", step=0, weight=5.0)

    sentence = late(said.rollout, decision, 90)

    assert sentence == (
        "timed out after 1 min 30 s: no traffic of claims-agent was moved to abc123, "
        "because it is in shadow mode; hold: too few"
    )
