# SPDX-License-Identifier: Apache-2.0
"""Messages that reach nobody come in; what the server says of them, and where it says to run what, goes out."""

from __future__ import annotations

import pytest

from lockgate.cli import main
from lockgate.core.delivery import Carried
from lockgate.core.endpoint import Kind
from lockgate.operations.webhooks.deliver import Bounds, deliver
from lockgate.testing.recipients import Recipients
from lockgate.testing.router import Router
from tests.server.served import API, Caller, Served
from tests.spec.line import APP, created
from tests.spec.routing import delivered, kept_deliveries, routed
from tests.spec.webhooked import hooked


@pytest.mark.clause("WH-76")
def test_a_kill_over_http_says_where_the_router_can_be_told(
    admin: Caller, door: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`deliver` is refused there, so that its name alone would help nobody."""
    routed(door.world)
    created(door.world)
    monkeypatch.setenv("LOCKGATE_URL", str(door.http.base_url))
    monkeypatch.setenv("LOCKGATE_API_KEY", admin.token)

    code = main.run(["kill", "--app-id", APP, "--yes", "--reason", "because of this test"])

    said = " ".join(capsys.readouterr().err.split())
    assert code == 0
    assert "not tried yet; on the server's machine `lockgate deliver` does" in said
    assert said.count("`lockgate deliver") == said.count("on the server's machine `lockgate deliver")


@pytest.mark.clause("DE-251")
def test_programs_read_that_a_router_is_disabled_and_why(admin: Caller, door: Served) -> None:
    """Beside what the last attempt came to."""
    receivers = Recipients(answers=[Carried(fault="it answered 410", code=410)])
    hooked(door.world, receivers, "https://hooks.example.com/")
    rollout = created(door.world).rollout
    deliver(door.world.house, {Kind.COMMAND: Router(), Kind.WEBHOOK: receivers}, Bounds())

    (told,) = admin.get(f"{API}/rollouts/{rollout.id}").json()["untold"]

    assert (told["state"], told["code"]) == ("due", 410)
    assert told["disabled"].startswith("it answered 410")


@pytest.mark.clause("DE-251")
def test_what_a_program_said_is_told_to_nobody_who_looks(admin: Caller, door: Served) -> None:
    """It may hold secrets: that it failed is in the reason, and how is on its own machine."""
    router = routed(door.world)
    router.faults.append("a secret word")
    rollout = created(door.world).rollout
    delivered(door.world, router)

    said = admin.get(f"{API}/rollouts/{rollout.id}")
    explained = admin.get(f"{API}/rollouts/{rollout.id}/explain")

    (told,) = said.json()["untold"]
    assert [each.error for each in kept_deliveries(door.world)] == ["a secret word"]
    assert (told["attempts"], told["code"]) == (1, None)
    assert "the actuator failed in 1 attempt" in explained.text
    assert "a secret word" not in said.text + explained.text
