# SPDX-License-Identifier: Apache-2.0
"""Rollouts are created, fed, evaluated and stepped into over HTTP; what is answered is what the store holds."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest

from lockgate.operations.asking.queries import find_rollout, list_rollouts
from tests.server.served import API, NDJSON, Caller, Served, problem
from tests.spec.line import APP, EQUAL, WORSE

FLAT = {"app_id": APP, "baseline": "v36", "candidate": "abc123", "mode": "canary", "steps": "5,50,100", "min_runs": 30}


def create(caller: Caller, **fields: Any) -> str:
    """Return the id of a rollout that was just created."""
    answer = caller.post(f"{API}/rollouts", {**FLAT, **fields})
    assert answer.status_code == 201, answer.text
    name = answer.json()["id"]
    assert isinstance(name, str)
    return name


def traffic(door: Served, laws: dict[str, Any], minutes: int = 10) -> None:
    """Let runs of both releases come for some minutes."""
    door.world.serve_both(APP, {"v36": 600 * minutes, "abc123": 600 * minutes}, laws, minutes=minutes)
    door.world.clock.advance(60)


@pytest.mark.clause("SV-06")
def test_a_rollout_is_created_from_flat_fields_and_shown(admin: Caller, door: Served) -> None:
    """201 with its place, 200 for an equal one, and the policy is as if a file had said it."""
    made = admin.post(f"{API}/rollouts", FLAT)
    again = admin.post(f"{API}/rollouts", FLAT)
    other = {"app_id": APP, "baseline": "v36", "candidate": "abc123", "policy": {"mode": "canary", "steps": "5,50,100"}}
    same = admin.post(f"{API}/rollouts", {**other, "min_runs": 30})

    shown = admin.get(made.headers["location"])

    assert (made.status_code, again.status_code, same.status_code) == (201, 200, 200)
    assert made.json()["id"] == again.json()["id"] == same.json()["id"] == shown.json()["id"]
    assert (shown.json()["weight"], shown.headers["etag"]) == (5.0, '"1"')
    assert [rollout.id for rollout in list_rollouts(door.world.house)] == [made.json()["id"]]


@pytest.mark.clause("SV-06")
def test_lists_are_filtered_and_come_in_pages(admin: Caller) -> None:
    """Each rollout is on exactly one page, the oldest first, and filters hold on all of them."""
    ids = [create(admin, app_id=f"app{number}", mode="shadow") for number in range(5)]
    pages: list[list[str]] = []
    cursor: dict[str, str] = {}
    while len(pages) < 9:
        page = admin.get(f"{API}/rollouts", limit=2, **cursor).json()
        pages.append([each["id"] for each in page["rollouts"]])
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}

    assert pages == [ids[:2], ids[2:4], ids[4:]]
    assert [each["id"] for each in admin.get(f"{API}/rollouts", app_id="app3").json()["rollouts"]] == [ids[3]]
    assert admin.get(f"{API}/rollouts", mode="canary").json()["rollouts"] == []


@pytest.mark.clause("SV-06")
def test_a_cursor_of_another_organisation_is_refused(admin: Caller, door: Served) -> None:
    """It is answered as one that never was."""
    theirs = create(door.caller("admin", org="acme"))

    assert problem(admin.get(f"{API}/rollouts", cursor=theirs)) == (400, "cursor-of-another-list")


@pytest.mark.clause("SV-07")
def test_an_evaluation_that_rolls_back_is_answered_by_422(admin: Caller, door: Served) -> None:
    """With the body that 200 has; the next one finds it rolled back and is 200, and so is the verdict for pollers."""
    name = create(admin)
    traffic(door, WORSE)

    turn = admin.post(f"{API}/rollouts/{name}/evaluate")
    later = admin.post(f"{API}/rollouts/{name}/evaluate")
    polled = admin.get(f"{API}/rollouts/{name}/verdict")

    assert turn.status_code == 422, turn.text
    assert turn.headers["content-type"] == "application/json"
    document = turn.json()
    assert (document["status"], document["weight"], document["terminal"]) == ("rolled_back", 0.0, True)
    assert document["decision"]["action"] == "rollback"
    assert document["verdict"]["outcome"] == "regressed"
    assert (later.status_code, later.json()["status"]) == (200, "rolled_back")
    assert (polled.status_code, polled.json()["verdict"]["outcome"]) == (200, "regressed")


@pytest.mark.clause("SV-1043")
@pytest.mark.parametrize("mode", ["canary", "shadow"])
def test_a_verdict_exposes_nothing_that_is_advice(admin: Caller, door: Served, mode: str) -> None:
    """`weight` is what to set, 0 of a shadow, which says what it would be; what has ended, its decision says too."""
    name, is_shadow = create(admin, mode=mode), mode == "shadow"
    path = f"{API}/rollouts/{name}"

    begun = admin.get(f"{path}/verdict").json()
    traffic(door, WORSE)
    due = admin.get(f"{path}/verdict").json()
    admin.post(f"{path}/evaluate")
    ended = admin.get(f"{path}/verdict").json()
    whole = admin.get(path).json()

    for said, asked, status in ((begun, 5.0, "active"), (due, 5.0, "active"), (ended, 0.0, "rolled_back")):
        shown = 0.0 if is_shadow else asked
        assert (said["mode"], said["advisory"], said["status"]) == (mode, is_shadow, status)
        assert (said["weight"], said["exposed_weight"]) == (shown, shown)
        assert said["would_be_weight"] == (asked if is_shadow else None)
    assert all(whole[name] == ended[name] for name in ("exposed_weight", "would_be_weight"))
    assert (due["terminal"], due["decision"]["action"], due["decision"]["terminal"]) == (False, "rollback", True)
    assert (ended["terminal"], ended["decision"]["action"], ended["decision"]["terminal"]) == (True, "hold", True)
    assert (begun["terminal"], begun["decision"]["terminal"]) == (False, False)


@pytest.mark.clause("SV-07")
def test_in_shadow_mode_an_evaluation_is_always_200(admin: Caller, door: Served) -> None:
    """`would` says what a canary would have done."""
    name = create(admin, mode="shadow")
    traffic(door, WORSE)

    turn = admin.post(f"{API}/rollouts/{name}/evaluate")

    assert (turn.status_code, turn.json()["would"]) == (200, "rollback")


@pytest.mark.clause("SV-08")
def test_the_same_idempotency_key_takes_one_turn(admin: Caller, door: Served) -> None:
    """Status and body are byte for byte those of the first call, whatever came between."""
    name = create(admin)
    traffic(door, WORSE)

    first = admin.post(f"{API}/rollouts/{name}/evaluate", idempotency_key="turn 1")
    door.world.clock.advance(3_600)
    again = admin.post(f"{API}/rollouts/{name}/evaluate", idempotency_key="turn 1")

    assert (first.status_code, again.status_code) == (422, 422)
    assert first.content == again.content
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")


@pytest.mark.clause("SV-08")
def test_a_promotion_is_not_taken_twice_by_one_key(admin: Caller, door: Served) -> None:
    """A client that lost the answer and calls again moves nothing."""
    name = create(admin)
    traffic(door, EQUAL)
    first = admin.post(f"{API}/rollouts/{name}/evaluate", idempotency_key="a")
    traffic(door, EQUAL)

    again = admin.post(f"{API}/rollouts/{name}/evaluate", idempotency_key="a")

    assert first.json()["step"] == again.json()["step"] == find_rollout(name, door.world.house).step == 1
    assert admin.post(f"{API}/rollouts/{name}/evaluate", idempotency_key="b").json()["step"] == 2


@pytest.mark.clause("SV-08")
def test_an_idempotency_key_is_of_one_call_and_one_caller(admin: Caller, door: Served) -> None:
    """Another rollout by the same key is a conflict; another caller's same key is its own; after a day it is free."""
    name, other = create(admin), create(admin, app_id="other")
    admin.post(f"{API}/rollouts/{name}/evaluate", idempotency_key="a")

    conflict = admin.post(f"{API}/rollouts/{other}/evaluate", idempotency_key="a")
    somebody = door.caller("admin").post(f"{API}/rollouts/{other}/evaluate", idempotency_key="a")
    overlong = admin.post(f"{API}/rollouts/{other}/evaluate", idempotency_key="a" * 256)
    door.world.clock.advance(25 * 3_600)
    tomorrow = admin.post(f"{API}/rollouts/{other}/evaluate", idempotency_key="a")

    assert problem(conflict) == (409, "idempotency-conflict")
    assert (somebody.status_code, tomorrow.status_code) == (200, 200)
    assert "idempotency-replayed" not in tomorrow.headers
    assert problem(overlong) == (400, "invalid-call")


