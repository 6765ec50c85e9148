# SPDX-License-Identifier: Apache-2.0
"""Intervals that hold at any number of looks, as `explain` shows them: docs/spec.md, Verdicts and the command line."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lockgate.core.bucket import Events
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.policy.gate import Gate
from lockgate.core.retention import Retention
from lockgate.core.verdict.anytime import MAX_BUCKETS, Anytime, anytime
from lockgate.operations.asking.anytime import anytime_intervals
from lockgate.operations.asking.queries import explain
from lockgate.operations.retention.prune import MIN_S, prune
from lockgate.operations.steering.cancel import cancel
from lockgate.operations.tick import tick
from lockgate.report.explained import explained
from lockgate.testing.world import Law, World
from tests.spec.line import APP, EQUAL, created, world
from tests.spec.operators import ANN

WORSE = {"v36": Law(error_rate=0.05), "abc123": Law(error_rate=0.12)}
HALF = {"steps": [{"weight": 50}, {"weight": 100}], "alpha": 1e-12}


def gate(**fields: object) -> Gate:
    """Return a gate as a policy declares it."""
    return declare({"gates": [{"metric": "error_rate", **fields}]}).gates[0]


def arms(*counts: tuple[int, int, int, int]) -> list[tuple[Events, Events]]:
    """Return buckets of baseline and candidate."""
    return [(Events(n_b, s_b), Events(n_a, s_a)) for n_a, s_a, n_b, s_b in counts]


def intervals(here: World, rollout_id: str) -> tuple[Anytime, ...]:
    """Return what `explain` shows."""
    return anytime_intervals(explain(rollout_id, here.house).trial, here.house)


@pytest.mark.clause("VE-37")
def test_the_interval_only_shrinks_and_finds_the_difference() -> None:
    """From everything to what is left, around what was seen."""
    buckets = arms(*[(100, 30, 400, 20)] * 60)

    found = [anytime(gate(), buckets[:count]) for count in (1, 5, 20, 60)]

    shown = [each.difference for each in found if each is not None]
    assert len(shown) == 4
    assert all(before.low <= after.low and after.high <= before.high for before, after in pairwise(shown))
    assert 0.1 < shown[-1].low < 0.25 < shown[-1].high < 0.4
    assert shown[-1].estimate == pytest.approx(0.25)


@pytest.mark.clause("VE-37")
def test_a_share_that_should_be_high_has_its_difference_as_named() -> None:
    """A candidate that passes less has a negative difference."""
    buckets = arms(*[(100, 30, 400, 20)] * 40)
    found = anytime(gate(metric="pass_rate"), buckets)
    turned = anytime(gate(), buckets)

    assert found is not None
    assert turned is not None
    assert (found.difference.low, found.difference.high) == (-turned.difference.high, -turned.difference.low)
    assert found.difference.estimate == -turned.difference.estimate < 0


@pytest.mark.clause("VE-37")
def test_what_has_no_interval_gets_none() -> None:
    """A mean, a quantile, pairs, a limit without a baseline, and a share without buckets."""
    buckets = arms((100, 5, 100, 5))

    for each in ("latency_ms", "latency_ms:p95", "error_rate:paired"):
        assert anytime(gate(metric=each), buckets) is None
    assert anytime(gate(max="1%"), buckets) is None
    assert anytime(gate(), []) is None


@pytest.mark.clause("VE-37")
def test_the_cost_is_bounded() -> None:
    """Further buckets are not read; what the first ones leave out is left out for good."""
    few = arms(*[(20, 1, 20, 1)] * MAX_BUCKETS)

    found = anytime(gate(), [*few, *arms((10_000, 9_999, 10_000, 0))])

    assert found == anytime(gate(), few)
    assert found is not None
    assert found.buckets == MAX_BUCKETS


@pytest.mark.clause("VE-37")
def test_the_truth_stays_inside_whenever_somebody_looks() -> None:
    """Twenty seeded rollouts of equal releases, and as many of one that is worse, looked at again and again."""
    outside = 0
    for seed in range(20):
        for laws, truth in ((EQUAL, 0.0), (WORSE, 0.07)):
            here = world(seed)
            rollout = created(here, policy={**HALF, "mode": "shadow"}).rollout
            is_out = False
            for _ in range(3):
                here.serve_both(APP, {"v36": 1_000, "abc123": 1_000}, laws, minutes=5)
                found = {each.gate.metric.name: each for each in intervals(here, rollout.id)}
                shown = found["error_rate"].difference
                is_out |= not shown.low <= truth <= shown.high
            outside += is_out
    assert outside <= 5


@pytest.mark.clause("LI-340")
def test_explain_says_what_holds_at_any_number_of_looks() -> None:
    """In words, by the buckets in which both releases ran; buckets of a transition are not read."""
    here = world()
    rollout = created(here, policy=HALF).rollout
    before = intervals(here, rollout.id)
    here.serve_both(APP, {"v36": 2_000, "abc123": 2_000}, WORSE, minutes=10)
    here.serve_both(APP, {"v36": 500}, WORSE, minutes=3)

    found = intervals(here, rollout.id)
    parts = explained(explain(rollout.id, here.house), here.clock.now(), intervals=found)

    (share,) = found
    (said,) = next(part.sentences for part in parts if part.heading == "What holds however often one looks")
    assert before == ()
    assert (share.gate.id, share.buckets) == ("error_rate", 9)
    assert said.startswith("error_rate: candidate - baseline lies within ")
    assert said.endswith(" at 95 %, by 9 buckets in which both ran.")


@pytest.mark.clause("LI-340")
def test_an_interval_of_pruned_buckets_is_not_made_up() -> None:
    """What is left of the buckets that an old rollout read would be another interval."""
    here = world()
    rollout = created(here, policy={**HALF, "mode": "shadow"}).rollout
    here.serve_both(APP, {"v36": 2_000, "abc123": 2_000}, WORSE, minutes=10)
    tick(rollout.id, here.house)
    cancel(rollout.id, ANN, here.house)
    before = intervals(here, rollout.id)
    here.serve_both(APP, {"v36": 500}, WORSE, minutes=150)

    prune(here.house, Retention(raw_s=MIN_S, buckets_s=MIN_S))

    assert len(before) == 1
    assert intervals(here, rollout.id) == ()


@pytest.mark.clause("LI-340")
def test_a_rollout_that_promises_nothing_over_looks_has_no_such_interval() -> None:
    """With `inference: fixed` each look is one of many, and nothing is said to hold over all of them."""
    here = world()
    rollout = created(here, policy={**HALF, "inference": "fixed"}).rollout
    here.serve_both(APP, {"v36": 2_000, "abc123": 2_000}, WORSE, minutes=10)

    assert intervals(here, rollout.id) == ()
