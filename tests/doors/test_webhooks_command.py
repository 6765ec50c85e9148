# SPDX-License-Identifier: Apache-2.0
"""Webhooks on the command line, at this machine and at a server: docs/spec.md, Webhooks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from tests.doors.conftest import Door
from tests.server.served import served
from tests.spec.line import world
from tests.spec.webhooked import Listener, listening


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """Return a receiver on this machine that may be called."""
    monkeypatch.setenv("LOCKGATE_WEBHOOK_ALLOW", "127.0.0.0/8")
    with listening() as listening_there:
        yield listening_there


@pytest.mark.clause("WH-41")
def test_a_webhook_is_declared_tried_told_and_removed(home: Path, door: Door, listener: Listener) -> None:
    """The secret is on standard output alone; what is created reaches the receiver before the command ends."""
    code = door("webhooks", "create", "--url", listener.url, "--event", "rollout.created")
    secret, said = door.out, door.err
    identity = said.split()[0]
    assert (code, secret.startswith("whsec_"), secret.count("\n")) == (exit_codes.OK.code, True, 1)

    assert door("webhooks", "test", identity) == exit_codes.OK.code
    door.create("--mode", "canary")
    assert door("webhooks", "deliveries", identity, "--state", "delivered", "--json") == exit_codes.OK.code
    (sent,) = json.loads(door.out)["deliveries"]
    assert door("webhooks", "redeliver", identity, sent["id"]) == exit_codes.OK.code
    assert door("webhooks", "delete", identity) == exit_codes.OK.code
    assert door("webhooks", "list") == exit_codes.OK.code

    assert "There is no webhook" in door.out
    assert [json.loads(each.body)["type"] for each in listener.came] == [
        "endpoint.ping",
        "rollout.created",
        "rollout.created",
    ]
    assert [path.stat().st_mode & 0o777 for path in home.rglob("webhook.key")] == [0o600]


@pytest.mark.clause("WH-41")
def test_it_is_disabled_enabled_and_rotated(door: Door, listener: Listener) -> None:
    """Each says how it stands then."""
    door("webhooks", "create", "--url", listener.url, "--json")
    identity = json.loads(door.out)["id"]

    for command, shown in (("disable", "  disabled by hand"), ("enable", "active")):
        assert door("webhooks", command, identity) == exit_codes.OK.code
        assert shown in door.out
        assert "disabled: disabled" not in door.out
    assert "while it was disabled is not sent" in door.err
    assert door("webhooks", "rotate", identity) == exit_codes.OK.code
    assert door("webhooks", "rotate", identity) == exit_codes.TRY_AGAIN.code
    assert door("webhooks", "rotate", identity, "--force", "--grace", "0") == exit_codes.OK.code
    assert door("webhooks", "show", identity, "--json") == exit_codes.OK.code
    assert json.loads(door.out)["old_secret_until"] is None


@pytest.mark.clause("WH-41")
def test_what_is_wrong_is_said_by_an_exit_code(door: Door, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL that is refused, a webhook that is none, a receiver that answers otherwise, no network that is one."""
    door("webhooks", "create", "--url", listener.url, "--json")
    identity = json.loads(door.out)["id"]
    listener.answer = lambda _: (500, {}, b"no")

    assert door("webhooks", "test", identity) == exit_codes.UNREACHABLE.code
    assert door("webhooks", "show", "end_none") == exit_codes.USAGE.code
    assert door("webhooks", "redeliver", identity) == exit_codes.USAGE.code
    assert door("webhooks", "create", "--url", "https://10.0.0.1/") == exit_codes.USAGE.code
    assert "LOCKGATE_WEBHOOK_ALLOW" in door.err
    monkeypatch.setenv("LOCKGATE_WEBHOOK_ALLOW", "everywhere")
    assert door("webhooks", "test", identity) == exit_codes.USAGE.code


@pytest.mark.clause("WH-33")
def test_a_webhook_that_is_given_up_is_told_to_whoever_looks(door: Door, listener: Listener) -> None:
    """Until somebody enables it; one that was disabled by hand is not."""
    door("webhooks", "create", "--url", listener.url, "--json")
    identity = json.loads(door.out)["id"]
    listener.answer = lambda _: (410, {}, b"")
    rollout = door.create("--mode", "canary")

    door("show", "--id", rollout)
    told = " ".join(door.out.split())
    # What waits is tried at once.
    listener.answer = lambda _: (503, {}, b"")
    door("webhooks", "enable", identity)
    door("webhooks", "disable", identity)
    door("show", "--id", rollout)

    assert f"webhook {identity} is sent nothing, because it answered 410" in told
    assert "is sent nothing" not in " ".join(door.out.split())


@pytest.mark.clause("WH-41")
def test_a_server_answers_the_same(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own store, to the key of who asks."""
    with served(world()) as opened:
        monkeypatch.setenv("LOCKGATE_URL", str(opened.http.base_url).rstrip("/"))
        monkeypatch.setenv("LOCKGATE_API_KEY", opened.key("operator").token)
        created = door("webhooks", "create", "--url", "https://hooks.example.com/", "--json")
        identity = json.loads(door.out)["id"]
        tried, listed = door("webhooks", "test", identity), door("webhooks", "list")
        is_listed = identity in door.out
        unknown = door("webhooks", "show", "end_none")
        monkeypatch.setenv("LOCKGATE_API_KEY", opened.key("viewer").token)
        refused = door("webhooks", "list")

    assert (created, tried, listed, is_listed) == (0, 0, 0, True)
    assert (unknown, refused) == (exit_codes.USAGE.code, exit_codes.NOT_PERMITTED.code)


@pytest.mark.clause("WH-02")
@pytest.mark.parametrize("options", [(), ("--with-keys",)])
def test_a_backup_has_what_opens_secrets_where_it_has_private_keys(
    home: Path, door: Door, listener: Listener, options: tuple[str, ...]
) -> None:
    """And only there; from such a copy messages are signed as before."""
    door("webhooks", "create", "--url", listener.url)

    assert door("backup", str(home / "copy"), *options) == exit_codes.OK.code

    assert bool(list((home / "copy").rglob("webhook.key"))) is bool(options)
