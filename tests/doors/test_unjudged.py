# SPDX-License-Identifier: Apache-2.0
"""A ramp without a step that compares promises nothing: docs/spec.md, The line at the command line."""

from __future__ import annotations

import pytest

from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.foresight import Foresight, foresee
from lockgate.core.receipt import promise
from tests.doors.line import APP, Door
from tests.spec.ramp import rollout

CREATE = ("create", "--app-id", APP, "-b", "v36", "-c", "abc123", "--mode", "canary")


@pytest.mark.clause("LI-410")
def test_a_ramp_on_which_nothing_is_compared_is_warned_of_and_promises_nothing(door: Door) -> None:
    """All traffic at once leaves no baseline beside the candidate, so no gate and no error rate stands there."""
    assert door(*CREATE, "--steps", "100") == 0

    said = " ".join(door.out.split())
    assert "warning: no gate ever speaks at 100 %: add a step below 100 %, a holdback" in door.err
    assert "no error rate is promised" in said
    for words in ("probability at most", "is a breach", "reaches all traffic"):
        assert words not in said


@pytest.mark.clause("LI-410")
@pytest.mark.parametrize(
    "policy",
    [
        {"steps": [5, 100]},
        {"steps": [{"weight": 100, "holdback": 5, "soak": "1h"}]},
        {"steps": [{"weight": 100, "soak": "1h"}], "gates": [{"metric": "error_rate", "max": 0.05}]},
        {"steps": [{"kind": "offline"}, 100]},
    ],
)
def test_a_step_that_compares_or_a_fixed_limit_is_enough(policy: dict[str, object]) -> None:
    """A smaller weight, a holdback, an objective and an offline step each let a gate speak."""
    assert declare({"mode": "canary", **policy}, ("error_rate",)).is_judged


@pytest.mark.clause("LI-410")
@pytest.mark.parametrize(
    "policy",
    [
        {"steps": [100]},
        {"steps": [{"weight": 100, "soak": "1h"}]},
        {"steps": [{"ring": "internal"}, 100]},
        {"steps": [{"weight": 5, "gates": []}, 100]},
    ],
)
def test_without_either_no_gate_speaks_and_nothing_is_foreseen(policy: dict[str, object]) -> None:
    """However long the ramp is."""
    declared = declare({"mode": "canary", **policy}, ("error_rate",))

    assert not declared.is_judged
    assert promise(declared, rollout(declared))["falsePromotion"] is None
    assert foresee(declared, {}) == Foresight((), None)
