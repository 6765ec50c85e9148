# SPDX-License-Identifier: Apache-2.0
"""How sealed buckets become evidence: docs/spec.md, Evidence."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.bucket import Bucket, Events
from lockgate.core.evidence.fold import fold
from lockgate.core.evidence.plan import Plan, Role, plan
from lockgate.core.evidence.sealed import Assignment, Phase, SealedBucket
from lockgate.core.evidence.state import EvidenceState, open_state
from lockgate.core.evidence.totals import Totals, add
from lockgate.core.policy.gate import Margin
from lockgate.core.policy.policy import Policy
from tests.spec.ramp import arm, gate, policy, probes, sealed, weights

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "engine_eprocess.json").read_text())
# Vectors were made without step restarts, so they are compared on a ramp of one comparable step.
ONE_STEP = weights(50)


def folded(of: Policy, *buckets: SealedBucket) -> EvidenceState:
    """Return the state after some buckets."""
    planned = plan(of)
    return list(accumulate(buckets, lambda state, each: fold(state, each, planned), initial=open_state(planned)))[-1]


def level(of: Policy, role: Role, *buckets: SealedBucket, share: float | None = None) -> float:
    """Return the log evidence of the first gate's process after some buckets."""
    index = plan(of).gates[0].index(role, share)
    assert index is not None
    return folded(of, *buckets).gates[0].levels[index]


def counted(rows: list[list[int]], *, step: int = 0) -> list[SealedBucket]:
    """Return buckets of [candidate runs, errors, baseline runs, errors]."""
    return [sealed(number, arm(n_b, s_b), arm(n_a, s_a), step=step) for number, (n_a, s_a, n_b, s_b) in enumerate(rows)]


@pytest.mark.clause("VE-01")
@pytest.mark.parametrize("case", VECTORS["binary"], ids=lambda case: f"r={case['r']}-{case['buckets'][0]}")
def test_a_share_gathers_the_published_evidence_of_harm(case: dict[str, Any]) -> None:
    """The fold of a policy's gate is the published process, bucket for bucket."""
    of = policy(gate(tolerance=Margin(case["r"] - 1.0, case["m"])), steps=ONE_STEP)
    buckets = counted(case["buckets"])

    levels = [level(of, Role.HARM, *buckets[: end + 1]) for end in range(len(buckets))]

    assert levels == pytest.approx(case["log_e"], rel=1e-9, abs=1e-12)


@pytest.mark.clause("VE-01")
@pytest.mark.parametrize("case", VECTORS["binary_noninferiority"], ids=lambda case: str(case["buckets"][1]))
def test_a_share_gathers_the_published_evidence_of_no_harm(case: dict[str, Any]) -> None:
    """At the last step the harm budget's margin is the declared one, and its process the published twin."""
    of = policy(gate(margin=Margin(0.0, case["margin"])), steps=ONE_STEP)
    buckets = counted(case["buckets"])

    levels = [level(of, Role.PROVEN, *buckets[: end + 1], share=1.0) for end in range(len(buckets))]

    assert levels == pytest.approx(case["log_e"], rel=1e-9, abs=1e-12)


@pytest.mark.clause("ST-58")
@pytest.mark.parametrize(("runs", "is_judged"), [(99, False), (100, True)])
def test_a_quantile_waits_for_a_hundred_runs_of_the_baseline(runs: int, *, is_judged: bool) -> None:
    """Fewer say too little about a tail: the bucket after them gathers no evidence."""
    of = policy(gate("latency_ms:p95"), steps=ONE_STEP)
    fast = arm(runs, latency_ms=tuple(100.0 + number for number in range(runs)))
    slow = arm(50, latency_ms=(900.0,) * 50)

    gathered = level(of, Role.HARM, sealed(0, fast, slow), sealed(1, fast, slow))

    assert (gathered != 0.0) is is_judged


