# SPDX-License-Identifier: Apache-2.0
"""Shadow and canary, and what is told to whom: docs/spec.md, Decisions."""

from __future__ import annotations

import pytest

from lockgate.core.finding import Outcome
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.transition import Event, Transition
from tests.spec.ramp import policy, rollout, situation, tick


def walk(of: Policy, *outcomes: Outcome) -> list[Transition]:
    """Return the transitions of one tick a minute."""
    at, walked = rollout(of), []
    for minute, said in enumerate(outcomes, start=1):
        walked.append(tick(at, of, said, situation(minute)))
        at = walked[-1].after
    return walked


@pytest.mark.clause("DE-20")
@pytest.mark.parametrize("last", [Outcome.CLEAN, Outcome.REGRESSED])
def test_shadow_decides_as_canary_does(last: Outcome) -> None:
    """The same evidence leads to the same decisions, whether or not they act."""
    said = (Outcome.INSUFFICIENT, Outcome.CLEAN, last)

    shadow, canary = (walk(policy(mode=mode), *said) for mode in (Mode.SHADOW, Mode.CANARY))

    assert [each.decision for each in shadow] == [each.decision for each in canary]


@pytest.mark.clause("DE-20")
def test_shadow_moves_nothing() -> None:
    """A shadow rollout walks to its end without a weight carried out or anybody told to move."""
    walked = walk(policy(mode=Mode.SHADOW), Outcome.CLEAN, Outcome.CLEAN, Outcome.CLEAN)

    assert walked[-1].after.weight == 100.0
    assert {each.after.exposed_weight for each in walked} == {0.0}
    assert [(each.moves, each.events) for each in walked] == [(False, ())] * 3


@pytest.mark.clause("DE-21")
def test_canary_tells_each_change_once() -> None:
    """Listeners hear of every transition and of the end, and of no look."""
    walked = walk(policy(), Outcome.CLEAN, Outcome.INSUFFICIENT, Outcome.REGRESSED, Outcome.REGRESSED)

    assert [each.events for each in walked] == [(Event.PROMOTE,), (), (Event.ROLLBACK, Event.COMPLETED), ()]
    assert [each.moves for each in walked] == [True, False, True, False]
