# SPDX-License-Identifier: Apache-2.0
"""Real routers come in; the scripts of `examples/actuators` must move their traffic as rollouts decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from tests.doors.line import APP, Door
from tests.interop.routers import haproxy, nginx, part, settles, share_of

pytestmark = [pytest.mark.interop, pytest.mark.clause("LI-101")]

SCRIPTS = Path(__file__).resolve().parents[2] / "examples" / "actuators"
CANARY = ("--mode", "canary", "--steps", "12.5,50,100")
WHY = ("--by", "ann", "--reason", "interop", "--yes")


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Door:
    """Return the command line on an empty store."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    return Door(capsys)


def promote(door: Door, rollout: str, step: int) -> int:
    """Go one step on without waiting."""
    revision = door.read("show", rollout)["revision"]
    return door("promote", "--id", rollout, *WHY, "--step", step, "--revision", revision)


def test_haproxy_follows_a_rollout_and_says_what_is_live(door: Door, folder: Path) -> None:
    """Weights, shares of real requests and acknowledgements agree at each step, and after the rollback."""
    part("socat")
    with haproxy(folder) as address:
        before = share_of(address, "abc123")
        script = ("--acknowledges", "--", SCRIPTS / "haproxy.sh", folder / "s", "web")
        assert door("actuator", "set", "--app-id", APP, *script) == 0, door.err
        found = []
        rollout = door.create(*CANARY)
        for step in (0, 1):
            found.append((share_of(address, "abc123"), door.read("show", rollout)["acknowledged"]))
            assert promote(door, rollout, step) == 0, door.err
        found.append((share_of(address, "abc123"), door.read("show", rollout)["acknowledged"]))
        assert door("rollback", "--id", rollout, *WHY) == 0
        said = door.err
        found.append((share_of(address, "abc123"), door.read("show", rollout)["acknowledged"]))

    assert (before, said) == (0.0, "")
    assert found == [(12.5, 12.5), (50.0, 50.0), (100.0, 100.0), (0.0, 0.0)]


def test_a_haproxy_that_is_not_there_is_told_when_it_is(door: Door, folder: Path) -> None:
    """The rollback stands, the warning says that nobody heard it, and the next delivery brings it."""
    script = SCRIPTS / "haproxy.sh"
    door("actuator", "set", "--app-id", APP, "--acknowledges", "--", script, folder / "s", "web")
    rollout = door.create(*CANARY)
    left = door("rollback", "--id", rollout, *WHY)
    warned = door.err

    with haproxy(folder) as address:
        told = door("actuator", "test", "--app-id", APP)
        share = share_of(address, "abc123")

    assert (left, told, share) == (0, 0, 0.0)
    assert "WARNING: the router has not been told: rollback, 0 % for abc123" in warned
    assert door("deliver") == 0


def test_haproxy_is_not_commanded_by_the_name_of_a_release(door: Door, folder: Path) -> None:
    """A name that is more than a name is refused by the script."""
    with haproxy(folder):
        door("actuator", "set", "--app-id", APP, "--", SCRIPTS / "haproxy.sh", folder / "s", "web")
        door("create", "--app-id", APP, "-b", "v36", "-c", "abc123;disable", *CANARY)

        left = door("deliver")

    assert (left, "not the name of a server" in door.err) == (exit_codes.UNREACHABLE.code, True)


def test_a_server_that_haproxy_does_not_have_is_told(door: Door, folder: Path) -> None:
    """HAProxy's own words are in the warning."""
    with haproxy(folder):
        door("actuator", "set", "--app-id", APP, "--", SCRIPTS / "haproxy.sh", folder / "s", "web")

        door("create", "--app-id", APP, "-b", "v36", "-c", "def456", *CANARY)

    assert "No such server" in door.err


def test_nginx_follows_a_rollout(door: Door, folder: Path) -> None:
    """The shares of real requests are near the weights, and exact at both ends."""
    with nginx(folder) as address:
        options = ("-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log")
        script = (SCRIPTS / "nginx.sh", folder / "split.conf", *options)
        assert door("actuator", "set", "--app-id", APP, "--", *script) == 0, door.err
        rollout = door.create(*CANARY)
        told = door.err
        low = settles(address, "abc123", 6, 20)
        promote(door, rollout, 0)
        half = settles(address, "abc123", 40, 60)
        promote(door, rollout, 1)
        full = settles(address, "abc123", 100, 100)
        door("rollback", "--id", rollout, *WHY)
        told += door.err
        none = settles(address, "abc123", 0, 0)

    assert "router" not in told
    assert 6 <= low <= 20
    assert 40 <= half <= 60
    assert (full, none) == (100.0, 0.0)
