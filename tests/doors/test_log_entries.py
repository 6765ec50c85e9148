# SPDX-License-Identifier: Apache-2.0
"""The index of an entry that is not there is typed; which there are must be said."""

from __future__ import annotations

import pytest

from lockgate.cli import exit_codes
from tests.doors.line import Door

pytestmark = pytest.mark.clause("LI-618")


@pytest.mark.parametrize("command", ["entry", "proof"])
def test_which_entries_there_are_is_said(door: Door, command: str) -> None:
    """Whoever counted from one is shown so."""
    door.create("--mode", "canary")

    assert door("log", command, "99") == exit_codes.USAGE.code

    assert door.err == "error: the log has no entry 99\nIt has 1, which count from 0.\n"
