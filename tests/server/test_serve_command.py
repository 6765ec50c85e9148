# SPDX-License-Identifier: Apache-2.0
"""`lockgate serve` is started as a process of its own; it must answer on the store that the command line works on."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from lockgate.adapters.stores.sqlite.store import SqliteStore
from lockgate.server.serving import listening
from tests.doors.line import APP, write_runs

FIRST = re.compile(r"Lockgate answers at (http://\S+)")
SECONDS = 120


@dataclass
class Process:
    """A server, what it said before it answered, and a client with its key, if it has any."""

    process: subprocess.Popen[str]
    token: str
    said: str
    http: httpx.Client

    def end(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)


@contextmanager
def serving(*words: str, token: str = "") -> Iterator[Process]:
    """Start a server on a free port and wait until it answers; it has ended when the block has."""
    call = [sys.executable, "-m", "lockgate", "serve", "--port", "0", *words]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stdout is not None
    try:
        said = ""
        while (found := FIRST.search(said)) is None:
            line = process.stderr.readline()
            assert line, said
            said += line
        token = process.stdout.readline().strip() if "this first key" in said else token
        headers = {"authorization": f"Bearer {token}"} if token else {}
        with httpx.Client(base_url=found[1], headers=headers, timeout=SECONDS, trust_env=False) as http:
            yield Process(process, token, said, http)
    finally:
        process.kill()
        process.communicate(timeout=SECONDS)


def _lockgate(*words: object) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "lockgate", *map(str, words)]
    return subprocess.run(call, capture_output=True, text=True, check=False, timeout=SECONDS)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for files; the store will be in one of its own."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.mark.clause("SV-14")
def test_the_first_key_is_printed_once_and_server_and_command_line_share_a_store(home: Path) -> None:
    """What one creates the other shows and rolls back, and SIGTERM is an end that was asked for."""
    with serving() as server:
        answered = server.http.get("/api/v1/rollouts").json()
        assert _lockgate("ingest", write_runs(home / "runs.ndjson", {"v36": 0.01, "abc123": 0.2})).returncode == 0
        order = {"app_id": APP, "baseline": "v36", "candidate": "abc123", "mode": "canary", "since": "1h"}
        made = server.http.post("/api/v1/rollouts", json=order)
        assert made.status_code == 201, made.text
        name = made.json()["id"]
        ticked = _lockgate("tick", "--id", name)
        shown = server.http.get(f"/api/v1/rollouts/{name}").json()
        code = server.end()

    with serving(token=server.token) as again:
        listed = again.http.get("/api/v1/rollouts").json()
        revoked = _lockgate("keys", "revoke", server.token[:18])
        after = again.http.get("/api/v1/rollouts")

    assert answered == {"rollouts": [], "cursor": None}
    assert (ticked.returncode, shown["status"], code) == (1, "rolled_back", 0)
    assert "nothing ticks here" in server.said
    assert "first key" not in again.said
    assert [each["id"] for each in listed["rollouts"]] == [name]
    assert (revoked.returncode, after.status_code) == (0, 401)


@pytest.mark.clause("SV-14")
def test_a_server_that_ticks_rolls_back_and_tells_the_router(home: Path) -> None:
    """Without any call: the turn comes by itself, and so does the message to the program that moves the traffic."""
    script = home / "move.sh"
    script.write_text(f"#!/bin/sh\ncat >> {home}/told\necho >> {home}/told\n", encoding="utf-8")
    script.chmod(0o755)
    _lockgate("ingest", write_runs(home / "runs.ndjson", {"v36": 0.01, "abc123": 0.2}))
    assert _lockgate("actuator", "set", "--app-id", APP, "--", script).returncode == 0
    with serving("--tick-every", "1s", "--dev") as server:
        order = {"app_id": APP, "baseline": "v36", "candidate": "abc123", "mode": "canary", "since": "1h"}
        name = server.http.post("/api/v1/rollouts", json=order).json()["id"]
        told = _wait_for(home / "told", "rollback")
        shown = server.http.get(f"/api/v1/rollouts/{name}").json()

    assert "open: every program of this machine" in server.said
    assert "nothing ticks" not in server.said
    assert shown["status"] == "rolled_back"
    assert json.loads(told.splitlines()[-1])["data"]["weight"] == 0


@pytest.mark.clause("KY-111")
def test_a_server_that_has_ended_has_kept_when_its_keys_were_used(home: Path) -> None:
    """Whoever lists keys on the machine finds the use by its last call."""
    with serving() as server:
        answered = server.http.get("/api/v1/rollouts").status_code
        code = server.end()

    listed = json.loads(_lockgate("keys", "list", "--json").stdout)["keys"]
    assert (answered, code) == (200, 0)
    assert [each["last_used_at"] is not None for each in listed] == [True]


@pytest.mark.clause("SV-902")
def test_a_server_that_begins_again_waits_for_nobody_who_writes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process holds the store for as long as it starts, and it answers all the same."""
    with serving() as first:
        token = first.token
    monkeypatch.setenv("LOCKGATE_BUSY_SECONDS", "0.1")

    with SqliteStore(home / "home").writing(), serving(token=token) as again:
        answered = again.http.get("/api/v1/rollouts")

    assert answered.status_code == 200


@pytest.mark.clause("SV-12")
def test_an_open_server_is_never_reached_from_elsewhere(home: Path) -> None:
    """The call is refused before anything answers, and no store is made."""
    ran = _lockgate("serve", "--dev", "--host", "0.0.0.0", "--port", "0")  # noqa: S104 -- it must be refused

    assert ran.returncode == 64
    assert "without keys" in ran.stderr
    assert not (home / "home").exists()


@pytest.mark.clause("SV-14")
def test_a_port_that_is_taken_is_said(home: Path) -> None:
    """The second server leaves by 64 and names the port."""
    with serving("--dev") as server:
        port = str(server.http.base_url.port)
        ran = _lockgate("serve", "--dev", "--port", port)

    assert ran.returncode == 64
    assert f"port {port}" in ran.stderr


def _wait_for(path: Path, word: str) -> str:
    for _ in range(SECONDS * 10):
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if word in text and text.endswith("\n"):
            return text.strip()
        time.sleep(0.1)
    raise AssertionError(f"{word} never came")


def test_a_listener_names_its_protocol() -> None:
    """Only then does asyncio send small packets at once, and the other end waits for no second one."""
    with listening("127.0.0.1", 0) as opened:
        accepted = socket.create_connection(opened.getsockname())
        with accepted, opened.accept()[0] as ours:
            assert ours.proto == socket.IPPROTO_TCP


@pytest.mark.clause("SV-60")
def test_the_rate_of_keys_is_set_at_the_start(home: Path) -> None:
    """By an option; the call that is one too many is told so."""
    with serving("--rate", "1") as server:
        codes = [server.http.get("/api/v1/rollouts").status_code for _ in range(20)]

    assert set(codes) == {200, 429}
    assert codes[0] == 200
