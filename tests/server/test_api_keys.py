# SPDX-License-Identifier: Apache-2.0
"""Calls about keys come in; a key makes, shows and revokes what reaches no further than itself."""

from __future__ import annotations

import pytest

from lockgate.cli import main
from lockgate.operations.access.api_keys import list_keys
from lockgate.operations.access.authenticate import authenticate
from tests.server.served import API, Caller, Served, problem
from tests.spec.line import APP

KEYS = f"{API}/api-keys"
SDK = {"name": "shop", "allow": ["sdk"]}


def _ids(caller: Caller) -> list[str]:
    return [each["id"] for each in caller.get(KEYS).json()["keys"]]


@pytest.mark.clause("SV-20")
def test_a_key_that_is_made_opens_what_it_says(admin: Caller, door: Served) -> None:
    """201 with its place and a token that no later answer shows; it is of the caller's organisation, and expires."""
    made = admin.post(KEYS, {**SDK, "apps": [APP], "expires": "2h"})
    token = made.json()["token"]
    key = authenticate(token, door.world.house.store, door.world.clock)
    shown = admin.get(made.headers["location"])

    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    assert (key.permissions, key.apps, key.org) == (("run.write",), (APP,), "default")
    assert key.created_by is not None
    assert admin.token[:18] in key.created_by
    assert key.expires_at - key.created_at == 7_200_000
    assert {**shown.json(), "token": token} == made.json()
    assert token not in shown.text + admin.get(KEYS).text
    door.world.clock.advance(7_200)
    assert problem(Caller(door.http, token).post(f"{API}/kill")) == (401, "key-expired")


@pytest.mark.clause("SV-20")
@pytest.mark.parametrize(
    ("given", "apps", "wanted", "kind"),
    [
        (["key.manage"], (), {"allow": ["rollout.read"]}, "permission-missing"),
        (["key.manage", "operator"], (), {"allow": ["admin"]}, "permission-missing"),
        (["admin"], ("a",), {"allow": ["sdk"]}, "app-not-of-key"),
        (["admin"], ("a",), {"allow": ["sdk"], "apps": ["a", "b"]}, "app-not-of-key"),
    ],
)
def test_no_key_gives_more_than_it_has(
    door: Served, given: list[str], apps: tuple[str, ...], wanted: dict[str, object], kind: str
) -> None:
    """Neither a permission nor an app that it is not for: 403, and none is made."""
    caller = door.caller(*given, apps=apps)

    answer = caller.post(KEYS, {"name": "more", **wanted})

    assert problem(answer) == (403, kind)
    assert [each.name for each in list_keys(door.world.house)] == ["+".join(given)]


@pytest.mark.clause("SV-20")
def test_what_is_included_in_a_permission_may_be_given(door: Served) -> None:
    """A key that manages rollouts, and keys, makes one that only reads, for its own apps."""
    caller = door.caller("key.manage", "ci", apps=["a", "b"])

    assert caller.post(KEYS, {"name": "reader", "allow": ["viewer", "weight.write"], "apps": ["b"]}).status_code == 201


@pytest.mark.clause("SV-20")
def test_a_key_sees_and_revokes_what_reaches_no_further_than_itself(admin: Caller, door: Served) -> None:
    """What is for other apps, or of another organisation, is not there; what allows more is seen and stays."""
    narrow = door.caller("key.manage", "sdk", apps=["a"])
    same, more = door.key("sdk", apps=["a"]).key.id, door.key("ci", apps=["a"]).key.id
    wide, other = door.key("sdk").key.id, door.key("sdk", apps=["b"]).key.id
    theirs = door.key("sdk", org="acme").key.id

    assert _ids(narrow) == [narrow.token[:18], same, more]
    assert problem(narrow.post(f"{KEYS}/{more}/revoke")) == (403, "permission-missing")
    for each in (wide, other, theirs, "rvk_none"):
        assert problem(narrow.post(f"{KEYS}/{each}/revoke")) == (404, "not-found")
        assert problem(narrow.get(f"{KEYS}/{each}")) == (404, "not-found")
    assert problem(admin.post(f"{KEYS}/{theirs}/revoke")) == (404, "not-found")
    assert narrow.post(f"{KEYS}/{same}/revoke").json()["revoked_at"] is not None
    assert [each.id for each in list_keys(door.world.house) if each.revoked_at] == [same]