@pytest.mark.clause("VE-01")
@pytest.mark.parametrize("case", VECTORS["paired"], ids=lambda case: f"{case['loss']}-{case['win']}-{case['m']}")
def test_pairs_gather_the_published_evidence(case: dict[str, Any]) -> None:
    """Probes may come in any number of buckets: their evidence is that of the counts."""
    of = policy(gate("pass_rate:paired", tolerance=Margin(0.0, case["m"])), steps=ONE_STEP)
    half = (case["loss"] // 2, case["tie"] // 2, case["win"] // 2)
    rest = (case["loss"] - half[0], case["tie"] - half[1], case["win"] - half[2])

    found = level(of, Role.HARM, probes(0, *half), probes(1, *rest))

    assert found == pytest.approx(case["log_e"], rel=1e-9)


HARM = counted([[20, 1, 380, 19], [20, 2, 380, 18], [20, 4, 380, 20], [20, 5, 380, 19]])


@pytest.mark.clause("VE-02")
def test_a_bucket_is_folded_once() -> None:
    """Folding again what was folded changes nothing, so a tick that is repeated does no harm."""
    of = policy()

    assert folded(of, *HARM, *HARM) == folded(of, *HARM)


@pytest.mark.clause("VE-03")
def test_a_bucket_between_two_weights_is_not_compared() -> None:
    """Runs of a changing weight are neither evidence nor fresh."""
    of = policy()
    moving = sealed(9, arm(10, 0), arm(10, 10), phase=Phase.TRANSITION)

    before, after = folded(of, *HARM), folded(of, *HARM, moving)

    assert (after.gates, after.fresh_runs) == (before.gates, before.fresh_runs)


@pytest.mark.clause("VE-04")
def test_a_bucket_with_one_arm_waits_for_the_other() -> None:
    """Runs that nothing ran beside are merged forward until something did."""
    of = policy(steps=ONE_STEP)
    split = [
        HARM[0],
        sealed(1, arm(200, 9), Bucket()),
        sealed(2, arm(180, 9), Bucket()),
        sealed(3, Bucket(), arm(20, 2)),
    ]

    found = level(of, Role.HARM, *split)

    assert found == level(of, Role.HARM, *HARM[:2])


@pytest.mark.clause("VE-04")
def test_what_waits_does_not_cross_a_change_of_weight() -> None:
    """A bucket may not span two weights, so what waited for the other arm is dropped at a step."""
    of = policy()
    alone = sealed(4, arm(400, 0), Bucket())
    later = sealed(5, arm(300, 15), arm(100, 12), step=1)

    assert folded(of, *HARM, alone, later).gates[0].levels == folded(of, *HARM, later).gates[0].levels


@pytest.mark.clause("VE-05")
def test_late_harm_is_found_by_a_copy_that_starts_at_its_step() -> None:
    """Good evidence of early steps does not have to be unlearned before harm at a later step is seen."""
    good = counted([[20, 0, 380, 19]] * 40)
    bad = [replace(each, number=100 + each.number, step=2) for each in counted([[200, 20, 200, 10]] * 8)]

    with_restarts = level(policy(), Role.HARM, *good, *bad)
    one_copy = level(policy(steps=ONE_STEP), Role.HARM, *(replace(each, step=0) for each in (*good, *bad)))

    assert with_restarts > one_copy + 2


@pytest.mark.clause("VE-05")
def test_fresh_runs_are_those_of_the_step() -> None:
    """Each step asks for runs of its own."""
    state = folded(policy(), *HARM, sealed(9, arm(300), arm(100), step=1))

    assert (state.fresh_runs, state.candidate_runs) == (100, 180)


@pytest.mark.clause("VE-06")
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1)), min_size=1, max_size=40), st.randoms())
def test_the_order_of_runs_in_a_bucket_does_not_matter(runs: list[tuple[int, int]], random: Any) -> None:
    """A bucket is counts, so whoever came first makes no difference to the evidence."""
    shuffled = list(runs)
    random.shuffle(shuffled)

    states = [
        folded(policy(), HARM[0], sealed(1, arm(50, 2), sum((arm(1, bad) for _, bad in order), Bucket())))
        for order in (runs, shuffled)
    ]

    assert states[0] == states[1]


