# SPDX-License-Identifier: Apache-2.0
"""Calls with an idempotency key come in, and come again; what they ask for is done once, and answered the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lockgate.operations.access.api_keys import list_keys
from lockgate.operations.asking.queries import list_rollouts
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.tick_all import MAX_TURNS
from lockgate.server.table import Endpoint
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.server.rows import CLOSED, name_of, path_of, send_to
from tests.server.served import API, Caller, Served, problem, served
from tests.spec.line import APP, created

ROUND = f"{API}/rollouts/evaluate"
NOT_ONCE = [each for each in CLOSED if each.method != "GET" and not (each.is_once or each.is_repeatable)]
ONCE = [each for each in CLOSED if each.method == "POST" and each.is_once and each.max_body == 1 << 20]


def _entries(shop: Served) -> tuple[int, int, int]:
    """Return how much is written down: entries of the log, rollouts, keys."""
    house = shop.world.house
    with house.store.reading() as seen:
        size = seen.tree().size
    return size, len(list_rollouts(house)), len(list_keys(house))


@pytest.mark.clause("SV-28")
@pytest.mark.parametrize("row", ONCE, ids=name_of)
def test_every_call_that_changes_something_is_done_once_for_a_key(shop: Served, row: Endpoint) -> None:
    """The same call again gets the same answer and does nothing; what failed did nothing, and is tried again."""
    admin, path = shop.caller("admin"), path_of(shop, row)

    first = send_to(path, admin, row, idempotency_key=name_of(row))
    after = _entries(shop)
    shop.world.clock.advance(60)
    again = send_to(path, admin, row, idempotency_key=name_of(row))

    assert again.status_code == first.status_code
    assert _entries(shop) == after
    assert "idempotency-replayed" not in first.headers
    if first.status_code < 400:
        assert again.headers["idempotency-replayed"] == "true"
        shown_once = {"token": None, "secret": None}
        assert {**again.json(), **shown_once} == {**first.json(), **shown_once}
        assert again.headers.get("etag") == first.headers.get("etag")
        assert again.headers.get("location") == first.headers.get("location")


@pytest.mark.clause("SV-28")
def test_another_body_by_the_same_key_is_refused_and_does_nothing(door: Served) -> None:
    """409 with a type of its own; the reply that is kept stays."""
    admin = door.caller("admin")
    order = {"app_id": APP, "baseline": "v36", "candidate": "abc123"}
    made = admin.post(f"{API}/rollouts", order, idempotency_key="deploy 7")

    other = admin.post(f"{API}/rollouts", {**order, "app_id": "other"}, idempotency_key="deploy 7")
    elsewhere = admin.post(f"{API}/kill", order, idempotency_key="deploy 7")
    again = admin.post(f"{API}/rollouts", order, idempotency_key="deploy 7")

    assert problem(other) == problem(elsewhere) == (409, "idempotency-conflict")
    assert [each.id for each in list_rollouts(door.world.house)] == [made.json()["id"]]
    assert (again.status_code, again.content) == (201, made.content)


@pytest.mark.clause("SV-28")
def test_a_token_is_in_no_reply_that_is_kept(door: Served) -> None:
    """A key that is asked for twice by one idempotency key is made once, and shown without its token again."""
    admin = door.caller("admin")
    order = {"name": "ci", "allow": ["ci"]}

    made = admin.post(f"{API}/api-keys", order, idempotency_key="k")
    again = admin.post(f"{API}/api-keys", order, idempotency_key="k")

    token = made.json()["token"]
    assert token.startswith("rvk_")
    assert (again.status_code, again.json()) == (201, {**made.json(), "token": None})
    with door.world.house.store.reading() as seen:
        kept = seen.reply(f"{admin.token[:18]} k")
    assert kept is not None
    assert token.encode() not in kept.body


@pytest.mark.clause("SV-223")
def test_no_name_of_a_key_leads_to_the_reply_of_another(door: Served) -> None:
    """However its maker called it: a reply is found by the key's id, and so is it for a job by rule and claims."""
    owner, order = door.caller("admin"), {"name": "one", "allow": ["sdk"]}
    (key,) = list_keys(door.world.house)
    named = owner.post(f"{API}/api-keys", {"name": f"admin ({key.id}) b", "allow": ["admin"]}).json()
    other = Caller(door.http, named["token"])

    made = owner.post(f"{API}/api-keys", order, idempotency_key=f"b ({named['id']}) c")
    answer = other.post(f"{API}/api-keys", order, idempotency_key="c")

    assert (made.status_code, answer.status_code) == (201, 201)
    assert "idempotency-replayed" not in answer.headers
    assert answer.json()["id"] != made.json()["id"]


@pytest.mark.clause("SV-28")
def test_one_key_sent_at_once_has_one_effect(tmp_path: Path) -> None:
    """Of many equal calls at the same time one creates, kills and makes a key; all are answered the same."""
    here = World(sqlite_store(tmp_path), 1)
    calls = {
        f"{API}/rollouts": {"app_id": "web", "baseline": "v1", "candidate": "v2"},
        f"{API}/api-keys": {"name": "one", "allow": ["sdk"]},
        f"{API}/kill": {"reason": "harm"},
    }
    with served(here) as door, ThreadPoolExecutor(8) as pool:
        admin = door.caller("admin")
        for path, document in calls.items():
            tries = [pool.submit(admin.post, path, document, idempotency_key=path) for _ in range(8)]
            answers = [each.result() for each in tries]
            assert sum("idempotency-replayed" not in each.headers for each in answers) == 1
            assert len({each.status_code for each in answers}) == 1

    assert len(list_rollouts(here.house)) == 1
    assert [each.name for each in list_keys(here.house)] == ["admin", "one"]
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("SV-224")
@pytest.mark.parametrize("row", NOT_ONCE, ids=name_of)
def test_where_a_key_would_do_nothing_it_is_refused(shop: Served, row: Endpoint) -> None:
    """By 400, and nothing is done: nobody believes that what is asked for twice would be done once."""
    admin, path = shop.caller("admin"), path_of(shop, row)
    before = _entries(shop)

    answer = send_to(path, admin, row, idempotency_key="once")

    assert problem(answer) == (400, "invalid-call")
    assert "Idempotency-Key" in answer.json()["detail"]
    assert _entries(shop) == before


@pytest.mark.clause("SV-224")
def test_a_round_of_all_is_never_one_transaction(tmp_path: Path) -> None:
    """Whatever its headers say, it holds the store no longer than a part of it takes."""
    here = World(sqlite_store(tmp_path), 1)
    for number in range(MAX_TURNS + 1):
        created(here, app=f"app-{number}")
    with served(here) as door:
        admin = door.caller("admin")
        refused = [admin.post(ROUND, **{name: text}) for name, text in (("idempotency_key", "k"), ("if_match", '"1"'))]
        tree = admin.post(ROUND).json()

    assert [each.status_code for each in refused] == [400, 412]
    assert len(tree["rollouts"]) == MAX_TURNS + 1