@pytest.mark.clause("SV-21")
def test_a_revoked_key_opens_nothing_from_the_next_call_on(admin: Caller, door: Served) -> None:
    """Also the one that revokes itself; once more changes nothing."""
    caller = door.caller("admin")
    place = f"{KEYS}/{caller.token[:18]}/revoke"

    first, again = caller.post(place), caller.post(place)

    assert first.status_code == 200
    assert problem(again) == (401, "key-revoked")
    assert admin.post(place).json() == first.json()


@pytest.mark.clause("SV-20")
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"allow": ["sdk"]},
        {**SDK, "allow": []},
        {**SDK, "allow": "sdk"},
        {**SDK, "allow": ["root"]},
        {**SDK, "name": "\n"},
        {**SDK, "name": "x" * 101},
        {**SDK, "apps": ["a b"]},
        {**SDK, "apps": [7]},
        {**SDK, "expires": 0},
        {**SDK, "expires": "400d"},
        {**SDK, "expires": True},
        {**SDK, "digest": "00"},
        {**SDK, "org": "acme"},
    ],
)
def test_an_order_that_cannot_be_meant_makes_no_key(admin: Caller, door: Served, body: dict[str, object]) -> None:
    """400, and says what to send."""
    answer = admin.post(KEYS, body)

    assert problem(answer) in ((400, "invalid-call"), (400, "unknown-field"))
    assert answer.json()["advice"]
    assert len(list_keys(door.world.house)) == 1


@pytest.mark.clause("SV-20", "SV-26")
def test_keys_come_in_pages(admin: Caller, door: Served) -> None:
    """The oldest first, each on one page."""
    made = [door.key("sdk").key.id for _ in range(3)]

    page = admin.get(KEYS, limit=3).json()
    rest = admin.get(KEYS, limit=3, cursor=page["cursor"]).json()

    assert [each["id"] for each in [*page["keys"], *rest["keys"]]] == [admin.token[:18], *made]
    assert rest["cursor"] is None


@pytest.mark.clause("SV-252")
def test_a_key_does_not_outlive_the_one_that_made_it(door: Served) -> None:
    """Whatever life it asks for, and what it makes in turn ends then too."""
    short = door.key("admin", life_s=60)
    child = Caller(door.http, short.token).post(KEYS, {"name": "b", "allow": ["admin"], "expires": "366d"}).json()
    door.world.clock.advance(30)
    grandchild = Caller(door.http, child["token"]).post(KEYS, {"name": "c", "allow": ["sdk"]}).json()

    found = {each.name: each.expires_at for each in list_keys(door.world.house)}

    assert found == dict.fromkeys(("admin", "b", "c"), short.key.expires_at)
    door.world.clock.advance(30)
    tokens = (child["token"], grandchild["token"])
    assert [problem(Caller(door.http, each).get(KEYS))[0] for each in tokens] == [401, 401]


@pytest.mark.clause("SV-252")
def test_who_revokes_a_key_is_told_what_it_has_made(
    admin: Caller, door: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those open something still, and are not revoked with it."""
    maker = door.key("admin")
    made = Caller(door.http, maker.token).post(KEYS, SDK).json()
    monkeypatch.setenv("LOCKGATE_URL", str(door.http.base_url))
    monkeypatch.setenv("LOCKGATE_API_KEY", admin.token)

    code = main.run(["keys", "revoke", maker.key.id])

    assert code == 0
    assert f"{made['id']}: made by it, and not revoked with it" in capsys.readouterr().err
    assert Caller(door.http, made["token"]).post(f"{API}/runs").status_code != 401
