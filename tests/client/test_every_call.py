# SPDX-License-Identifier: Apache-2.0
"""The table of endpoints comes in; each that programs call is a method of the client, and says what it must."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lockgate.client import Client, ProblemError, answers
from lockgate.client.transport import API
from lockgate.server.table import ENDPOINTS
from tests.client.scripted import scripted
from tests.server.served import Served
from tests.spec.line import APP, EQUAL, created

TOKEN = "rvk_00000000000000000000000000_secret"  # noqa: S105 -- it opens nothing
PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "remote.md"
URL = "https://hooks.example.com/"
WHY = "why"
# What each call is answered here: enough for any method to return.
ANSWER: dict[str, object] = {"apps": [], "cursor": None, "recovered": 0} | dict.fromkeys(
    ("rollouts", "receipts", "keys", "webhooks", "deliveries", "releases"), ()
)
CALLS: dict[str, Callable[[Client], object]] = {
    "POST /rollouts": lambda on: on.create("a", "v2"),
    "GET /rollouts": lambda on: list(on.rollouts("a", status="active", candidate="v2", mode="canary")),
    "POST /rollouts/evaluate": lambda on: on.evaluate_all(),
    "GET /rollouts/{}": lambda on: on.rollout("x"),
    "GET /rollouts/{}/verdict": lambda on: on.verdict("x"),
    "GET /rollouts/{}/explain": lambda on: on.explain("x"),
    "POST /rollouts/{}/weight": lambda on: on.acknowledge("x", 5.0, revision=1),
    "POST /rollouts/{}/evaluate": lambda on: on.evaluate("x"),
    "POST /rollouts/{}/pause": lambda on: on.pause("x", WHY),
    "POST /rollouts/{}/resume": lambda on: on.resume("x", WHY),
    "POST /rollouts/{}/cancel": lambda on: on.cancel("x", WHY),
    "POST /rollouts/{}/approve": lambda on: on.approve("x", WHY, step=0, revision=1),
    "POST /rollouts/{}/promote": lambda on: on.promote("x", WHY, step=0, revision=1),
    "POST /rollouts/{}/rollback": lambda on: on.rollback("x", WHY),
    "POST /rollouts/{}/clear-alarm": lambda on: on.clear_alarm("x", WHY),
    "GET /rollouts/{}/receipts": lambda on: list(on.receipts("x")),
    "GET /rollouts/{}/receipts/{}": lambda on: on.receipt("x", 1),
    "GET /rollouts/{}/bundle": lambda on: on.bundle("x"),
    "POST /runs": lambda on: on.send_runs(b""),
    "GET /releases": lambda on: list(on.releases("a")),
    "POST /compare": lambda on: on.compare("a", "v2", baseline="v1", metrics=["error_rate"], since="2h"),
    "GET /apps": lambda on: list(on.apps()),
    "GET /apps/{}": lambda on: on.app("a"),
    "POST /apps/{}/freeze": lambda on: on.freeze("a", WHY),
    "POST /apps/{}/unfreeze": lambda on: on.unfreeze("a", WHY),
    "POST /apps/{}/kill": lambda on: on.kill("a", WHY),
    "POST /kill": lambda on: on.kill_all(WHY),
    "POST /freeze": lambda on: on.freeze_all(WHY),
    "POST /unfreeze": lambda on: on.unfreeze_all(WHY),
    "POST /api-keys": lambda on: on.create_key("n", ["ci"], apps=["a"], expires="30d"),
    "GET /api-keys": lambda on: list(on.keys()),
    "GET /api-keys/{}": lambda on: on.key("x"),
    "POST /api-keys/{}/revoke": lambda on: on.revoke_key("x"),
    "POST /webhooks": lambda on: on.create_webhook(URL),
    "GET /webhooks": lambda on: list(on.webhooks()),
    "GET /webhooks/{}": lambda on: on.webhook("x"),
    "PATCH /webhooks/{}": lambda on: on.change_webhook("x", is_active=False),
    "DELETE /webhooks/{}": lambda on: on.delete_webhook("x", reason=WHY),
    "POST /webhooks/{}/test": lambda on: on.test_webhook("x"),
    "POST /webhooks/{}/rotate": lambda on: on.rotate_webhook("x", grace=0),
    "GET /webhooks/{}/deliveries": lambda on: list(on.deliveries("x", state="dead")),
    "POST /webhooks/{}/deliveries/{}/redeliver": lambda on: on.redeliver("x", "m"),
    "POST /webhooks/{}/recover": lambda on: on.recover("x", since="2026-01-31T12:00:00Z"),
}
# What is answered as bytes, is for commands, imports files, or lends a CI job a key, which the client does by itself.
OF_OTHERS = re.compile(r"/(envelope|proof|screens/.*|log/.*|imports/runs|oidc/token)$")


@pytest.mark.clause("WH-312")
def test_each_endpoint_that_programs_call_is_a_method() -> None:
    """One that is added has to be one, or has to be said to be none."""
    known = {
        f"{each.method} {re.sub(r'{[^}]*}', '{}', each.path).removeprefix(API)}"
        for each in ENDPOINTS
        if each.path.startswith(API) and OF_OTHERS.search(each.path) is None
    }

    assert known == set(CALLS)


@pytest.mark.clause("WH-312")
def test_the_page_names_each_method() -> None:
    """And none that there is not."""
    rows = re.findall(r"^\| \w+ \| (`\w+`(?:, `\w+`)*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    named = [name.strip("`") for row in rows for name in row.split(", ")]

    assert sorted(named) == sorted(name for name in dir(Client) if not name.startswith("_") and name != "close")


@pytest.mark.clause("WH-312")
@pytest.mark.parametrize("called", CALLS)
def test_a_method_calls_its_endpoint(called: str) -> None:
    """By its method and path, and once."""
    method, path = called.split(" ")
    with scripted((200, {}, ANSWER)) as script, Client(script.url, TOKEN) as client:
        CALLS[called](client)

    ((asked, place, _, _),) = script.asked
    assert asked == method
    assert re.fullmatch(API + path.replace("{}", "[^/]+"), place.partition("?")[0])


@pytest.mark.clause("WH-312")
def test_a_webhook_lives_and_ends_by_the_client_alone(client: Client, door: Served) -> None:
    """Declared, tried, changed, rotated, sent to again and removed, each answered by its document."""
    made = client.create_webhook(URL, app_id=APP, events=["rollout.created"])
    rollout = client.create(APP, "abc123", baseline="v36", mode="canary", steps="5,100")
    tried = client.test_webhook(made["id"])
    waiting = list(client.deliveries(made["id"], state="due"))
    again = client.redeliver(made["id"], waiting[0]["id"])
    off = client.change_webhook(made["id"], is_active=False, reason="a pause")
    rotated = client.rotate_webhook(made["id"], grace="1h")

    assert tried["delivered"]
    assert [(each["event"], each["rollout_id"]) for each in waiting] == [("rollout.created", rollout["id"])]
    assert (again["id"], again["state"]) == (waiting[0]["id"], "due")
    assert (off["active"], client.webhook(made["id"])["active"]) == (False, False)
    assert rotated["secret"] not in (None, made["secret"])
    assert client.change_webhook(made["id"], is_active=True)["active"]
    assert client.recover(made["id"]) == 0
    assert [each["id"] for each in client.webhooks()] == [made["id"]]
    assert client.delete_webhook(made["id"])["id"] == made["id"]
    assert list(client.webhooks()) == []


@pytest.mark.clause("WH-312")
def test_a_key_lives_and_ends_by_the_client_alone(client: Client, door: Served) -> None:
    """Its token opens what it is for, until it is revoked."""
    made = client.create_key("sdk of web", ["sdk"], apps=[APP], expires="1h")
    with Client(str(door.http.base_url), made["token"]) as sdk:
        kept = sdk.send_runs([{"app_id": APP, "release": "v36", "status": "ok"}])
        revoked = client.revoke_key(made["id"])
        with pytest.raises(ProblemError) as raised:
            sdk.send_runs([{"app_id": APP, "release": "v36", "status": "error"}])

    assert kept["runs"] == 1
    assert raised.value.status == 401
    assert revoked["revoked_at"] == client.key(made["id"])["revoked_at"] is not None
    listed = list(client.keys())
    assert made["id"] in [each["id"] for each in listed]


@pytest.mark.clause("WH-312")
def test_what_is_kept_is_listed_compared_and_explained(client: Client, door: Served) -> None:
    """Rollouts by filter, releases, a comparison, and why a rollout holds."""
    rollout = created(door.world).rollout.id
    door.world.serve_both(APP, {"v36": 600, "abc123": 600}, EQUAL, minutes=2)
    door.world.clock.advance(120)
    listed = [
        [each["id"] for each in client.rollouts(**filters)]
        for filters in _filters({"candidate": "abc123"}, {"candidate": "x"}, {"status": "paused"}, {"mode": "canary"})
    ]
    compared = client.compare(APP, "abc123", baseline="v36", metrics=["error_rate"])
    frozen, free = client.freeze_all(WHY), client.unfreeze_all(WHY)

    assert listed == [[rollout], [], [], [rollout]]
    assert {each["name"]: each["runs"] for each in client.releases(APP)} == {"v36": 600, "abc123": 600}
    assert (compared["outcome"], compared["releases"]) == ("clean", {"v36": 600, "abc123": 600})
    assert client.explain(rollout)["parts"][0]["sentences"]
    assert ([each["frozen"] for each in frozen], [each["frozen"] for each in free]) == ([WHY], [None])
    assert client.app(APP)["release_count"] == 2


@pytest.mark.clause("WH-312")
def test_what_a_type_says_is_there_is_answered(client: Client, door: Served) -> None:
    """Each field, of every document that was not typed from the first."""
    rollout = created(door.world).rollout.id
    door.world.serve_both(APP, {"v36": 60, "abc123": 60}, EQUAL, minutes=2)
    made = client.create_webhook(URL)
    client.create(APP, "def456", baseline="v36", mode="canary", replace=True)
    found: list[tuple[Any, Any]] = [
        (client.explain(rollout), answers.Explanation),
        (client.explain(rollout)["parts"][0], answers.Part),
        (next(client.releases(APP)), answers.Release),
        (client.compare(APP, "abc123", baseline="v36", metrics=["error_rate"]), answers.Comparison),
        (client.app(APP), answers.Overview),
        (next(client.apps()), answers.Overview),
        (client.app(APP)["releases"][0], answers.SeenRelease),
        (client.create_key("n", ["ci"]), answers.MadeKey),
        (next(client.keys()), answers.Key),
        (client.revoke_key(client.create_key("gone", ["ci"])["id"]), answers.RevokedKey),
        (made, answers.MadeWebhook),
        (next(client.webhooks()), answers.Webhook),
        (client.test_webhook(made["id"]), answers.TriedWebhook),
        (next(client.deliveries(made["id"])), answers.Delivery),
    ]

    assert [(kind.__name__, kind.__required_keys__ - set(document)) for document, kind in found] == [
        (kind.__name__, set()) for _, kind in found
    ]


def _filters(*some: Any) -> tuple[Any, ...]:
    return some
