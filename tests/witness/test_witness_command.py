# SPDX-License-Identifier: Apache-2.0
"""Real processes of a witness and of a server come in; one cosigns what the other decides, and never delays it."""

from __future__ import annotations

import contextlib
import json
import re
import select
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

from lockgate.core.cosignature import read_witness_key
from lockgate.core.note import read_note
from lockgate.errors import UnreachableError
from lockgate.operations.soundness.fsck import log_origin
from lockgate.operations.vault.sign import log_key
from lockgate.operations.vault.witnessed import witnessed_checkpoint
from lockgate.ports.witness import WitnessAnswer
from lockgate.server import vouching_loop
from lockgate.wiring import local_house, make_witness, open_witness, sqlite_store
from tests.server.served import served
from tests.servers.process import Server
from tests.spec.line import created, world
from tests.witness.machine import Machine, free_port
from tests.witness.witnessed import KEY, ORIGIN, Beside, log_of, witness

# How long something may take before a test is given up; nothing is concluded from how long it took.
END_S = 60.0


@dataclass
class Running:
    """A witness that answers at an address."""

    process: subprocess.Popen[str]
    address: str

    def post(self, body: bytes) -> httpx.Response:
        """Send a request."""
        return httpx.post(f"{self.address}/add-checkpoint", content=body, timeout=END_S, trust_env=False)

    @contextlib.contextmanager
    def asked(self, body: bytes) -> Iterator[socket.socket]:
        """Send a request, and read no answer."""
        host, _, port = self.address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), END_S) as connection:
            head = f"POST /add-checkpoint HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode("ascii") + body)
            yield connection


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
    return make_witness(folder, "witness.example/w1").public.text


@pytest.mark.clause("WT-03", "WT-05")
def test_a_witness_answers_over_http_as_the_protocol_says(tmp_path: Path) -> None:
    """Cosignature, size, refusals, another path and method, a body too large; SIGTERM ends it by 0."""
    key, log = made(tmp_path / "w"), log_of(9)
    with running(tmp_path / "w", KEY.text) as witness:
        first, wrong = witness.post(log.request(0, 4)), witness.post(log.request(2))
        others = [
            witness.post(log.request(4).replace(b"=\n", b"A\n", 1)).status_code,
            witness.post(b"x" * 200_001).status_code,
            httpx.get(f"{witness.address}/add-checkpoint", trust_env=False, timeout=END_S).status_code,
            httpx.post(f"{witness.address}/other", trust_env=False, timeout=END_S).status_code,
        ]
        witness.process.send_signal(signal.SIGTERM)
        ended = witness.process.wait(END_S)

    assert (first.status_code, first.text.startswith(f"— {key.split('+')[0]} ")) == (200, True)
    assert (wrong.status_code, wrong.headers["content-type"], wrong.text) == (409, "text/x.tlog.size", "4\n")
    assert (others, ended) == ([400, 413, 405, 404], 0)


@pytest.mark.clause("WT-04")
def test_a_witness_that_is_killed_at_any_moment_goes_on_from_what_it_answered(tmp_path: Path) -> None:
    """Just asked, when it has kept a tree, and when nobody has read its answer; a fork is refused by the next one."""
    made(tmp_path / "w")
    log, known = log_of(60), 0
    for moment in (lambda *_: None, _until_kept, _until_answered):
        with running(tmp_path / "w", KEY.text) as witness:
            for _ in range(3):
                answer = witness.post(log.request(known, known + 1))
                # The one before may have been kept, and its answer lost.
                known = int(answer.text) if answer.status_code == 409 else known + 1
                assert answer.status_code in (200, 409)
            with witness.asked(log.request(known, known + 1)) as connection:
                moment(tmp_path / "w", known, connection)
                witness.process.kill()
                witness.process.wait(END_S)

    with running(tmp_path / "w", KEY.text) as witness:
        told = witness.post(log.request(0))
        forked = witness.post(log_of(70, "fork").request(int(told.text)))

    assert (known, told.status_code, int(told.text)) == (9, 409, 10)
    assert forked.status_code == 422


