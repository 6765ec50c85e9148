# SPDX-License-Identifier: Apache-2.0
"""A store with apps comes in; `apps`, `list` and `show` must say where each stands, and what is frozen and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from tests.doors.line import APP, Door, write_runs

WHY = ("--by", "ann", "--reason", "errors in the log")


@pytest.fixture
def promoted(door: Door) -> str:
    """Return a canary that has become the champion after another."""
    first = door.create("--mode", "canary", "--steps", "100")
    second = door("create", "--app-id", APP, "-b", "abc123", "-c", "def456", "--mode", "canary", "--steps", "5,100")
    assert (first, second) == (first, 75)
    door("rollback", "--id", first, *WHY, "--yes")
    rollout = door.create("--mode", "canary", "--steps", "5,100")
    door("promote", "--id", rollout, "--step", "0", "--revision", "1", *WHY, "--yes")
    return rollout


@pytest.mark.clause("LC-40")
def test_an_app_is_shown_as_it_stands(door: Door, promoted: str, home: Path) -> None:
    """Champion and the one before it, every release seen, the trial, the program, and where its receipts are."""
    door("ingest", write_runs(home / "runs.ndjson", {"v36": 0.0, "seen": 0.0}, runs=2))
    door("actuator", "set", "--app-id", APP, "--", "true", "web")
    shadow = door.create("-b", "abc123", "-c", "ghi789")

    (app,) = door.read("apps")["apps"]
    door("apps", "--app-id", APP)

    assert (app["app"], app["champion"], app["former_champion"]) == (APP, "abc123", "v36")
    assert {release["name"] for release in app["releases"]} == {"v36", "abc123", "seen", "ghi789"}
    assert [each["id"] for each in app["active"]] == [shadow]
    assert app["actuator"]["argv"][1:] == ["web"]
    assert door("receipts", app["id"]) == 0
    door("apps")
    shown = door.out
    assert "champion   abc123, before it v36\n" in shown
    assert "4 releases, the latest first: ghi789" in " ".join(shown.split())
    assert f"ghi789 would serve 5 % beside abc123: {shadow}" in " ".join(shown.split())
    assert "actuator   true web\n" in shown


@pytest.mark.clause("LC-64")
def test_webhooks_that_move_an_app_are_shown_by_their_id(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app whose traffic a webhook moves is not said to be moved by nobody, and no address is shown."""
    monkeypatch.setenv("LOCKGATE_WEBHOOK_ALLOW", "127.0.0.1/32")
    door.create()
    assert door("webhooks", "create", "--url", "http://127.0.0.1:7301/secret", "--app-id", APP) == 0, door.err
    assert door("webhooks", "create", "--url", "http://127.0.0.1:7302/", "--event", "rollout.completed") == 0, door.err

    declared = {each["url"]: each["id"] for each in door.read("webhooks", "list")["webhooks"]}

    (app,) = door.read("apps")["apps"]
    door("apps")

    told = declared["http://127.0.0.1:7301/secret"]
    assert app["webhooks"] == [told]
    assert f"webhooks   {told}\n" in door.out
    assert "actuator" not in door.out
    assert "secret" not in door.out


@pytest.mark.clause("LC-40")
def test_a_freeze_is_seen_wherever_one_looks(door: Door) -> None:
    """`apps`, `list` and `show` name the reason, in words and as JSON; a kill is called one."""
    rollout = door.create("--mode", "canary")
    door("freeze", "--app-id", APP, *WHY)

    documents = [door.read("list")["rollouts"][0], door.read("show", rollout), door.read("apps")["apps"][0]]

    assert [each["frozen"] for each in documents] == ["errors in the log"] * 3
    door("list")
    assert f"{APP} is frozen: errors in the log" in door.out
    door("kill", "--app-id", APP, *WHY, "--yes")
    door("apps")
    assert "killed, and frozen: errors in the log" in door.out
    door("unfreeze", "--app-id", APP, *WHY)
    assert door.read("apps")["apps"][0]["frozen"] is None


@pytest.mark.clause("CL-94")
def test_of_all_means_the_apps_that_are_known_now(door: Door) -> None:
    """One that is named after a kill of all starts; both commands say so where they say what `--all` is."""
    door.create("--mode", "canary")
    killed = door("kill", "--all", *WHY, "--yes")
    later = door("create", "--app-id", "later", "-b", "one", "-c", "two", "--mode", "canary", "--quiet")

    frozen = {each["app"]: each["frozen"] for each in door.read("apps")["apps"]}
    helps = []
    for command in ("kill", "unfreeze"):
        door(command, "--help")
        helps.append(" ".join(door.out.split()))

    assert (killed, later) == (0, 0)
    assert frozen == {APP: "errors in the log", "later": None}
    assert all("--all Every app that is known now, and none that comes later." in each for each in helps)


@pytest.mark.clause("LC-41")
@pytest.mark.parametrize("command", ["list", "apps"])
def test_an_app_that_nobody_knows_is_refused(door: Door, command: str) -> None:
    """A mistyped name is answered with those that there are, not with emptiness."""
    door.create()

    left = door(command, "--app-id", "claims-agnet")

    assert (left, f"Did you mean '{APP}'?" in door.err) == (exit_codes.USAGE.code, True), door.err


@pytest.mark.clause("LC-41")
def test_a_shadow_row_says_would(door: Door) -> None:
    """A weight that moves nothing does not read as one that does."""
    rollout = door.create("--steps", "5,100")

    door("list")
    listed = door.out
    door("tick", "--id", rollout)

    assert listed.splitlines()[1].endswith("would 5 %")
    assert "  would 5 %  hold " in door.out
