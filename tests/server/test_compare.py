# SPDX-License-Identifier: Apache-2.0
"""Runs of two releases are kept; they are compared and listed over HTTP, and why a rollout holds is said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lockgate.core.comparison import Comparison
from lockgate.operations.asking.compare import Request
from lockgate.operations.asking.compare_stored import Window, compare_stored
from lockgate.operations.asking.overview import overview
from tests.server.served import API, Caller, Served, problem, served
from tests.spec.line import APP, EQUAL, WORSE, created, world

COMPARE = f"{API}/compare"
BOTH = {"app_id": APP, "baseline": "v36", "candidate": "abc123"}


def _locally(door: Served, **fields: Any) -> Comparison:
    request = Request(baseline="v36", candidate="abc123", **fields)
    return compare_stored(request, Window(APP), door.world.house)


@pytest.fixture
def worse(door: Served) -> Served:
    """Return a server on runs of two releases, of which the candidate fails more often."""
    door.world.serve_both(APP, {"v36": 3_000, "abc123": 3_000}, WORSE, minutes=3)
    return door


@pytest.mark.clause("SV-22")
def test_a_comparison_is_what_the_command_line_says(admin: Caller, worse: Served) -> None:
    """The same document, always by 200, by the default gates, by metrics or by a policy; nothing is written."""
    policy = {"gates": [{"metric": "error_rate", "tolerance": "50%"}]}
    answers = [
        admin.post(COMPARE, BOTH),
        admin.post(COMPARE, {**BOTH, "metrics": ["latency_ms:p95"], "per_gate_level": 0.9}),
        admin.post(COMPARE, {**BOTH, "policy": policy}),
    ]

    locally = [
        _locally(worse),
        _locally(worse, metrics=("latency_ms:p95",), per_gate_level=0.9),
    ]
    assert [each.status_code for each in answers] == [200] * 3
    assert [each.json() for each in answers[:2]] == [json.loads(json.dumps(each.document())) for each in locally]
    assert answers[0].json()["outcome"] == "regressed"
    assert answers[2].json()["gates"][0]["metric"] == "error_rate"


@pytest.mark.clause("SV-22")
def test_a_comparison_reads_back_so_far(admin: Caller, worse: Served) -> None:
    """`since` is seconds or a span; where no run began in it, that is said with the times that are kept."""
    worse.world.clock.advance(7_200)

    assert admin.post(COMPARE, {**BOTH, "since": "1d"}).status_code == 200
    empty = admin.post(COMPARE, {**BOTH, "since": 3_600})
    assert problem(empty) == (400, "invalid-data")
    assert "reach further back" in empty.json()["advice"]


@pytest.mark.clause("SV-225")
@pytest.mark.usefixtures("worse")
def test_what_lacks_is_named_as_a_call_says_it(admin: Caller) -> None:
    """A caller of HTTP has no option to give."""
    answer = admin.post(COMPARE, {"app_id": APP, "candidate": "abc123"})

    assert problem(answer) == (400, "invalid-call")
    assert "or as `baseline`" in answer.json()["advice"]


@pytest.mark.clause("SV-22")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"app_id": APP}, 400),
        ({**BOTH, "baseline": "abc123"}, 400),
        ({**BOTH, "metrics": "error_rate"}, 400),
        ({**BOTH, "metrics": ["nonsense:p95"]}, 400),
        ({**BOTH, "metrics": ["error_rate"], "policy": {"gates": ["error_rate"]}}, 400),
        ({**BOTH, "policy": "policy.yaml"}, 400),
        ({**BOTH, "per_gate_level": "95%"}, 400),
        ({**BOTH, "per_gate_level": 2}, 400),
        ({**BOTH, "files": ["/etc/passwd"]}, 400),
        ({**BOTH, "candidate": "nobody"}, 400),
        ({**BOTH, "app_id": "nobody"}, 404),
    ],
)
def test_a_comparison_that_cannot_be_meant_is_refused(
    admin: Caller, worse: Served, body: dict[str, object], status: int
) -> None:
    """400, or 404 of an app that is not there; it reads no file of the server's machine."""
    assert problem(admin.post(COMPARE, body))[0] == status
    assert worse.world.house.org == "default"