def _until_kept(folder: Path, known: int, _connection: socket.socket) -> None:
    """Wait until a larger tree is on disk, whether its cosignature was made or not."""
    _key, memory = open_witness(folder)
    until = time.monotonic() + END_S
    while (memory.latest(ORIGIN) or (0,))[0] <= known:
        assert time.monotonic() < until
        time.sleep(0.001)


def _until_answered(_folder: Path, _known: int, connection: socket.socket) -> None:
    """Wait until the answer is there, and read none of it."""
    assert select.select([connection], [], [], END_S)[0]


@pytest.mark.clause("WT-05")
def test_a_witness_without_a_key_or_with_a_wrong_key_of_a_log_does_not_begin(tmp_path: Path) -> None:
    """Each by its exit code and what to do."""
    call = Machine(tmp_path / "home").call
    key = ("witness", "key", "--dir", str(tmp_path / "w"), "--name", "witness.example/w1")
    once, again = call(*key), call(*key)
    words = ("witness", "serve", "--dir")
    none = call(*words, str(tmp_path / "x"), "--log", KEY.text)
    wrong = call(*words, str(tmp_path / "w"), "--log", "x")
    twice = call(*words, str(tmp_path / "w"), "--log", KEY.text, "--log", KEY.text)

    assert [each.returncode for each in (once, again, none, wrong, twice)] == [0, 64, 64, 65, 64]
    assert read_witness_key(once.stdout.strip()).name == "witness.example/w1"
    assert "lockgate witness key" in none.stderr


@pytest.mark.clause("WT-09")
def test_witnesses_are_listed_in_a_file_that_commands_write(tmp_path: Path) -> None:
    """Added, shown, asked, and removed; what is wrong is refused and leaves the file as it was."""
    here, key = Machine(tmp_path / "home"), made(tmp_path / "w")
    here.create("v2")
    call, listing = here.call, here.home / "witnesses.txt"
    empty = call("witnesses", "list")
    add = ("witnesses", "add", "w1", key)
    refused = [
        call(*add, "http://witness.example").returncode,
        call("witnesses", "add", "w1", KEY.text, "https://witness.example").returncode,
        call("witnesses", "remove", "w1").returncode,
    ]
    added = call(*add, "http://127.0.0.1:9")
    twice = call(*add, "http://127.0.0.1:9")
    asked = call("witnesses", "ask", "--json")
    listed = json.loads(call("witnesses", "list", "--json").stdout)
    removed = call("witnesses", "remove", "w1")

    assert "No witness is asked" in empty.stdout
    assert refused == [64, 65, 64]
    assert (added.returncode, twice.returncode, removed.returncode) == (0, 64, 0)
    assert "it must know the key of this log: lockgate/default/" in added.stderr
    assert listed == {"witnesses": [{"name": "w1", "key": key, "url": "http://127.0.0.1:9", "cosigned": 0}]}
    assert (asked.returncode, json.loads(asked.stdout)["asked"][0]["outcome"]) == (69, "unreachable")
    assert listing.read_text().endswith("\nquorum none\n")
    listing.write_text(f"log {KEY.text}\nquorum none\n")
    assert call(*add, "http://127.0.0.1:9").returncode == 64
    listing.write_text("witness w1")
    assert call("witnesses", "list").returncode == 65


