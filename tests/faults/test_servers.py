# SPDX-License-Identifier: Apache-2.0
"""Two server processes on one folder come in, which are killed and frozen; clients must find what they were told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.testing.history import CallOutcome, broken
from tests.servers import drill
from tests.servers.aftermath import all_told, history_of

pytestmark = pytest.mark.faults
Lengths = Callable[[float, float], float]
Counts = Callable[[str, int], None]


@pytest.mark.clause("SV-131")
def test_two_servers_on_one_folder_keep_their_word_through_kills_and_freezes(
    tmp_path: Path, seconds: Lengths, count: Counts
) -> None:
    """What clients wrote down contradicts nothing, and the store is sound in a fresh process."""
    harms = {"kills of one server": drill.kill_one, "kills of both": drill.kill_all, "freezes": drill.freeze_one}
    with drill.fleet(tmp_path, {}) as (crew, nemesis):
        with drill.at_work(crew):
            nemesis.rage(crew, seconds(15, 120), harms, lambda: drill.has_enough(crew))
        assert crew.faults == []
        one, two = nemesis.servers
        assert all_told(one) == ""
        history = history_of(crew, two, beside=nemesis.servers)
        assert (one.end(), two.end()) == (0, 0)
        checked = json.loads(one.lockgate("fsck", "--json").stdout)

    assert broken(history) == []
    assert checked["sound"], checked
    assert drill.has_enough(crew)
    drill.tell(count, "SQLite", crew, nemesis, history)
    assert crew.count(CallOutcome.DONE) > 100
