# SPDX-License-Identifier: Apache-2.0
"""Receivers of messages are managed over HTTP by those who may; no secret is told twice: docs/spec.md, Webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lockgate.core.delivery import Carried
from lockgate.core.endpoint import Kind
from lockgate.core.webhook_url import refused
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.webhooks.deliver import deliver
from lockgate.testing.recipients import Recipients
from tests.server.served import Caller, Served, problem, served
from tests.spec.line import APP, created, world
from tests.spec.operators import ANN
from tests.spec.routing import EVERYTHING
from tests.spec.webhooked import sender

WEBHOOKS = "/api/v1/webhooks"
URL = "https://hooks.example.com/lockgate"


@pytest.fixture
def receivers() -> Recipients:
    """Return receivers in memory."""
    return Recipients()


@pytest.fixture
def door(receivers: Recipients) -> Iterator[Served]:
    """Return a server that sends to them."""
    with served(world(), receivers=receivers) as opened:
        yield opened


@pytest.fixture
def admin(door: Served) -> Caller:
    """Return who may do everything."""
    return door.caller("admin")


def made(caller: Caller, **fields: object) -> dict[str, object]:
    """Declare a webhook."""
    answer = caller.post(WEBHOOKS, {"url": URL, **fields})
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    assert answer.headers["location"] == f"{WEBHOOKS}/{found['id']}"
    return found


@pytest.mark.clause("WH-40", "WH-01")
def test_a_secret_is_in_the_one_answer_that_makes_it(admin: Caller) -> None:
    """No cache may keep it; whoever asks later reads everything else."""
    answer = admin.post(WEBHOOKS, {"url": URL, "app_id": APP, "events": ["rollout.rollback"], "format": "cloudevents"})
    one = answer.json()
    rotated = admin.post(f"{WEBHOOKS}/{one['id']}/rotate", {"grace": "1h"})

    shown, listed = admin.get(f"{WEBHOOKS}/{one['id']}").json(), admin.get(WEBHOOKS).json()["webhooks"]

    secrets = [one.pop("secret"), rotated.json().pop("secret")]
    assert len(set(secrets)) == 2
    assert all(str(each).startswith("whsec_") for each in secrets)
    assert {answer.headers["cache-control"], rotated.headers["cache-control"]} == {"no-store"}
    assert listed == [shown]
    assert {name: shown[name] for name in ("url", "app_id", "events", "format", "active")} == {
        "url": URL,
        "app_id": APP,
        "events": ["rollout.rollback"],
        "format": "cloudevents",
        "active": True,
    }
    assert "whsec_" not in str(shown)
    assert "secret" not in shown


class Nowhere(Recipients):
    """Receivers whose names nobody finds."""

    def check(self, url: str, org: str) -> None:
        """Refuse every URL."""
        raise refused(f"{url} of {org} cannot be found")


@pytest.mark.clause("WH-45")
def test_a_receiver_that_is_declared_again_by_one_key_is_one(door: Served, admin: Caller) -> None:
    """By the same answer, without its secret, also when its name is not found any more; another key is another one."""
    order = {"url": URL, "app_id": APP}
    first = admin.post(WEBHOOKS, order, idempotency_key="hook")
    with served(door.world, receivers=Nowhere()) as later:
        caller = Caller(later.http, admin.token)
        again = caller.post(WEBHOOKS, order, idempotency_key="hook")
        other = caller.post(WEBHOOKS, order, idempotency_key="other")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == {**first.json(), "secret": None}
    assert problem(other) == (400, "webhook-url-refused")
    assert len(admin.get(WEBHOOKS).json()["webhooks"]) == 1
    with door.world.house.store.reading() as seen:
        kept = seen.reply(f"{admin.token[:18]} hook")
    assert kept is not None
    assert first.json()["secret"].encode() not in kept.body


@pytest.mark.clause("WH-40")
def test_it_is_changed_tried_and_removed(door: Served, admin: Caller, receivers: Recipients) -> None:
    """Each answer is the webhook as it stands, or what the trial came to by 200."""
    place = f"{WEBHOOKS}/{made(admin)['id']}"
    receivers.answers = [Carried(fault="hooks.example.com answered 500", code=500)]

    tried = [admin.post(f"{place}/test").json() for _ in range(2)]
    changed = admin.call("PATCH", place, json={"events": ["rollout.rollback"], "active": False}).json()
    again = admin.call("PATCH", place, json={"active": True, "reason": "it is back"}).json()
    removed = admin.call("DELETE", place)

    assert [(each["delivered"], each["code"]) for each in tried] == [(False, 500), (True, 200)]
    assert (changed["events"], changed["active"], changed["disabled"]) == (
        ["rollout.rollback"],
        False,
        "disabled by hand",
    )
    assert (again["active"], again["disabled"], removed.status_code) == (True, None, 200)
    assert problem(admin.get(place)) == (404, "not-found")


@pytest.mark.clause("WH-40")
def test_what_was_sent_is_listed_and_sent_again(door: Served, admin: Caller, receivers: Recipients) -> None:
    """By state and in pages, with each attempt; one message, or all that was given up."""
    place = f"{WEBHOOKS}/{made(admin)['id']}"
    receivers.answers = [Carried(fault="hooks.example.com answered 503", code=503, output="later")]
    rollback(created(door.world).rollout.id, ANN, door.world.house)
    deliver(door.world.house, {Kind.WEBHOOK: receivers}, EVERYTHING)

    listed = admin.get(f"{place}/deliveries").json()["deliveries"]
    first = admin.get(f"{place}/deliveries", state="due", limit=1).json()
    due = admin.get(f"{place}/deliveries", state="due", limit=1, cursor=first["cursor"]).json()
    again = admin.post(f"{place}/deliveries/{listed[0]['id']}/redeliver").json()
    recovered = admin.call("POST", f"{place}/recover", params={"since": "2026-01-31T12:00:00Z"}, json={}).json()

    assert [each["event"] for each in listed] == ["rollout.completed", "rollout.rollback", "rollout.created"]
    assert [each["event"] for each in (*first["deliveries"], *due["deliveries"])] == [
        "rollout.completed",
        "rollout.rollback",
    ]
    assert due["cursor"] is None
    (tried,) = due["deliveries"][0]["tries"]
    assert (tried["code"], tried["error"], due["deliveries"][0]["answer"]) == (
        503,
        "hooks.example.com answered 503",
        "later",
    )
    assert (again["id"], again["state"], recovered) == (listed[0]["id"], "due", {"recovered": 0})


@pytest.mark.clause("WH-40")
def test_pages_of_deliveries_have_each_once_while_more_is_told(door: Served, admin: Caller) -> None:
    """What is told between two pages is on neither; whoever begins anew finds it first."""
    place = f"{WEBHOOKS}/{made(admin)['id']}/deliveries"
    for number in range(5):
        created(door.world, app=f"app-{number}")

    found, page = [], admin.get(place, limit=2).json()
    created(door.world, app="app-5")
    while page["cursor"] is not None:
        found += page["deliveries"]
        page = admin.get(place, limit=2, cursor=page["cursor"]).json()
    found += page["deliveries"]

    assert [each["app_id"] for each in found] == [f"app-{number}" for number in (4, 3, 2, 1, 0)]
    assert admin.get(place, limit=1).json()["deliveries"][0]["app_id"] == "app-5"


@pytest.mark.clause("WH-21", "WH-40")
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"url": "http://hooks.example.com/"}, "webhook-url-refused"),
        ({"url": "https://127.0.0.1/"}, "webhook-url-refused"),
        ({"url": "https://a:b@hooks.example.com/"}, "webhook-url-refused"),
        ({"url": "https://hooks.example.com/\r\nX: y"}, "webhook-url-refused"),
        ({"url": "https://2130706433/"}, "webhook-url-refused"),
        ({}, "invalid-call"),
        ({"url": URL, "events": []}, "invalid-call"),
        ({"url": URL, "events": ["rollout.nothing"]}, "invalid-call"),
        ({"url": URL, "events": "rollout.rollback"}, "invalid-call"),
        ({"url": URL, "format": "xml"}, "invalid-call"),
        ({"url": URL, "hub_header": 1}, "invalid-call"),
        ({"url": URL, "app_id": "a b"}, "invalid-call"),
        ({"url": URL, "secret": "whsec_mine"}, "unknown-field"),
    ],
)
def test_what_cannot_be_meant_is_a_problem_and_leaves_nothing(
    admin: Caller, body: dict[str, object], kind: str
) -> None:
    """With its own type where it is the URL."""
    assert problem(admin.post(WEBHOOKS, body)) == (400, kind)
    assert admin.get(WEBHOOKS).json()["webhooks"] == []


@pytest.mark.clause("WH-21")
def test_the_refusal_names_the_setting(door: Served, admin: Caller) -> None:
    """Whoever has a private receiver reads what to set."""
    refused = admin.post(WEBHOOKS, {"url": "https://10.0.0.1/"}).json()

    assert "LOCKGATE_WEBHOOK_ALLOW" in refused["advice"]
    assert "10.0.0.1" in refused["detail"]


@pytest.mark.clause("WH-40")
def test_a_key_for_some_apps_manages_webhooks_of_these_alone(door: Served, admin: Caller) -> None:
    """Another's is not there, one of every app is not to be made, and the list leaves both out."""
    mine, other, every = (made(admin, **fields) for fields in ({"app_id": APP}, {"app_id": "other-app"}, {}))
    narrow = door.caller("operator", apps=[APP])

    assert problem(narrow.post(WEBHOOKS, {"url": URL})) == (403, "app-not-of-key")
    assert problem(narrow.post(WEBHOOKS, {"url": URL, "app_id": "other-app"})) == (403, "app-not-of-key")
    assert [each["id"] for each in narrow.get(WEBHOOKS).json()["webhooks"]] == [mine["id"]]
    for each in (other, every):
        place = f"{WEBHOOKS}/{each['id']}"
        calls = [narrow.get(place), narrow.get(f"{place}/deliveries"), narrow.post(f"{place}/test")]
        calls += [narrow.call("DELETE", place), narrow.call("PATCH", place, json={"active": False})]
        assert {problem(answer) for answer in calls} == {(404, "not-found")}
    assert narrow.get(f"{WEBHOOKS}/{mine['id']}").status_code == 200


@pytest.mark.clause("WH-03", "WH-40")
def test_a_second_rotation_is_a_conflict_unless_it_is_forced(admin: Caller) -> None:
    """The grace that is open goes on as it was."""
    place = f"{WEBHOOKS}/{made(admin)['id']}"
    first = admin.post(f"{place}/rotate").json()

    conflict, forced = admin.post(f"{place}/rotate"), admin.post(f"{place}/rotate", {"force": True, "grace": 0})

    assert problem(conflict) == (409, "conflict")
    assert first["old_secret_until"] is not None
    assert forced.json()["old_secret_until"] is None


@pytest.mark.clause("WH-23", "WH-40")
def test_a_name_that_leads_inside_is_refused_when_it_is_declared(tmp_path: Path) -> None:
    """By the server's own resolver, and nothing is stored."""
    here = world()
    with served(here, receivers=sender(here, tmp_path)) as opened:
        caller = opened.caller("admin")
        refused = caller.post(WEBHOOKS, {"url": "https://nobody.invalid/"})
        listed = caller.get(WEBHOOKS).json()["webhooks"]

    assert problem(refused) == (400, "webhook-url-refused")
    assert listed == []
