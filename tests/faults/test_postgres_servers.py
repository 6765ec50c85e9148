# SPDX-License-Identifier: Apache-2.0
"""Two servers on PostgreSQL behind HAProxy come in, with everything between them failing; their word must hold.

Servers are killed and frozen, the database begins again at once, connections to it are cut, also at the moment of a
commit, and clients that get no answer ask again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.testing.history import CallOutcome, broken
from tests.postgresql import cluster
from tests.replays import replay_now
from tests.servers import drill
from tests.servers.aftermath import all_told, history_of
from tests.servers.cut import CutProxy, Moment
from tests.servers.drill import Nemesis

pytestmark = pytest.mark.faults
Lengths = Callable[[float, float], float]
Counts = Callable[[str, int], None]


@pytest.mark.clause("SV-131", "SV-133")
def test_two_servers_on_postgresql_keep_their_word_through_everything(
    tmp_path: Path, seconds: Lengths, count: Counts
) -> None:
    """What clients wrote down contradicts nothing, and the store is sound in a fresh process."""
    with cluster() as own:
        way = CutProxy(own.port)
        url = own.new_database().replace(f":{own.port}/", f":{way.port}/")

        def cut(nemesis: Nemesis) -> None:
            if nemesis.draw.random() < 0.3:
                way.cut()
            else:
                way.cut_at_commit(nemesis.draw.choice(tuple(Moment)))

        harms = {
            "kills of one server": drill.kill_one,
            "kills of both": drill.kill_all,
            "freezes": drill.freeze_one,
            "restarts of the database": lambda _: own.restart_immediate(),
            "cuts": cut,
            "more cuts": cut,
        }
        with drill.fleet(tmp_path, {"LOCKGATE_STORE": url}) as (crew, nemesis):
            with drill.at_work(crew):
                nemesis.rage(crew, seconds(25, 240), harms, lambda: drill.has_enough(crew) and way.commits_cut > 0)
            one, two = nemesis.servers
            assert (crew.faults, all_told(one)) == ([], "")
            history = history_of(crew, two, beside=nemesis.servers)
            assert (one.end(), two.end()) == (0, 0)
            checked = json.loads(one.lockgate("fsck", "--json").stdout)
        replay_now()
        way.close()

    assert broken(history) == []
    assert checked["sound"], checked
    assert drill.has_enough(crew)
    drill.tell(count, "PostgreSQL", crew, nemesis, history)
    count("connections cut", way.cuts)
    count("of them at a commit", way.commits_cut)
    assert crew.count(CallOutcome.DONE) > 100
    assert way.commits_cut > 0
