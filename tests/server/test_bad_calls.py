# SPDX-License-Identifier: Apache-2.0
"""Calls that cannot be meant come in; each is answered by a problem of its own type, and nothing is stored."""

from __future__ import annotations

from typing import Any

import pytest

from lockgate.core.api_key import DIGITS, ID_BYTES, ID_DIGITS, PREFIX, token_of
from lockgate.operations.access.revoke_key import revoke_key
from lockgate.operations.asking.overview import overview
from lockgate.operations.intake.ingest import MAX_RUNS
from lockgate.server.problem import KINDS, TYPES
from lockgate.server.table import ENDPOINTS, MAX_BODY
from tests.server.served import API, NDJSON, Caller, Served, problem, served
from tests.spec.line import APP, world

JSON = {"content-type": "application/json"}
ROLLOUTS = f"{API}/rollouts"
RUN = b'{"app_id": "web", "release": "v1", "status": "ok"}\n'
GOOD = b'{"app_id": "web", "baseline": "v1", "candidate": "v2"'
BODIES: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{", "invalid-data"),
    "an array": (b"[]", "invalid-data"),
    "another encoding": ('{"app_id": "\xe9"}'.encode("latin-1"), "invalid-data"),
    "a name twice": (b'{"app_id": "a", "app_id": "b"}', "invalid-data"),
    "no number": (b'{"min_runs": NaN}', "invalid-data"),
    "a number without end": (b'{"min_runs": ' + b"9" * 5_000 + b"}", "invalid-data"),
    "a depth without end": (b'{"policy":' * 50_000, "invalid-data"),
    "an unknown field": (GOOD + b', "candidat": "v3"}', "unknown-field"),
    "a program to run": (GOOD + b', "actuator": "rm -rf /"}', "unknown-field"),
    "no candidate": (b'{"app_id": "web"}', "invalid-call"),
    "no text": (b'{"app_id": 7}', "invalid-call"),
    "an app that is no name": (b'{"app_id": "a b", "baseline": "v1", "candidate": "v2"}', "invalid-call"),
    "a ramp that falls": (GOOD + b', "steps": "50,5,100"}', "invalid-data"),
    "a policy that is none": (GOOD + b', "policy": []}', "invalid-call"),
    "a link that is none": (GOOD + b', "links": {"ci": "javascript:1"}}', "invalid-call"),
    "a past without end": (GOOD + b', "since": 1e99}', "invalid-call"),
    "a negative past": (GOOD + b', "since": -1}', "invalid-call"),
    "a word for a truth": (GOOD + b', "replace": "yes"}', "invalid-call"),
}


@pytest.mark.clause("SV-11")
@pytest.mark.parametrize("case", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_cannot_be_meant_creates_nothing(admin: Caller, door: Served, case: tuple[bytes, str]) -> None:
    """It is 400, says what is wrong, and what to do."""
    body, kind = case

    answer = admin.call("POST", ROLLOUTS, JSON, content=body)

    assert problem(answer) == (400, kind), answer.text
    assert answer.json()["advice"]
    assert overview(door.world.house) == ()


@pytest.mark.clause("SV-11")
def test_a_body_of_another_kind_or_size_is_not_read(admin: Caller, door: Served) -> None:
    """Neither what a form sends nor more than the path takes, declared or not."""
    line = b'{"app_id": "web", "release": "v1", "status": "ok"}\n'
    large = line * (MAX_BODY // len(line) + 2)

    kinds = [
        problem(admin.call("POST", ROLLOUTS, {"content-type": "text/plain"}, content=GOOD + b"}")),
        problem(admin.call("POST", f"{API}/runs", {"content-type": "application/json"}, content=line)),
        problem(admin.call("POST", ROLLOUTS, JSON, content=large)),
        problem(admin.call("POST", ROLLOUTS, JSON, content=iter([large[:MAX_BODY], large[MAX_BODY:]]))),
    ]

    assert kinds == [(415, "media-type")] * 2 + [(413, "body-too-large")] * 2
    assert overview(door.world.house) == ()


@pytest.mark.clause("SV-11")
@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "\u0663"},
        {"active": "yes"},
        {"aktiv": "true"},
        {"mode": "Canary"},
        {"status": "Active"},
    ],
)
def test_a_query_that_cannot_be_meant_is_refused(admin: Caller, query: dict[str, Any]) -> None:
    """It is 400 rather than answered as if it had said something else."""
    kind = "unknown-field" if "aktiv" in query else "invalid-call"

    assert problem(admin.get(ROLLOUTS, **query)) == (400, kind)


@pytest.mark.clause("SV-11")
def test_runs_that_are_malformed_keep_none_of_their_batch(admin: Caller, door: Served) -> None:
    """The line is named."""
    body = b'{"app_id": "web", "release": "v1", "status": "ok"}\n{"app_id": "web"}\n'

    answer = admin.call("POST", f"{API}/runs", NDJSON, content=body)
    empty = admin.call("POST", f"{API}/runs", NDJSON, content=b"")

    assert problem(answer) == problem(empty) == (400, "invalid-data")
    assert ":2" in answer.json()["detail"]
    assert overview(door.world.house) == ()