@pytest.mark.clause("SV-07")
def test_all_are_evaluated_at_once_and_each_is_answered(admin: Caller, door: Served) -> None:
    """200 with one result of each, also where one of them rolled back; a key of one app turns only its own."""
    bad, fine = create(admin), create(admin, app_id="other")
    traffic(door, WORSE)

    narrow = door.caller("ci", apps=["other"]).post(f"{API}/rollouts/evaluate")
    whole = admin.post(f"{API}/rollouts/evaluate")

    assert [each["id"] for each in narrow.json()["rollouts"]] == [fine]
    assert whole.status_code == 200
    assert {each["id"]: each["status"] for each in whole.json()["rollouts"]} == {bad: "rolled_back", fine: "active"}
    assert whole.json()["problems"] == []


@pytest.mark.clause("SV-09")
def test_operators_step_in_with_a_reason_and_are_named_by_their_key(admin: Caller, door: Served) -> None:
    """The receipt names the key; without a reason, or of a step that has gone, nothing is done."""
    name = create(admin)
    place = f"{API}/rollouts/{name}"

    assert problem(admin.post(f"{place}/pause")) == (400, "invalid-call")
    assert admin.post(f"{place}/pause", {"reason": "look"}).json()["status"] == "paused"
    assert admin.post(f"{place}/resume", {"reason": "fine"}).json()["status"] == "active"
    stale = admin.post(f"{place}/promote", {"reason": "go", "step": 0, "revision": 1})
    assert problem(stale) == (409, "conflict")
    moved = admin.post(f"{place}/promote", {"reason": "go", "step": 0, "revision": 3})
    assert (moved.status_code, moved.json()["weight"], moved.headers["etag"]) == (200, 50.0, '"4"')
    gone = admin.post(f"{place}/rollback", {"reason": "no"})
    assert (gone.status_code, gone.json()["status"]) == (200, "rolled_back")

    listed = admin.get(f"{place}/receipts", limit=3).json()
    rest = admin.get(f"{place}/receipts", cursor=listed["cursor"]).json()
    signed = admin.get(f"{place}/receipts/5").json()
    assert [each["action"] for each in [*listed["receipts"], *rest["receipts"]]][-1] == "rollback"
    assert signed["proof"].startswith("c2sp.org/tlog-proof")
    actor = json.loads(b64decode(signed["receipt"]["payload"]))["predicate"]["actor"]
    assert actor["type"] == "key"
    assert admin.token[:18] in actor["name"]
    assert admin.token not in json.dumps(signed)