@pytest.mark.clause("WT-06", "WT-09", "WT-10")
def test_a_witness_of_another_team_cosigns_what_the_command_line_decides(tmp_path: Path) -> None:
    """From key to cosigned checkpoint, as the how-to does it; asked again, nobody is."""
    here, key = Machine(tmp_path / "home"), made(tmp_path / "w")
    here.create("v2")
    call = here.call
    told = call("witnesses", "add", "w1", key, "http://127.0.0.1:1").stderr
    call("witnesses", "remove", "w1")
    log = next(line.rsplit(" ", 1)[1] for line in told.splitlines() if "must know" in line)
    with running(tmp_path / "w", log) as witness:
        call("witnesses", "add", "w1", key, f"{witness.address}/")
        asked, again = call("witnesses", "ask"), call("witnesses", "ask")

    assert (asked.returncode, asked.stdout) == (0, "w1 cosigned 1 entry\n")
    assert "Nobody is to be asked" in again.stdout
    with sqlite_store(here.home).reading() as seen:
        note = witnessed_checkpoint(seen)
    assert note is not None
    assert [line.name for line in read_note(note).signatures][1:] == ["witness.example/w1"]


@pytest.mark.clause("WT-06", "WT-10")
def test_deliver_and_a_server_have_what_was_decided_cosigned(tmp_path: Path) -> None:
    """`deliver` asks once; a server asks by itself after a call, and serves the cosigned checkpoint."""
    server, key = Server(tmp_path / "home", free_port(), tick_every=None), made(tmp_path / "w")
    here = Machine(server.home)
    rollout = here.create("v2")
    log = log_key(log_origin(local_house(server.home)), local_house(server.home).signers.log)
    with running(tmp_path / "w", log.text) as witness:
        here.call("witnesses", "add", "w1", key, witness.address)
        delivered = here.call("deliver")
        listed = json.loads(here.call("witnesses", "list", "--json").stdout)["witnesses"][0]["cosigned"]
        server.begin()
        try:
            server.wait()
            headers = {"authorization": f"Bearer {server.token}"}
            paused = f"{server.address}/api/v1/rollouts/{rollout}/pause"
            httpx.post(paused, headers=headers, json={"reason": "drill"}, trust_env=False, timeout=END_S)
            until, lines = time.monotonic() + END_S, list[str]()
            while time.monotonic() < until:
                place = f"{server.address}/api/v1/log/checkpoint"
                served = httpx.get(place, headers=headers, trust_env=False, timeout=END_S)
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
def test_a_server_starts_and_ends_beside_a_witness_that_hangs(tmp_path: Path) -> None:
    """The start tells it, calls are answered, and so is the end."""
    server, key = Server(tmp_path / "home", free_port(), tick_every=None), made(tmp_path / "w")
    here = Machine(server.home)
    rollout = here.create("v2")
    with hanging() as address:
        here.call("witnesses", "add", "w1", key, address)
        server.begin()
        try:
            server.wait()
            paused = httpx.post(
                f"{server.address}/api/v1/rollouts/{rollout}/pause",
                headers={"authorization": f"Bearer {server.token}"},
                json={"reason": "drill"},
                trust_env=False,
                timeout=END_S,
            )
            code = server.end()
        finally:
            if server.is_running:
                server.kill()

    assert (paused.status_code, code) == (200, 0)
    assert "witness w1: 127.0.0.1" in server.said


@pytest.mark.clause("WT-08")
def test_no_call_and_no_end_waits_for_a_witness_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked, and answers only when all else is over."""
    monkeypatch.setattr(vouching_loop, "GLANCE_S", 0.01)
    here, is_asked, is_over = world(), threading.Event(), threading.Event()
    rollout = created(here).rollout.id

    def hang(_body: bytes) -> WitnessAnswer:
        is_asked.set()
        is_over.wait()
        raise UnreachableError("it did not answer in time")

    beside = Beside(witness(tmp_path / "w", KEY), answer=hang)
    try:
        with served(here) as door, vouching_loop.vouching_loop(here.house, beside, None, lambda _: None):
            assert is_asked.wait(END_S)
            operator = door.caller("admin")
            path = f"/api/v1/rollouts/{rollout}"
            answers = [operator.post(f"{path}/{verb}", {"reason": "drill"}) for verb in ("pause", "resume", "rollback")]
    finally:
        is_over.set()

    assert [each.status_code for each in answers] == [200, 200, 200]
