# SPDX-License-Identifier: Apache-2.0
"""An outage must be told, and not by a line for each call that meets it: docs/spec.md, Server."""

from __future__ import annotations

import pytest

from lockgate.server.complaints import MAX_KEPT, Complaints


class Ear:
    """What was told, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.now = 0.0
        self.complaints = Complaints(self.told.append, lambda: self.now)


@pytest.mark.clause("SV-272")
def test_an_outage_is_told_when_it_begins_once_a_minute_and_when_it_is_over() -> None:
    """Of two complaints a second for five minutes few lines are left, with how many there were."""
    ear = Ear()
    for _ in range(600):
        ear.complaints.hear("nobody answers", "Start it.")
        ear.now += 0.5
    ear.now += 20
    ear.complaints.look()
    ear.complaints.look()

    assert ear.told[0] == "warning: nobody answers\nStart it."
    assert [line for line in ear.told if "times more" in line] == ear.told[1:-1]
    assert len(ear.told) == 6
    assert ear.told[-1].startswith("it is over, after 300 s")


@pytest.mark.clause("SV-272")
def test_what_came_once_is_told_once_and_again_when_it_is_new() -> None:
    """Sentences that are forgotten are told anew, and only so many are kept."""
    ear = Ear()
    ear.complaints.hear("a")
    ear.now += 100
    ear.complaints.look()
    ear.complaints.hear("a")
    for number in range(3 * MAX_KEPT):
        ear.complaints.hear(f"{number}")

    assert ear.told[:2] == ["warning: a", "warning: a"]
    assert len(ear.complaints._known) <= MAX_KEPT
