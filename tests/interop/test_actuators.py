# SPDX-License-Identifier: Apache-2.0
"""Real routers come in; the scripts of `examples/actuators` must move their traffic as rollouts decide."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lockgate.cli import exit_codes
from lockgate.demo.haproxy import Haproxy
from tests.doors.line import APP, Door
from tests.interop.routers import haproxy, nginx, part, settles, share_of, under_traffic

pytestmark = [pytest.mark.interop, pytest.mark.clause("LI-101")]

Router = Callable[[Path], AbstractContextManager[str]]
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
    assert [said for _, said in found] == [12.5, 50.0, 100.0, 0.0]
    # A change of weights in the middle of a round leaves some requests of that round elsewhere.
    assert [share for share, _ in found[:2]] == pytest.approx([12.5, 50], abs=3)
    assert [share for share, _ in found[2:]] == [100.0, 0.0]


@pytest.mark.clause("SV-942")
@pytest.mark.parametrize("router", [haproxy, nginx])
def test_nobody_is_refused_while_all_traffic_moves_there_and_back(router: Router, folder: Path) -> None:
    """A promotion to 100 % and a rollback from there, ten times by the example's script, under load."""
    options = ("-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log")
    scripts: dict[Router, tuple[object, ...]] = {
        haproxy: (part("sh"), SCRIPTS / "haproxy.sh", folder / "s", "web"),
        nginx: (part("sh"), SCRIPTS / "nginx.sh", folder / "split.conf", *options),
    }
    with router(folder) as address, under_traffic(address) as found:
        for weight in (100, 0) * 10:
            told = {"LOCKGATE_CANDIDATE": "abc123", "LOCKGATE_TARGET": "v36", "LOCKGATE_WEIGHT": str(weight)}
            subprocess.run([*map(str, scripts[router])], env={**os.environ, **told}, check=True, timeout=120)

    assert set(found) == {"v36", "abc123"}


@pytest.mark.clause("SV-942")
def test_nobody_is_refused_while_the_demo_moves_its_haproxy(folder: Path) -> None:
    """Whatever the order in which the shares are named."""
    with haproxy(folder) as origin:
        at = urlsplit(origin).port
        assert at is not None
        demo = Haproxy(folder / "demo")
        (folder / "demo").mkdir()
        address = f"http://127.0.0.1:{demo.start({'v36': at, 'abc123': at})}/"
        try:
            with under_traffic(address) as found:
                for share in (100, 0) * 25:
                    demo.move({"abc123": share, "v36": 100 - share})
                    demo.move({"v36": share, "abc123": 100 - share})
        finally:
            demo.stop()

    assert set(found) == {"v36"}


@pytest.mark.clause("SV-942")
def test_what_is_named_nobody_for_the_rest_leaves_it_where_it_is(folder: Path) -> None:
    """A candidate that is taken out without a target takes no other server with it, and what is live is read of all."""
    told = {"LOCKGATE_CANDIDATE": "abc123", "LOCKGATE_TARGET": "", "LOCKGATE_WEIGHT": "0"}
    with haproxy(folder) as address:
        call = [part("sh"), str(SCRIPTS / "haproxy.sh"), str(folder / "s"), "web"]
        ran = subprocess.run(call, env={**os.environ, **told}, check=True, timeout=120, capture_output=True, text=True)

        assert share_of(address, "v36", 20) == 100.0

    assert ran.stdout == '{"weight": 0}\n'


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

    assert "has not been told" not in told
    assert 6 <= low <= 20
    assert 40 <= half <= 60
    assert (full, none) == (100.0, 0.0)