def everything() -> Policy:
    """Return a policy with a gate of each method."""
    return policy(
        gate(share=0.2, margin=Margin(0.0, 0.01)),
        gate("latency_ms:p95", share=0.2, margin=Margin(0.1)),
        gate("latency_ms", share=0.2),
        gate("pass_rate:paired", share=0.2),
        gate("cost:rate", share=0.1),
        gate("error_rate", id="objective", limit=0.2, share=0.1),
    )


def mixed(number: int, seed: int, *, step: int = 0) -> SealedBucket:
    """Return a bucket that every gate of `everything` can read."""
    slow = tuple(100.0 + (seed * 37 + i * 53) % 400 for i in range(60))
    both = [arm(60, 3, slow), arm(30, 2, slow[:30])]
    base, cand = (replace(each, values={**each.values, "cost": each.values["latency_ms"]}) for each in both)
    return replace(sealed(number, base, cand, step=step), pairs=probes(0, 2, 5, 1).pairs)


@pytest.mark.clause("VE-07")
def test_the_state_does_not_grow_with_what_was_folded() -> None:
    """A thousand buckets leave a state hardly larger than two hundred do."""
    of = everything()
    planned = plan(of)
    state, sizes = open_state(planned), {}

    for number in range(1000):
        state = fold(state, mixed(number, number), planned)
        sizes[number + 1] = len(json.dumps(state.document()))

    assert sizes[1000] <= 1.2 * sizes[200]


@pytest.mark.clause("VE-08")
def test_a_gate_that_does_not_apply_gathers_nothing() -> None:
    """Without a baseline beside it a comparison takes no run as evidence; an objective does."""
    of = policy(gate(), gate(id="objective", limit=0.01), steps=weights(5, 100, soak_s=60))
    at_full = [replace(each, step=1) for each in HARM]

    comparing, objective = folded(of, *at_full).gates

    assert (comparing.judged_runs, objective.judged_runs) == (0, 80)


@pytest.mark.clause("VE-08")
def test_a_holdback_keeps_comparisons_possible() -> None:
    """With a share left on the baseline, even the last step is compared."""
    of = policy(steps=weights(5, 100, holdback=5.0))

    comparing = folded(of, *(replace(each, step=1) for each in HARM)).gates[0]

    assert comparing.judged_runs == 80


@pytest.mark.clause("VE-09")
@pytest.mark.parametrize(
    ("words", "gate_of"),
    [
        ("a share, higher worse", gate),
        ("a quantile", lambda: gate("latency_ms:p95")),
        ("a mean", lambda: gate("latency_ms")),
        ("an objective quantile", lambda: gate("latency_ms:p95", limit=120.0)),
        ("an objective mean", lambda: gate("latency_ms", limit=120.0)),
    ],
)
def test_worse_gathers_harm_and_equal_gathers_none(words: str, gate_of: Any) -> None:
    """Every method moves towards rollback on a worse candidate and away from it on an equal one."""
    of = policy(gate_of(), steps=ONE_STEP)
    fast = tuple(80.0 + i % 40 for i in range(200))
    slow = tuple(1.6 * each for each in fast)
    worse = [sealed(i, arm(200, 10, fast), arm(200, 30, slow)) for i in range(30)]
    equal = [sealed(i, arm(200, 10, fast), arm(200, 10, fast)) for i in range(30)]

    harm = [level(of, Role.HARM, *buckets) for buckets in (worse, equal)]

    assert harm[0] > 5, words
    assert harm[1] < 0, words


@pytest.mark.clause("VE-09")
@pytest.mark.parametrize("name", ["scores.a", "scores.a:p10", "pass_rate"])
def test_lower_is_worse_where_the_metric_says_so(name: str) -> None:
    """A score or pass rate that sinks is harm, one that rises is the absence of it."""
    of = policy(gate(name), steps=ONE_STEP)
    high = tuple(0.7 + 0.3 * (i % 10) / 10 for i in range(200))
    low = tuple(each - 0.2 for each in high)

    def bucket(scores: tuple[float, ...], fails: int) -> Bucket:
        tallied = arm(200, 0, scores)
        return replace(
            tallied, events={"pass_rate": Events(200, fails)}, values={"scores.a": tallied.values["latency_ms"]}
        )

    sinks = [sealed(i, bucket(high, 20), bucket(low, 60)) for i in range(30)]
    rises = [sealed(i, bucket(low, 60), bucket(high, 20)) for i in range(30)]

    assert level(of, Role.HARM, *sinks) > 5
    assert level(of, Role.HARM, *rises) < 0
    assert level(of, Role.CLEAN, *rises) > 3


