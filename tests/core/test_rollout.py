# SPDX-License-Identifier: Apache-2.0
"""Rollouts come in; where they stand, what is let pass, and their JSON form must be as they say."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.canonical import canonicalize
from lockgate.core.policy.policy import Mode
from lockgate.core.policy.step import Step, StepKind
from lockgate.core.rollout import Declaration, Notice, Rollout, Status, Waiver, is_met, start
from tests.spec.ramp import START, policy, rollout, weights

MILLIONTHS = st.integers(0, 100_000_000)
WAIVED = (Waiver(what="cost", harm=4.5, revision=3, reason="known"), Waiver(what="deadline:1"))


@pytest.mark.clause("LI-334")
@given(asked=MILLIONTHS, off=st.integers(-60_000, 60_000))
def test_a_weight_counts_up_to_its_very_distance(asked: int, off: int) -> None:
    """0.05 points and a tenth of what was asked for, counted in millionths of a percent."""
    observed = max(0, asked + off)

    is_near = abs(observed - asked) <= 50_000 and 10 * abs(observed - asked) <= asked
    assert is_met(asked / 1_000_000, observed / 1_000_000) is is_near


@pytest.mark.clause("LI-334")
@given(MILLIONTHS)
def test_a_millionth_more_counts_for_no_weight(asked: int) -> None:
    """On either side of it, whatever is lost where a percentage is written as a double."""
    off = min(50_000, asked // 10)
    offs = [by for by in (-off - 1, -off, off, off + 1) if asked >= -by]

    assert [is_met(asked / 1_000_000, (asked + by) / 1_000_000) for by in offs] == [abs(by) == off for by in offs]


@pytest.mark.clause("DE-09")
@given(st.integers(-10_000, 10_000_000))
def test_a_step_is_held_for_whole_seconds_and_never_for_less_than_none(passed: int) -> None:
    """Also by a clock that went back."""
    assert rollout(policy()).seconds_at_step(START + passed) == (passed // 1_000 if passed > 0 else 0)


@pytest.mark.parametrize("kind", StepKind)
@pytest.mark.parametrize("mode", Mode)
def test_users_meet_a_candidate_at_an_exposed_step_of_a_canary(kind: StepKind, mode: Mode) -> None:
    """Of the step that it stands at, whatever the others are."""
    other = StepKind.WEIGHT if kind in {StepKind.OFFLINE, StepKind.MIRROR} else StepKind.MIRROR
    of = policy(mode=mode, steps=(Step(kind=other, weight=0.0, min_runs=30), Step(kind=kind, weight=0.0, min_runs=30)))

    is_exposed = kind not in {StepKind.OFFLINE, StepKind.MIRROR}
    assert rollout(of, step=1).is_met(of) is (mode is Mode.CANARY and is_exposed)
    assert rollout(of, step=1).at(of) is of.steps[1]


@pytest.mark.clause("DE-222")
def test_only_evidence_of_harm_makes_what_is_let_pass_a_breach() -> None:
    """Also where there is none left of it; it is found by its name."""
    at = rollout(policy(), waived=WAIVED)

    assert [each.is_breach for each in (*WAIVED, Waiver(what="cost", harm=0.0))] == [True, False, True]
    assert [at.waiver(what) for what in ("cost", "deadline:1", "error_rate")] == [*WAIVED, None]


@pytest.mark.clause("DE-15")
@given(attempt=st.integers(1, 9), mode=st.sampled_from(Mode))
def test_a_rollout_starts_at_the_first_step_as_it_was_declared(attempt: int, mode: Mode) -> None:
    """Nothing else has happened to it."""
    of = policy(mode=mode, steps=weights(7, 100))
    declared = Declaration(id="rol_9", app="search", baseline="old", candidate="new", attempt=attempt)

    begun = start(declared, of, START)

    assert begun == Rollout(
        id="rol_9",
        app="search",
        baseline="old",
        candidate="new",
        mode=mode,
        policy_digest=of.digest(),
        created_at=START,
        step_entered_at=START,
        weight=7.0,
        attempt=attempt,
    )


@pytest.mark.clause("DE-20")
@given(weight=st.floats(0, 100), live=st.none() | st.floats(0, 100))
def test_a_shadow_exposes_nothing_and_a_canary_its_weight(weight: float, live: float | None) -> None:
    """What is exposed is acknowledged when it was read back, or nobody reads it back."""
    of = {mode: replace(rollout(policy(mode=mode)), weight=weight, acknowledged=live) for mode in Mode}

    assert {mode: at.exposed_weight for mode, at in of.items()} == {Mode.CANARY: weight, Mode.SHADOW: 0.0}
    for at in of.values():
        assert at.is_acknowledged is (live is None or is_met(at.exposed_weight, live))


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("status", Status)
def test_a_document_has_every_field_and_is_json(mode: Mode, status: Status) -> None:
    """Links and digests are objects by name, words are texts, and what is let pass tells all that is known of it."""
    links, digests = (("build", "https://ci.example/1"),), (("model", "0" * 64),)
    shown = {"waived": WAIVED, "links": links, "digests": digests, "notices": tuple(Notice)}
    at = rollout(policy(mode=mode), step=1, status=status, **shown)

    document = at.document()

    assert list(document) == [field.name for field in fields(at)]
    assert {name: document[name] for name in ("mode", "status", "step", "weight")} == {
        "mode": mode.value,
        "status": status.value,
        "step": 1,
        "weight": 25.0,
    }
    assert document["links"] == {"build": "https://ci.example/1"}
    assert document["digests"] == {"model": "sha256:" + "0" * 64}
    assert document["notices"] == ["approval", "overdue", "untold"]
    known = {"what": "cost", "harm": 4.5, "revision": 3, "reason": "known"}
    unknown = {"what": "deadline:1", "harm": None, "revision": 0, "reason": ""}
    assert document["waived"] == [known, unknown]
    assert canonicalize(document)
