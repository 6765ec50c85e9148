# SPDX-License-Identifier: Apache-2.0
"""A rollout that a newer one replaced comes in; `watch` must say so, and leave by the code for that."""

from __future__ import annotations

import pytest

from lockgate.cli import exit_codes
from tests.doors.line import APP, Door

pytestmark = pytest.mark.clause("LI-165")


def test_a_replaced_rollout_is_superseded(door: Door) -> None:
    """A job whose candidate was overtaken did not fail by its candidate."""
    older = door.create("--mode", "canary")
    newer = door.read("create", "--app-id", APP, "-b", "v36", "-c", "def456", "--mode", "canary", "--replace")["id"]

    code = door("watch", "--id", older)

    assert code == exit_codes.CANCELLED.code
    assert f"superseded: {newer} tries def456 instead" in door.err
    assert door.read("show", older)["status"] == "rolled_back"


@pytest.mark.clause("LI-335")
def test_the_receipt_of_a_replaced_rollout_says_so_by_its_cause(door: Door) -> None:
    """Each names the one that took its place, also where a trial that only advises began in between."""
    first = door.create("--mode", "canary")
    door.create("--candidate", "ghi789", "--mode", "shadow")
    replacing = ("create", "--app-id", APP, "-b", "v36", "--mode", "canary", "--replace")
    second = door.read(*replacing, "-c", "def456")["id"]
    third = door.read(*replacing, "-c", "abc123")["id"]

    causes = [door.read("receipts", each)["receipts"][-1]["cause"] for each in (first, second, third)]

    assert causes == ["replaced", "replaced", "operator"]
    for older, newer in ((first, second), (second, third)):
        assert door("watch", "--id", older) == exit_codes.CANCELLED.code
        assert f"superseded: {newer} tries" in door.err


def test_a_cancelled_rollout_leaves_by_the_same_code(door: Door) -> None:
    """Neither the candidate nor time decided it."""
    rollout = door.create()
    door("cancel", "--id", rollout, "--reason", "the branch is gone")

    assert door("watch", "--id", rollout) == exit_codes.CANCELLED.code
    assert "superseded" not in door.err


@pytest.mark.clause("LI-335")
@pytest.mark.parametrize("reason", ["complaints", "replaced by def456"])
def test_a_rollback_by_hand_is_a_rollback(door: Door, reason: str) -> None:
    """Only the start of another rollout supersedes, whatever came after and whatever the reason says."""
    older = door.create("--mode", "canary")
    door("rollback", "--id", older, "--reason", reason, "--yes")
    door.read("create", "--app-id", APP, "-b", "v36", "-c", "def456", "--mode", "canary")

    assert door("watch", "--id", older) == exit_codes.REGRESSED.code
