# SPDX-License-Identifier: Apache-2.0
"""Answers that make no pair are counted and told: docs/spec.md, The line, Probes."""

from __future__ import annotations

import pytest

from lockgate.core.receipt import operator
from lockgate.operations.asking.queries import explain
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import Turn, tick
from lockgate.report.explained import explained
from lockgate.testing.world import World
from tests.spec.line import batch, created, predicate, receipts, world
from tests.spec.test_paired_rollout import METRIC, answer

POLICY = {"mode": "shadow", "gates": [METRIC], "steps": [50, 100], "min_runs": 10}


def asked(here: World, rollout_id: str, probes: range, left_out: int = 0, name: str = "") -> Turn:
    """Let both releases answer probes, of which the candidate leaves out the first so many, and tick."""
    runs = [answer("v36", f"{name}{number}", 0.8) for number in probes]
    runs += [answer("abc123", f"{name}{number}", 0.8) for number in probes[left_out:]]
    # Each run is another, also where its probe was answered before.
    moment = here.clock.now()
    ingest(batch(*({**run, "run_id": f"{moment}-{place}"} for place, run in enumerate(runs))), here.house)
    here.clock.advance(60)
    return tick(rollout_id, here.house)


@pytest.mark.clause("LI-400")
def test_a_retried_candidate_is_told_why_its_probes_make_no_pairs() -> None:
    """Both releases had answered them; it is not said that no run carries the metric, and a remedy is named."""
    here = world()
    first = created(here, policy=POLICY).rollout
    asked(here, first.id, range(30))
    rollback(first.id, operator("ann", "try again"), here.house)
    second = created(here, policy=POLICY).rollout

    turn = asked(here, second.id, range(30))

    said = explain(second.id, here.house)
    parts = {part.heading: part.sentences for part in explained(said, here.clock.now())}
    assert turn.transition.decision.reason == (
        f"{METRIC}: none of 30 candidate runs makes a pair; "
        "only the first answers of both releases to a probe do, in the bucket of the later one"
    )
    assert "probes that one of both releases has not answered before" in parts["What would change it"][0]
    assert "`create --since`" in parts["What would change it"][0]


@pytest.mark.clause("LI-401")
def test_probes_that_a_candidate_leaves_unanswered_are_counted_in_the_receipt() -> None:
    """Of forty probes it answered thirty, and whoever reads the verdict reads that."""
    here = world()
    rollout = created(here, policy=POLICY).rollout

    turn = asked(here, rollout.id, range(40), left_out=10)

    told = "10 of 40 baseline runs that carry scores.groundedness made no pair"
    finding = predicate(receipts(here.house, rollout.id)[-1])["verdict"]["findings"][0]
    assert finding["reason"].endswith(told)
    assert turn.verdict.findings[0].reason.endswith(told)


@pytest.mark.clause("LI-401")
def test_where_every_answer_makes_a_pair_nothing_is_said() -> None:
    """The sentence is of what is missing only."""
    here = world()
    rollout = created(here, policy=POLICY).rollout

    turn = asked(here, rollout.id, range(40))

    assert "made no pair" not in turn.verdict.findings[0].reason