@pytest.mark.clause("VE-10")
def test_the_sample_ratio_is_watched_only_where_the_split_is_set() -> None:
    """Without an assignment there is nothing to check; with a skewed one the evidence grows, and a step starts anew."""
    even = [replace(each, assignment=Assignment(0.05, 50, 950)) for each in HARM]
    skewed = [replace(each, assignment=Assignment(0.05, 500, 500)) for each in HARM]
    later = replace(even[0], number=50, step=1)

    states = [folded(policy(), *buckets).ratio for buckets in (HARM, even, skewed, [*skewed, later])]

    assert (states[0].share, states[1].log_evidence < 1, states[2].log_evidence > 100, states[3].candidate) == (
        None,
        True,
        True,
        50,
    )


@pytest.mark.clause("VE-11")
def test_totals_are_the_sums_of_their_buckets() -> None:
    """What is shown beside a verdict is every steady bucket once, by step and as a whole."""
    seen = [
        *HARM,
        HARM[-1],
        sealed(8, arm(5), arm(5), phase=Phase.TRANSITION),
        sealed(9, arm(300, 1), arm(100, 2), step=1),
    ]

    totals = list(accumulate(seen, partial(add, policy=policy()), initial=Totals()))[-1]

    assert (totals.at_step.arm().candidate.runs, totals.whole.arm().candidate.runs) == (100, 180)
    assert totals.whole.arm().baseline.events["error_rate"] == Events(1820, 77)


@pytest.mark.clause("VE-13")
def test_a_slice_is_judged_by_its_own_runs() -> None:
    """A gate on a slice reads the tallies of that slice and no others."""
    medical = (("intent", "medical"),)
    of = policy(gate(slice=medical), steps=ONE_STEP)
    rest = [replace(each, arms={(): each.arm(), medical: sealed(0, arm(100, 5), arm(20, 9)).arm()}) for each in HARM]

    assert level(of, Role.HARM, *HARM) == 0.0
    assert level(of, Role.HARM, *rest) > 5


@pytest.mark.clause("VE-12")
def test_a_plan_has_one_process_per_weight_ahead() -> None:
    """The margin of each step is the declared one divided by the weight that leaving it exposes."""
    planned: Plan = plan(policy(gate(margin=Margin(0.0, 0.01))))

    margins = {each.share: each.bound.offset for each in planned.gates[0].processes if each.role is Role.PROVEN}

    assert margins == pytest.approx({0.25: 0.04, 0.5: 0.02, 1.0: 0.01})


@pytest.mark.clause("VE-14")
@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.integers(0, 40), st.integers(1, 200), st.integers(0, 200)),
        min_size=2,
        max_size=12,
    ),
    st.data(),
)
def test_a_run_that_turns_bad_never_makes_a_rollback_less_likely(
    rows: list[tuple[int, int, int, int]], data: Any
) -> None:
    """A candidate run that fails instead moves evidence towards harm, whichever run it is."""
    counts = [[n_a, min(s_a, n_a - 1), n_b, min(s_b, n_b)] for n_a, s_a, n_b, s_b in rows]
    where = data.draw(st.integers(0, len(counts) - 1))
    turned = [[n_a, s_a + (number == where), n_b, s_b] for number, (n_a, s_a, n_b, s_b) in enumerate(counts)]

    before, after = (folded(policy(), *counted(each)).gates[0].peaks for each in (counts, turned))

    assert after[0] >= before[0] - 1e-9
    assert after[1] <= before[1] + 1e-9
