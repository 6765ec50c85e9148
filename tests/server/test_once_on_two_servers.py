# SPDX-License-Identifier: Apache-2.0
"""Two servers on one PostgreSQL are called by one idempotency key at once; what is asked for is done once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from lockgate.operations.access.api_keys import list_keys
from lockgate.operations.asking.queries import find_rollout, list_rollouts
from lockgate.operations.soundness.fsck import fsck
from lockgate.testing.world import World
from lockgate.wiring import postgres_store
from tests.postgresql import Cluster
from tests.server.served import API, Caller, served
from tests.spec.line import APP, EQUAL, created

MANY = 6


@pytest.mark.postgres
@pytest.mark.clause("SV-28")
def test_one_key_sent_to_both_servers_has_one_effect(postgresql: Cluster) -> None:
    """Whichever is first, both answer the same; a turn, a creation, a kill and a key are each one."""
    url = postgresql.new_database()
    here, there = World(postgres_store(url), 1), World(postgres_store(url), 1)
    name = created(here).rollout.id
    here.serve_both(APP, {"v36": 6_000, "abc123": 6_000}, EQUAL, minutes=3)
    here.clock.advance(60)
    there.clock.advance(240)
    calls: dict[str, dict[str, object]] = {
        f"{API}/rollouts/{name}/evaluate": {},
        f"{API}/rollouts": {"app_id": "dark", "baseline": "v1", "candidate": "v2"},
        f"{API}/api-keys": {"name": "one", "allow": ["sdk"]},
        f"{API}/kill": {"reason": "harm"},
    }
    with served(here) as one, served(there) as two, ThreadPoolExecutor(2 * MANY) as pool:
        token = one.key("admin").token
        callers = [Caller(each.http, token) for each in (one, two)]
        for path, document in calls.items():
            sent = [pool.submit(each.post, path, document, idempotency_key=path) for each in callers * MANY]
            answers = [each.result() for each in sent]
            assert {each.status_code for each in answers} <= {200, 201}, [each.text for each in answers]
            assert sum("idempotency-replayed" not in each.headers for each in answers) == 1

    assert len(list_rollouts(here.house)) == 2
    assert [each.name for each in list_keys(here.house)] == ["admin", "one"]
    assert find_rollout(name, here.house).status.value == "rolled_back"
    assert fsck(here.house).flaws == ()