@pytest.mark.clause("SV-23")
def test_releases_are_listed_with_what_is_known_of_them(admin: Caller, door: Served) -> None:
    """When each was first seen, its runs that are kept, how often it was on trial, and which has the traffic."""
    name = created(door.world).rollout.id
    door.world.serve_both(APP, {"v36": 6_000, "abc123": 6_000}, EQUAL, minutes=10)
    door.world.clock.advance(60)
    assert admin.post(f"{API}/rollouts/{name}/rollback", {"reason": "again"}).status_code == 200
    created(door.world)

    page = admin.get(f"{API}/releases", app_id=APP, limit=1).json()
    rest = admin.get(f"{API}/releases", app_id=APP, cursor=page["cursor"]).json()

    found = {each["name"]: each for each in [*page["releases"], *rest["releases"]]}
    assert (len(page["releases"]), rest["cursor"], page["app"]) == (1, None, APP)
    assert {name: (each["runs"], each["attempts"]) for name, each in found.items()} == {
        "v36": (6_000, 0),
        "abc123": (6_000, 2),
    }
    champion = overview(door.world.house, APP)[0].app.champion
    assert [name for name, each in found.items() if each["champion"]] == ([] if champion is None else [champion])


@pytest.mark.clause("SV-23")
def test_releases_are_of_one_app_that_is_there(admin: Caller) -> None:
    """Without an app, of one that nobody knows, or by a parameter that means nothing, the call is refused."""
    assert problem(admin.get(f"{API}/releases")) == (400, "invalid-call")
    assert problem(admin.get(f"{API}/releases", app_id="nobody")) == (404, "not-found")
    assert problem(admin.get(f"{API}/releases", app_id=APP, release="x")) == (400, "unknown-field")


@pytest.mark.clause("SV-25")
def test_every_app_is_frozen_and_thawed_by_one_call(admin: Caller, door: Served) -> None:
    """With a reason that the receipts keep; a key for some apps may not."""
    for app in ("one", "two"):
        created(door.world, app=app)

    frozen = admin.post(f"{API}/freeze", {"reason": "holidays"})
    refused = door.caller("operator", apps=["one"]).post(f"{API}/unfreeze", {"reason": "mine"})
    standing = [each.app.frozen for each in overview(door.world.house)]
    created(door.world, app="three")
    later = admin.get(f"{API}/apps/three").json()["frozen"]
    thawed = admin.post(f"{API}/unfreeze", {"reason": "over"})

    assert [(each["app"], each["frozen"], each["receipt"]) for each in frozen.json()["apps"]] == [
        ("one", "holidays", 1),
        ("two", "holidays", 1),
    ]
    assert problem(refused) == (403, "app-not-of-key")
    assert standing == ["holidays"] * 2
    assert [each["frozen"] for each in thawed.json()["apps"]] == [None] * 3
    assert later is None
    assert problem(admin.post(f"{API}/freeze")) == (400, "invalid-call")


@pytest.mark.clause("SV-963")
@pytest.mark.parametrize("verb", ["kill", "freeze", "unfreeze"])
def test_an_empty_reason_is_refused_where_no_app_is_known_yet(verb: str) -> None:
    """A script that sends one learns it on its first day and not on the day when it counts."""
    with served(world()) as door:
        admin = door.caller("admin")
        refused = admin.post(f"{API}/{verb}", {"reason": ""})
        taken = admin.post(f"{API}/{verb}", {"reason": "drill"})

    assert problem(refused) == (400, "invalid-call")
    assert (taken.status_code, taken.json()) == (200, {"apps": []})


@pytest.mark.clause("SV-34")
def test_why_a_rollout_holds_is_said_in_sentences(admin: Caller, door: Served) -> None:
    """Headings with sentences, also of one that has ended."""
    name = created(door.world).rollout.id
    door.world.serve_both(APP, {"v36": 600, "abc123": 600}, EQUAL, minutes=10)

    holds = admin.get(f"{API}/rollouts/{name}/explain").json()
    admin.post(f"{API}/rollouts/{name}/rollback", {"reason": "enough seen"})
    ended = admin.get(f"{API}/rollouts/{name}/explain").json()

    assert holds["id"] == name
    assert {"What would change it", "What each gate says"} <= {part["heading"] for part in holds["parts"]}
    assert list(holds["anytime"]) == ["error_rate"]
    assert "enough seen" in ended["parts"][0]["sentences"][0]
