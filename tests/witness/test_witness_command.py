# SPDX-License-Identifier: Apache-2.0
"""Real processes of a witness and of a server come in; one cosigns what the other decides, and never delays it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from lockgate.core.note import read_note
from lockgate.operations.witnessed import witnessed_checkpoint
from lockgate.wiring import sqlite_store
from tests.servers.process import Server
from tests.witness.witnessed import KEY, log_of

END_S = 20.0


@dataclass
class Running:
    """A witness that answers at an address."""

    process: subprocess.Popen[str]
    address: str

    def post(self, body: bytes) -> httpx.Response:
        """Send a request."""
        return httpx.post(f"{self.address}/add-checkpoint", content=body, timeout=10, trust_env=False)


def call(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Call the command line."""
    environment = {**os.environ, "LOCKGATE_HOME": str(home), "LOCKGATE_STATE": f"{home}-state"}
    whole = [sys.executable, "-m", "lockgate", *words]
    return subprocess.run(whole, env=environment, capture_output=True, text=True, check=False, timeout=60)


@contextlib.contextmanager
def running(folder: Path, *logs: str) -> Iterator[Running]:
    """Run the witness of a folder."""
    words = [word for log in logs for word in ("--log", log)]
    whole = [sys.executable, "-m", "lockgate", "witness", "serve", "--dir", str(folder), "--port", "0", *words]
    process = subprocess.Popen(whole, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        found = re.search(r"cosigns at (http://\S+)/add-checkpoint", process.stderr.readline())
        assert found is not None
        yield Running(process, found[1])
    finally:
        process.kill()
        process.wait(END_S)
        process.stderr.close()


def made(folder: Path) -> str:
    """Make a witness, and return its key."""
    found = call(folder.parent, "witness", "key", "--dir", str(folder), "--name", "witness.example/w1")
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@pytest.mark.clause("WT-03", "WT-05")
def test_a_witness_answers_over_http_as_the_protocol_says(tmp_path: Path) -> None:
    """Cosignature, size, refusals, another path and method, a body too large; SIGTERM ends it by 0."""
    key, log = made(tmp_path / "w"), log_of(9)
    with running(tmp_path / "w", KEY.text) as witness:
        first, wrong = witness.post(log.request(0, 4)), witness.post(log.request(2))
        others = [
            witness.post(log.request(4).replace(b"=\n", b"A\n", 1)).status_code,
            witness.post(b"x" * 200_001).status_code,
            httpx.get(f"{witness.address}/add-checkpoint", trust_env=False).status_code,
            httpx.post(f"{witness.address}/other", trust_env=False).status_code,
        ]
        witness.process.send_signal(signal.SIGTERM)
        ended = witness.process.wait(END_S)

    assert (first.status_code, first.text.startswith(f"— {key.split('+')[0]} ")) == (200, True)
    assert (wrong.status_code, wrong.headers["content-type"], wrong.text) == (409, "text/x.tlog.size", "4\n")
    assert (others, ended) == ([400, 413, 405, 404], 0)


@pytest.mark.clause("WT-04")
def test_a_witness_that_is_killed_at_any_moment_goes_on_from_what_it_answered(tmp_path: Path) -> None:
    """Whatever was answered is remembered by the next process, and a fork of it is refused."""
    made(tmp_path / "w")
    log, known = log_of(60), 0
    for life in range(3):
        with running(tmp_path / "w", KEY.text) as witness:
            threading.Timer(0.05 * (life + 1), witness.process.kill).start()
            with contextlib.suppress(httpx.HTTPError):
                while known < log.tree.size:
                    answer = witness.post(log.request(known, known + 1))
                    # The one before may have been kept, and its answer lost.
                    known = int(answer.text) if answer.status_code == 409 else known + 1
                    assert answer.status_code in (200, 409)

    with running(tmp_path / "w", KEY.text) as witness:
        told = witness.post(log.request(0))
        forked = witness.post(log_of(70, "fork").request(int(told.text)))

    assert told.status_code == 409
    assert known <= int(told.text) <= known + 1
    assert forked.status_code == 422


@pytest.mark.clause("WT-05")
def test_a_witness_without_a_key_or_with_a_wrong_key_of_a_log_does_not_begin(tmp_path: Path) -> None:
    """Each by its exit code and what to do."""
    made(tmp_path / "w")
    words = ("witness", "serve", "--dir")
    none = call(tmp_path, *words, str(tmp_path / "x"), "--log", KEY.text)
    wrong = call(tmp_path, *words, str(tmp_path / "w"), "--log", "x")
    twice = call(tmp_path, *words, str(tmp_path / "w"), "--log", KEY.text, "--log", KEY.text)
    again = call(tmp_path, "witness", "key", "--dir", str(tmp_path / "w"), "--name", "w")

    assert [each.returncode for each in (none, wrong, twice, again)] == [64, 65, 64, 64]
    assert "lockgate witness key" in none.stderr


@pytest.mark.clause("WT-09")
def test_witnesses_are_listed_in_a_file_that_commands_write(tmp_path: Path) -> None:
    """Added, shown, asked, and removed; what is wrong is refused and leaves the file as it was."""
    home, key = tmp_path / "home", made(tmp_path / "w")
    call(home, "create", "--app-id", "web", "--baseline", "v1", "--candidate", "v2")
    empty = call(home, "witnesses", "list")
    add = ("witnesses", "add", "w1", key)
    refused = [
        call(home, *add, "http://witness.example").returncode,
        call(home, "witnesses", "add", "w1", KEY.text, "https://witness.example").returncode,
        call(home, "witnesses", "remove", "w1").returncode,
    ]
    added = call(home, *add, "http://127.0.0.1:9")
    twice = call(home, *add, "http://127.0.0.1:9")
    asked = call(home, "witnesses", "ask", "--json")
    listed = json.loads(call(home, "witnesses", "list", "--json").stdout)
    removed = call(home, "witnesses", "remove", "w1")

    assert "No witness is asked" in empty.stdout
    assert refused == [64, 65, 64]
    assert (added.returncode, twice.returncode, removed.returncode) == (0, 64, 0)
    assert "it must know the key of this log: lockgate/default/" in added.stderr
    assert listed == {"witnesses": [{"name": "w1", "key": key, "url": "http://127.0.0.1:9", "cosigned": 0}]}
    assert (asked.returncode, json.loads(asked.stdout)["asked"][0]["outcome"]) == (69, "unreachable")
    assert (home / "witnesses.txt").read_text().endswith("\nquorum none\n")
    (home / "witnesses.txt").write_text(f"log {KEY.text}\nquorum none\n")
    assert call(home, *add, "http://127.0.0.1:9").returncode == 64
    (home / "witnesses.txt").write_text("witness w1")
    assert call(home, "witnesses", "list").returncode == 65


@pytest.mark.clause("WT-06", "WT-09", "WT-10")
def test_a_witness_of_another_team_cosigns_what_the_command_line_decides(tmp_path: Path) -> None:
    """From key to cosigned checkpoint, as the how-to does it; asked again, nobody is."""
    home, key = tmp_path / "home", made(tmp_path / "w")
    call(home, "create", "--app-id", "web", "--baseline", "v1", "--candidate", "v2")
    told = call(home, "witnesses", "add", "w1", key, "http://127.0.0.1:1").stderr
    call(home, "witnesses", "remove", "w1")
    log = next(line.rsplit(" ", 1)[1] for line in told.splitlines() if "must know" in line)
    with running(tmp_path / "w", log) as witness:
        call(home, "witnesses", "add", "w1", key, f"{witness.address}/")
        asked, again = call(home, "witnesses", "ask"), call(home, "witnesses", "ask")

    assert (asked.returncode, asked.stdout) == (0, "w1 cosigned 1 entries\n")
    assert "Nobody is to be asked" in again.stdout
    with sqlite_store(home).reading() as seen:
        note = witnessed_checkpoint(seen)
    assert note is not None
    assert [line.name for line in read_note(note).signatures][1:] == ["witness.example/w1"]


@pytest.mark.clause("WT-06", "WT-10")
def test_deliver_and_a_server_have_what_was_decided_cosigned(tmp_path: Path) -> None:
    """`deliver` asks once; a server asks by itself after a call, and serves the cosigned checkpoint."""
    server, key = Server(tmp_path / "home", _free_port(), tick_every=None), made(tmp_path / "w")
    created = server.lockgate("create", "--app-id", "web", "--baseline", "v1", "--candidate", "v2", "--json")
    rollout = json.loads(created.stdout)["id"]
    told = server.lockgate("witnesses", "add", "w1", key, "http://127.0.0.1:1").stderr
    server.lockgate("witnesses", "remove", "w1")
    log = next(line.rsplit(" ", 1)[1] for line in told.splitlines() if "must know" in line)
    with running(tmp_path / "w", log) as witness:
        server.lockgate("witnesses", "add", "w1", key, witness.address)
        delivered = server.lockgate("deliver")
        listed = json.loads(server.lockgate("witnesses", "list", "--json").stdout)["witnesses"][0]["cosigned"]
        server.begin()
        try:
            server.wait()
            headers = {"authorization": f"Bearer {server.token}"}
            paused = f"{server.address}/api/v1/rollouts/{rollout}/pause"
            httpx.post(paused, headers=headers, json={"reason": "drill"}, trust_env=False, timeout=10)
            until, lines = time.monotonic() + 20, list[str]()
            while time.monotonic() < until:
                served = httpx.get(f"{server.address}/api/v1/log/checkpoint", headers=headers, trust_env=False)
                lines = served.text.splitlines()
                if "witness.example/w1" in lines[-1] and lines[1] == "2":
                    break
                time.sleep(0.2)
        finally:
            server.kill()

    assert (delivered.returncode, listed) == (0, 1)
    assert (lines[1], lines[-1].split(" ")[1]) == ("2", "witness.example/w1")


@contextlib.contextmanager
def hanging() -> Iterator[str]:
    """Listen, take every connection, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.clause("WT-08")
def test_a_server_answers_and_ends_while_a_witness_hangs(tmp_path: Path) -> None:
    """The start tells it, each call is answered before the witness would be given up, and so is the end."""
    server, key = Server(tmp_path / "home", _free_port(), tick_every=None), made(tmp_path / "w")
    with hanging() as address:
        created = server.lockgate("create", "--app-id", "web", "--baseline", "v1", "--candidate", "v2", "--json")
        rollout = json.loads(created.stdout)["id"]
        server.lockgate("witnesses", "add", "w1", key, address)
        server.begin()
        try:
            server.wait()
            time.sleep(3)
            headers = {"authorization": f"Bearer {server.token}"}
            seconds = time.monotonic()
            answers = [
                httpx.post(
                    f"{server.address}/api/v1/rollouts/{rollout}/{verb}",
                    headers={**headers, "idempotency-key": f'"{verb}"'},
                    json={"reason": "drill"},
                    trust_env=False,
                    timeout=8,
                ).status_code
                for verb in ("pause", "resume", "rollback")
            ]
            code, seconds = server.end(), time.monotonic() - seconds
        finally:
            if server.is_running:
                server.kill()

    assert (answers, code) == ([200, 200, 200], 0)
    assert seconds < 8
    assert "witness w1: 127.0.0.1" in server.said


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