@pytest.mark.clause("SV-09")
def test_apps_are_frozen_and_killed(admin: Caller) -> None:
    """A frozen app starts nothing, and says why; a kill rolls back what is on trial."""
    name = create(admin)

    frozen = admin.post(f"{API}/apps/{APP}/freeze", {"reason": "incident"}).json()
    refused = admin.post(f"{API}/rollouts", {**FLAT, "candidate": "next"})
    killed = admin.post(f"{API}/apps/{APP}/kill", {"reason": "harm"}).json()

    assert (frozen["frozen"], killed["killed"]) == ("incident", True)
    assert problem(refused) == (409, "refused")
    assert "incident" in refused.json()["detail"]
    assert admin.get(f"{API}/rollouts/{name}").json()["status"] == "rolled_back"
    assert admin.get(f"{API}/apps/{APP}").json()["active"] == []
    assert admin.post(f"{API}/apps/{APP}/unfreeze", {"reason": "over"}).json()["frozen"] is None
    assert [each["app"] for each in admin.post(f"{API}/kill", {"reason": "all"}).json()["apps"]] == [APP]


@pytest.mark.clause("SV-10")
def test_runs_join_the_bucket_that_is_open_and_count_once(admin: Caller, door: Served) -> None:
    """The same bytes again change nothing, and what an app's key sends for another app keeps nothing."""
    lines = "\n".join(json.dumps({"release": "v36", "run_id": str(n), "status": "ok"}) for n in range(5))
    sdk = door.caller("sdk", apps=[APP])

    first = sdk.call("POST", f"{API}/runs", NDJSON, content=lines, params={"app_id": APP})
    again = sdk.call("POST", f"{API}/runs", NDJSON, content=lines, params={"app_id": APP})
    foreign = sdk.call("POST", f"{API}/runs", NDJSON, content=lines, params={"app_id": "other"})

    assert (first.json()["runs"], first.json()["repeated"], first.json()["apps"]) == (5, False, {APP: 5})
    assert again.json()["repeated"] is True
    assert problem(foreign) == (403, "app-not-of-key")
    assert [each["app"] for each in admin.get(f"{API}/apps").json()["apps"]] == [APP]
