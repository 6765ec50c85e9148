# SPDX-License-Identifier: Apache-2.0
"""What one release ran while the other did not comes in; for how long it waits must be as docs/spec.md says."""

from __future__ import annotations

from itertools import accumulate, permutations

import pytest

from lockgate.core.bucket import Bucket
from lockgate.core.evidence.fold import fold
from lockgate.core.evidence.plan import plan
from lockgate.core.evidence.sealed import Arms, SealedBucket
from lockgate.core.evidence.state import EvidenceState, open_state
from lockgate.core.intake import WHOLE, Slice
from lockgate.core.policy.policy import Policy
from lockgate.core.rollout import Status
from lockgate.core.surroundings import NEVER_TOGETHER
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import tick
from tests.spec.line import at, batch, created, world
from tests.spec.ramp import MINUTE, arm, gate, policy, sealed

SLICE = (("intent", "medical"),)
SLICED = policy(gate(id="medical", slice=SLICE))
NOBODY = Bucket()


def folded(of: Policy, *buckets: SealedBucket) -> EvidenceState:
    """Return the state after some buckets."""
    planned = plan(of)
    return list(accumulate(buckets, lambda state, each: fold(state, each, planned), initial=open_state(planned)))[-1]


def hour(number: int, medical: Arms, *, minutes: int) -> SealedBucket:
    """Return a bucket in which both releases ran, and of a slice what is given."""
    both = Arms(arm(200, 4), arm(50, 1))
    arms: dict[Slice, Arms] = {WHOLE: both}
    if medical != Arms(NOBODY, NOBODY):
        arms[SLICE] = medical
    return SealedBucket(number=number, step=0, arms=arms, time=minutes * MINUTE)


@pytest.mark.clause("VE-200")
@pytest.mark.parametrize(("minutes", "judged"), [(59, 300), (60, 300), (61, 0), (720, 0)])
def test_what_a_slice_waits_with_is_let_go_whatever_else_ran(minutes: int, judged: int) -> None:
    """Traffic of other slices does not make what ran at midnight comparable with what ran at noon."""
    night, noon = Arms(arm(300, 6), NOBODY), Arms(NOBODY, arm(300, 24))
    between = [hour(each, Arms(NOBODY, NOBODY), minutes=minutes // 2) for each in (1, 2)]

    state = folded(SLICED, hour(0, night, minutes=0), *between, hour(3, noon, minutes=minutes))

    assert state.gates[0].judged_runs == judged


@pytest.mark.clause("VE-200")
def test_a_metric_that_one_arm_carries_at_a_time_is_not_compared_over_hours() -> None:
    """Evaluations that come in batches, of one release and then of the other, are no comparison."""
    of = policy(gate("latency_ms"))
    slow = tuple(float(100 + each) for each in range(100))
    buckets = [
        sealed(
            each,
            arm(100, 0, () if each % 2 else slow),
            arm(100, 0, slow if each % 2 else ()),
            time=each * 6 * 60 * MINUTE,
        )
        for each in range(20)
    ]

    assert folded(of, *buckets).gates[0].judged_runs == 0


@pytest.mark.clause("VE-201")
def test_in_whichever_order_buckets_come_only_runs_within_an_hour_are_joined() -> None:
    """An import may bring later runs first; what is joined never spans more than the hour."""
    parts = {0: Arms(arm(10), NOBODY), 50: Arms(arm(20), NOBODY), 100: Arms(NOBODY, arm(40))}

    for order in permutations(parts):
        state = folded(SLICED, *(hour(number, parts[minute], minutes=minute) for number, minute in enumerate(order)))

        learned = state.gates[0].nuisance.n
        assert learned in (0, 20), order
        assert (state.gates[0].judged_runs == 40) == (learned == 20)


@pytest.mark.clause("LI-370")
@pytest.mark.parametrize("calls", ["the older first", "the newer first", "both at once"])
def test_the_order_of_imports_does_not_make_runs_of_two_days_comparable(calls: str) -> None:
    """Runs a day apart never ran together, whichever file was read first."""
    here = world()
    older, newer = (
        [
            {"release": release, "started_at": at(-60 - 1440 * day + number / 50), "status": status}
            for number in range(1000)
            for status in ["error" if number % every == 0 else "ok"]
        ]
        for release, every, day in (("abc123", 5, 1), ("v36", 100, 0))
    )
    for runs in {"the older first": [older, newer], "the newer first": [newer, older]}.get(calls, [newer + older]):
        ingest(batch(*runs), here.house, by_start_time=True)
    rollout = created(here, since_s=48 * 3600).rollout

    turn = tick(rollout.id, here.house)

    assert turn.rollout.status is Status.ACTIVE
    assert turn.transition.decision.reason == NEVER_TOGETHER