@pytest.mark.clause("SV-11")
def test_a_path_that_is_not_there_and_a_method_that_is_not(admin: Caller) -> None:
    """404 and 405 are problems too, and the latter says which methods there are."""
    other = admin.call("PUT", ROLLOUTS)

    assert problem(admin.get(f"{API}/nothing")) == (404, "not-found")
    assert problem(admin.get(f"{ROLLOUTS}/rol_x/receipts/x")) == (404, "not-found")
    assert problem(other) == (405, "method-not-allowed")
    assert {"GET", "POST"} <= set(other.headers["allow"].split(", "))


@pytest.mark.clause("SV-12")
def test_an_open_server_answers_this_machine_and_no_page_of_elsewhere() -> None:
    """No key is needed; a request that names another host, or comes from a page of one, is refused."""
    with served(world(), is_open=True) as door:
        made = door.http.post(ROLLOUTS, json={"app_id": APP, "baseline": "v1", "candidate": "v2"})
        rebound = door.http.get(ROLLOUTS, headers={"host": "evil.example"})
        page = door.http.get(ROLLOUTS, headers={"origin": "http://evil.example"})
        torn = door.http.get(ROLLOUTS, headers={"origin": "http://["})
        own = door.http.get(ROLLOUTS, headers={"origin": str(door.http.base_url)})

    assert (made.status_code, own.status_code) == (201, 200)
    assert problem(rebound) == problem(page) == problem(torn) == (403, "not-local")


@pytest.mark.clause("SV-964")
@pytest.mark.parametrize("name", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"])
def test_an_open_server_answers_nobody_through_a_proxy(name: str) -> None:
    """A proxy that rewrites the host would open the server to everybody; one with keys may have a proxy."""
    with served(world(), is_open=True) as door:
        passed_on = door.http.get(ROLLOUTS, headers={name: "203.0.113.7"})
    with served(world()) as door:
        by_key = door.caller("admin").call("GET", ROLLOUTS, headers={name: "203.0.113.7"})

    assert problem(passed_on) == (403, "not-local")
    assert "a proxy passed it on" in passed_on.json()["detail"]
    assert "without --dev" in passed_on.json()["advice"]
    assert by_key.status_code == 200


@pytest.mark.clause("SV-13")
def test_every_endpoint_is_described_and_nothing_else() -> None:
    """The description is made of the table: path, method, whether a key is needed, and each type of problem."""
    with served(world()) as door:
        document = door.http.get("/openapi.json").json()

    described = {
        (method.upper(), path, bool(operation.get("security")))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    ids = [operation["operationId"] for each in document["paths"].values() for operation in each.values()]
    assert document["openapi"] == "3.1.0"
    assert described == {(each.method, each.path, each.permission is not None) for each in ENDPOINTS}
    assert len(set(ids)) == len(ids) == len(ENDPOINTS)
    types = document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    assert types == [TYPES + kind.name for kind in KINDS]


@pytest.mark.clause("SV-13")
def test_the_server_says_that_it_lives_and_what_it_can() -> None:
    """Without a key: that it answers, that its store can be read, and whether it ticks."""
    with served(world()) as door:
        assert door.http.get("/healthz").json()["status"] == "ok"
        ready = door.http.get("/readyz").json()
        assert (ready["status"], ready["store"], ready["ticks"]) == ("ready", "readable", False)
        assert door.http.head("/readyz").status_code == 200


@pytest.mark.clause("SV-253")
def test_more_runs_than_a_batch_may_have_are_413(admin: Caller) -> None:
    """Also where they are few bytes; nothing of them is kept."""
    answer = admin.call("POST", f"{API}/runs", NDJSON, content=RUN * (MAX_RUNS + 1))

    assert problem(answer) == (413, "too-many-runs")


@pytest.mark.clause("SV-253")
def test_only_who_has_the_secret_of_a_key_is_told_what_became_of_it(door: Served) -> None:
    """To whoever has its id alone, it is as if there were no such key."""
    expired, revoked = door.key("admin", life_s=1), door.key("admin")
    revoke_key(revoked.key.id, door.world.house)
    door.world.clock.advance(1)
    tokens = [expired.token, revoked.token]
    guessed = [token_of(key_bytes(each), bytes(32)) for each in tokens]

    said = [problem(Caller(door.http, each).get(ROLLOUTS)) for each in (*tokens, *guessed)]

    assert said == [(401, "key-expired"), (401, "key-revoked"), (401, "key-needed"), (401, "key-needed")]


def key_bytes(token: str) -> bytes:
    """Return the bytes that a token's id is made of."""
    number = 0
    for digit in token[len(PREFIX) : len(PREFIX) + ID_DIGITS]:
        number = number * len(DIGITS) + DIGITS.index(digit)
    return number.to_bytes(ID_BYTES, "big")


@pytest.mark.clause("SV-254")
def test_a_slip_in_the_name_of_a_field_is_asked_about(admin: Caller) -> None:
    """The run is kept, and its sender is asked."""
    run = b'{"app_id": "web", "release": "v1", "status": "ok", "latencyms": 3}\n'

    answer = admin.call("POST", f"{API}/runs", NDJSON, content=run).json()

    assert answer["runs"] == 1
    assert "'latencyms' is no field that is read; did you mean 'latency_ms'?" in answer["notes"]
