# SPDX-License-Identifier: Apache-2.0
"""A server on a real store comes in; what each method of the client does there goes out."""

from __future__ import annotations

import pytest

from lockgate.client import Client, ProblemError
from tests.spec.line import APP


@pytest.mark.clause("CL-01")
def test_a_rollout_goes_its_way_by_the_client_alone(client: Client) -> None:
    """Runs, create, evaluate, the operator's calls and receipts answer with their documents."""
    kept = client.send_runs([{"app_id": APP, "release": "v36", "status": "ok"}])
    again = client.send_runs([{"app_id": APP, "release": "v36", "status": "ok"}])
    rollout = client.create(APP, "abc123", baseline="v36", mode="canary")
    turn = client.evaluate(rollout["id"], key="once")
    replayed = client.evaluate(rollout["id"], key="once")
    acted = [
        client.pause(rollout["id"], "to look"),
        client.resume(rollout["id"], "looked"),
    ]
    back = client.rollback(rollout["id"], "not this one")
    receipts = list(client.receipts(rollout["id"]))
    signed = client.receipt(rollout["id"], receipts[0]["seq"])

    assert (kept["runs"], again["repeated"]) == (1, True)
    assert turn.rollout["id"] == rollout["id"]
    assert not turn.has_rolled_back
    assert (replayed.is_replayed, replayed.rollout) == (True, turn.rollout)
    assert [each["status"] for each in acted] == ["paused", "active"]
    assert (back["status"], back["terminal"]) == ("rolled_back", True)
    assert [each["seq"] for each in receipts] == list(range(1, len(receipts) + 1))
    assert signed["receipt"]["payloadType"] == "application/vnd.in-toto+json"
    assert [each["id"] for each in client.rollouts(APP)] == [rollout["id"]]
    assert client.verdict(rollout["id"])["status"] == client.rollout(rollout["id"])["status"] == "rolled_back"


@pytest.mark.clause("CL-01")
def test_apps_are_frozen_and_killed_by_the_client(client: Client) -> None:
    """The calls about apps answer with where they stand."""
    rollout = client.create(APP, "abc123", baseline="v36", mode="canary")["id"]

    frozen, free = client.freeze(APP, "an incident"), client.unfreeze(APP, "it is over")
    killed, all_killed = client.kill(APP, "another one"), client.kill_all("and all")

    assert (frozen["frozen"], free["frozen"]) == ("an incident", None)
    assert (killed["killed"], len(all_killed)) == (True, 1)
    assert client.app(APP)["champion"] == next(client.apps())["champion"]
    assert client.evaluate_all() == {"rollouts": [], "problems": []}
    assert client.rollout(rollout)["status"] == "rolled_back"


@pytest.mark.clause("SV-1044")
def test_an_app_is_acted_on_by_the_version_that_was_seen(client: Client) -> None:
    """An older one is a problem and does nothing; without one it is done."""
    client.create(APP, "abc123", baseline="v36", mode="canary")
    seen = client.app(APP)["version"]
    frozen = client.freeze(APP, "an incident", version=seen)

    for act in (client.unfreeze, client.kill):
        with pytest.raises(ProblemError) as refused:
            act(APP, "as it was", version=seen)
        assert refused.value.status == 412

    assert (frozen["version"], client.app(APP)["version"]) == (seen + 1, seen + 1)
    assert client.unfreeze(APP, "as it is", version=seen + 1)["version"] == seen + 2
    assert client.kill(APP, "at once")["version"] == seen + 4


@pytest.mark.clause("CL-01")
def test_steps_are_named_as_they_were_seen(client: Client) -> None:
    """Approve and promote send the step and the revision; gone ones are a problem; cancel and clear-alarm answer."""
    steps = [{"weight": 5, "approval": "manual"}, {"weight": 50}, {"weight": 100}]
    rollout = client.create(APP, "abc123", baseline="v36", policy={"mode": "canary", "steps": steps})
    approved = client.approve(rollout["id"], "seen", step=rollout["step"], revision=rollout["revision"])
    promoted = client.promote(rollout["id"], "seen", step=approved["step"], revision=approved["revision"])
    with pytest.raises(ProblemError) as raised:
        client.promote(rollout["id"], "seen", step=9, revision=promoted["revision"] + 9)
    cleared = client.clear_alarm(rollout["id"], "known")
    shadow = client.create("another", "abc", baseline="v1")

    assert promoted["step"] == approved["step"] + 1
    assert (raised.value.status, raised.value.type) == (409, "urn:lockgate:problem:conflict")
    assert cleared["revision"] == promoted["revision"]
    assert client.cancel(shadow["id"], "no need")["status"] == "cancelled"


@pytest.mark.clause("CL-04")
def test_a_problem_of_the_server_is_raised_with_its_advice(client: Client) -> None:
    """What is not there is a problem of its type."""
    with pytest.raises(ProblemError) as raised:
        client.rollout("rol_aaaaaaaaaaaaaaaa")

    assert (raised.value.status, raised.value.type) == (404, "urn:lockgate:problem:not-found")
    assert raised.value.advice
