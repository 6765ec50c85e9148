# SPDX-License-Identifier: Apache-2.0
"""An app with a champion comes in; whoever wants another trial of it or beside it must be told so."""

from __future__ import annotations

import pytest

from lockgate.errors import NotPermittedError
from tests.spec.line import created, world
from tests.spec.operators import kept, promoted


@pytest.mark.clause("LI-14")
def test_a_job_that_runs_again_takes_no_traffic_from_the_champion() -> None:
    """The same words are answered with the rollout that reached all traffic; other words are refused."""
    here = world()
    first = promoted(here)
    before = kept(here)

    again = created(here)
    with pytest.raises(NotPermittedError, match="abc123 is the champion of claims-agent"):
        created(here, policy={"min_runs": 77})

    assert (again.rollout.id, again.is_existing, kept(here)) == (first, True, before)
    assert created(here, policy={"mode": "shadow"}).rollout.attempt == 2


@pytest.mark.clause("LI-14")
def test_a_baseline_that_is_not_the_champion_is_warned_of() -> None:
    """The champion's traffic goes to it, which few mean."""
    here = world()
    promoted(here)

    beside = created(here, baseline="v36", candidate="def456", policy={"mode": "shadow"})
    moved = created(here, baseline="v36", candidate="def456")

    assert [said for said in (*beside.warnings, *moved.warnings) if "champion" in said] == [
        "abc123 is the champion of claims-agent; its traffic goes to the baseline v36, the champion from then on"
    ]
