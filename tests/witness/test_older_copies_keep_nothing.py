# SPDX-License-Identifier: Apache-2.0
"""Older copies of stores come in; they take nothing, but that a caller's key is revoked: docs/spec.md WT."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest

import lockgate.operations
from lockgate.client.client import Client
from lockgate.core.batch import Ingested
from lockgate.core.permission import Permission
from lockgate.core.receipt import operator
from lockgate.errors import LockgateError, OlderStoreError
from lockgate.operations.access.issue_key import KeyOrder, issue_key
from lockgate.operations.access.revoke_key import revoke_key
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.intake.ingest_together import ingest_together
from lockgate.operations.retention.dropped import drop_in_portions
from lockgate.operations.steering.acknowledge import Observation, acknowledge
from lockgate.operations.steering.pause import pause
from lockgate.operations.webhooks.deliver import Bounds, deliver, hasten, retry_dead
from lockgate.recorder.sink import Fate, ServerSink
from lockgate.wiring import postgres_store, run_batches, sqlite_store
from tests.postgresql import Cluster
from tests.server.served import NDJSON, Caller, Served, problem, served
from tests.spec.line import created
from tests.witness.machine import Machine
from tests.witness.outlived import outlived

RUN = b'{"app_id": "web", "release": "v2", "run_id": "run-%d", "status": "ok"}\n'
OPERATIONS = Path(lockgate.operations.__file__).parent


@pytest.mark.clause("WT-55")
def test_an_older_copy_takes_no_runs(tmp_path: Path) -> None:
    """What it took would be lost when the newer store is put back; the file stays, and is taken then."""
    here, file = Machine(tmp_path / "home"), tmp_path / "runs.ndjson"
    file.write_bytes(b"".join(RUN % number for number in range(3)))
    rollout = here.create("v2")
    shutil.copytree(here.home, tmp_path / "copy")
    here.act(rollout, "pause")
    shutil.move(here.home, tmp_path / "lived")
    shutil.copytree(tmp_path / "copy", here.home)

    refused = here.call("ingest", str(file))
    with sqlite_store(here.home).reading() as seen:
        kept = seen.batches_before(2**62, "", 10), seen.open_slots("web")
    shutil.rmtree(here.home)
    shutil.move(tmp_path / "lived", here.home)
    taken = here.call("ingest", str(file), "--json")

    assert (refused.returncode, "Put the newer store back" in refused.stderr) == (65, True)
    assert kept == ((), ())
    assert (taken.returncode, json.loads(taken.stdout)["runs"]) == (0, 3)


@pytest.mark.clause("WT-55")
def test_a_server_on_an_older_copy_takes_no_runs_and_who_recorded_them_keeps_them(tmp_path: Path) -> None:
    """One batch and several at once, and an import; a recorder is told to come again."""
    here, outlive = outlived(tmp_path)
    created(here)

    with served(here) as door:
        token = door.key("admin").token
        outlive()
        bodies = [RUN % number for number in range(8)]
        with ThreadPoolExecutor(8) as threads:
            refused = [*threads.map(partial(_sent, door, token), bodies)]
        imported = Caller(door.http, token).call("POST", "/api/v1/imports/runs", headers=NDJSON, content=bodies[0])
        with closing(ServerSink(str(door.http.base_url), token)) as sink:
            recorded = sink.send(bodies[0])

    assert [problem(each) for each in (*refused, imported)] == [(500, "store-older")] * 9
    assert recorded.fate is Fate.LATER
    with here.house.store.reading() as seen:
        assert seen.batches_before(2**62, "", 10) == ()


@pytest.mark.postgres
@pytest.mark.clause("WT-55")
def test_an_older_copy_in_a_database_takes_no_runs(tmp_path: Path, postgresql: Cluster) -> None:
    """Neither one batch nor several at once, and neither is half kept; before it was one it took both."""
    here, outlive = outlived(tmp_path, postgres_store(postgresql.new_database()))
    created(here)
    one, *several = [run_batches().decode(RUN % number, None) for number in range(6)]
    taken = ingest_together(several[:2], here.house)
    outlive()

    refused = [_is_older(lambda: ingest(one, here.house)), _is_older(lambda: ingest_together(several, here.house))]

    assert refused == [True, True]
    assert [each.runs for each in taken if isinstance(each, Ingested)] == [1, 1]
    with here.house.store.reading() as seen:
        assert {each.digest for each in seen.batches_before(2**62, "", 10)} == {each.digest for each in several[:2]}


def _sent(door: Served, token: str, body: bytes) -> httpx.Response:
    return Caller(door.http, token).call("POST", "/api/v1/runs", headers=NDJSON, content=body)


@pytest.mark.clause("WT-56")
def test_an_older_copy_keeps_nothing_that_is_not_signed_either(tmp_path: Path) -> None:
    """New keys of callers, weights that were seen, messages to be sent anew, runs to be dropped."""
    here, outlive = outlived(tmp_path)
    rollout = created(here).rollout
    outlive()
    seen = Observation(rollout_id=rollout.id, revision=1, weight=5.0)
    acts: dict[str, Callable[[], object]] = {
        "issue": lambda: issue_key(KeyOrder(name="more", permissions=(Permission.READ,)), here.house),
        "acknowledge": lambda: acknowledge(seen, operator("ada", "seen"), here.house),
        "retry": lambda: retry_dead(here.house),
        "hasten": lambda: hasten(here.house),
        "prune": lambda: drop_in_portions(here.house, lambda work: work.drop_ids(0, 1), "ids", lambda *_: None),
        "pause": lambda: pause(rollout.id, operator("ada", "drill"), here.house),
    }

    refused = [name for name, act in acts.items() if _is_older(act)]

    assert refused == [*acts]


@pytest.mark.clause("WT-80", "WT-112")
def test_on_an_older_copy_a_key_of_a_caller_can_be_revoked(tmp_path: Path) -> None:
    """One that was revoked since the copy was made opens it again; who closes it is told that it is an older copy."""
    here, outlive = outlived(tmp_path)
    created(here)

    with served(here) as door:
        admin, other, keys = door.caller("admin"), door.key("admin"), [door.key("viewer") for _ in range(5)]
        sure = revoke_key(keys[0].key.id, here.house)
        newest = admin.post(f"/api/v1/api-keys/{keys[4].key.id}/revoke")
        outlive()
        unsure = revoke_key(keys[1].key.id, here.house)
        over_http = admin.post(f"/api/v1/api-keys/{keys[2].key.id}/revoke", idempotency_key="once")
        with Client(str(door.http.base_url), other.token) as client:
            by_client = client.revoke_key(keys[3].key.id)
        after = [Caller(door.http, each.token).get("/api/v1/rollouts").status_code for each in keys]
        made = admin.post("/api/v1/api-keys", {"name": "more", "allow": ["viewer"]})

    assert (sure.doubt, "it is an older copy" in str(unsure.doubt)) == (None, True)
    assert (over_http.status_code, over_http.json()["revoked_at"] is None) == (200, False)
    assert f"revoke {keys[2].key.id} there too" in over_http.json()["doubt"]
    assert f"revoke {keys[3].key.id} there too" in (by_client["doubt"] or "")
    assert newest.json()["doubt"] is None
    assert after == [401] * 5
    assert problem(made) == (500, "store-older")


@pytest.mark.clause("WT-80", "WT-112")
def test_who_revokes_a_key_on_an_older_copy_is_told_so(tmp_path: Path) -> None:
    """The key is revoked, and the newer store does not know it; in the newest one nothing is to be told."""
    here = Machine(tmp_path / "home")
    rollout = here.create("v2")
    ids = [
        json.loads(here.call("keys", "create", "--name", "a", "--allow", "ci", "--json").stdout)["id"] for _ in "abc"
    ]
    sure = here.call("keys", "revoke", ids[0])
    shutil.copytree(here.home, tmp_path / "copy")
    here.act(rollout, "pause")
    shutil.rmtree(here.home)
    shutil.copytree(tmp_path / "copy", here.home)

    unsure = here.call("keys", "revoke", ids[1])
    as_json = here.call("keys", "revoke", ids[2], "--json")

    assert [(each.returncode, "older copy" in each.stderr) for each in (sure, unsure)] == [(0, False), (0, True)]
    assert f"revoke {ids[1]} there too" in unsure.stderr
    assert f"revoke {ids[2]} there too" in json.loads(as_json.stdout)["doubt"]
    kept = json.loads(here.call("keys", "list", "--json").stdout)["keys"]
    assert [each["revoked_at"] is None for each in kept] == [False] * 3


@pytest.mark.clause("WT-73")
def test_an_older_copy_delivers_nothing_even_where_nothing_waits(tmp_path: Path) -> None:
    """That nothing is left to tell is not for it to say, by whichever door it is asked."""
    here, outlive = outlived(tmp_path)
    created(here)
    nothing = deliver(here.house, {}, Bounds())
    outlive()

    assert nothing == ()
    assert _is_older(lambda: deliver(here.house, {}, Bounds()))


def _is_older(act: Callable[[], object]) -> bool:
    with pytest.raises(LockgateError) as found:
        act()
    return isinstance(found.value, OlderStoreError)


@pytest.mark.clause("WT-56")
def test_nobody_opens_a_transaction_past_the_look_at_the_age_of_the_log() -> None:
    """Of all operations one place opens transactions of a store: whatever is written later is refused there too."""
    past = [
        path.relative_to(OPERATIONS).as_posix()
        for path in sorted(OPERATIONS.rglob("*.py"))
        if re.search(r"store\.writing\(", path.read_text(encoding="utf-8"))
    ]

    assert past == ["vault/keeping.py"]
