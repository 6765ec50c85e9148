# SPDX-License-Identifier: Apache-2.0
"""Two servers come in, on PostgreSQL; what one does to an app the other answers with the version of after it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from tests.postgresql import Cluster
from tests.servers import clients, drill

pytestmark = pytest.mark.postgres
APP, BECAUSE = drill.BY_PROGRAM[0], {"reason": "a drill"}


@pytest.mark.clause("SV-1045")
def test_servers_agree_on_the_version_of_an_app(tmp_path: Path, postgresql: Cluster) -> None:
    """After each act by either; an act that goes by an older one is refused by both and does nothing."""
    with drill.fleet(tmp_path, {"LOCKGATE_STORE": postgresql.new_database()}) as (crew, nemesis):
        places = [f"{each.address}{clients.API}" for each in nemesis.servers]
        headers = {"authorization": f"Bearer {crew.token}"}
        with httpx.Client(headers=headers, timeout=30, trust_env=False) as http:
            order = {"app_id": APP, "baseline": clients.BASELINE, "candidate": "c1", "mode": "canary"}
            versions = []
            for number, (path, document) in enumerate(
                (("/rollouts", order), *((f"/apps/{APP}/{verb}", BECAUSE) for verb in ("kill", "unfreeze", "freeze")))
            ):
                done = http.post(f"{places[number % 2]}{path}", json=document)
                assert done.is_success, done.text
                seen = [http.get(f"{each}/apps/{APP}") for each in places]
                assert len({(each.headers["etag"], each.json()["version"]) for each in seen}) == 1
                versions.append(seen[0].json()["version"])
            stale = {"if-match": f'"{versions[-2]}"'}
            refused = [http.post(f"{each}/apps/{APP}/unfreeze", json=BECAUSE, headers=stale) for each in places]
            left = [http.get(f"{each}/apps/{APP}").json() for each in places]

    # A kill counts the rollback too.
    assert [after - before for before, after in pairwise(versions)] == [2, 1, 1]
    assert [each.status_code for each in refused] == [412, 412]
    assert [(each["version"], each["frozen"]) for each in left] == [(versions[-1], "a drill")] * 2
