# SPDX-License-Identifier: Apache-2.0
"""The example receiver is a process in front of a real HAProxy or nginx; only signed webhooks move its traffic."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.interop.routers import haproxy, nginx, part, settles, share_of
from tests.receiver.signed import OLD_SECRET, SECRET, body, headers
from tests.receiver.test_receiver import post

pytestmark = [pytest.mark.interop, pytest.mark.clause("WH-69")]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPTS = EXAMPLES / "actuators"


@contextlib.contextmanager
def receiving(folder: Path, *program: object, **environment: str) -> Iterator[int]:
    """Run the example as a process and yield its port."""
    (folder / "secret").write_text(f"{SECRET}\n", encoding="ascii")
    options = ["--port", "0", "--secret-file", folder / "secret", "--applied", folder / "applied.json", "--"]
    command = [sys.executable, EXAMPLES / "receiver" / "receiver.py", *options, *program]
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    process = subprocess.Popen(
        [*map(str, command)], stderr=subprocess.PIPE, text=True, env={"PATH": path, **environment}
    )
    assert process.stderr is not None
    try:
        yield int(process.stderr.readline().rstrip().rstrip("/").rpartition(":")[2])
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        process.stderr.close()


def tell(port: int, index: int, weight: float, **changed: object) -> int:
    """Send a webhook that asks for a weight, and return the status of the answer."""
    kind = "rollout.promote" if weight else "rollout.rollback"
    return post(port, body(kind, log_index=index, weight=weight, **changed))[0]


def forged(weight: float) -> tuple[bytes, dict[str, str]]:
    """Return a webhook that asks for a weight and is signed with another secret."""
    sent = body(log_index=99, weight=weight)
    return sent, headers(sent, OLD_SECRET, at=time.time())


def test_haproxy_is_moved_by_signed_webhooks_alone(folder: Path) -> None:
    """Shares of real requests are what was told; a wrong signature and a late promote change nothing."""
    part("socat")
    with haproxy(folder) as address, receiving(folder, SCRIPTS / "haproxy.sh", folder / "s", "web") as port:
        told = [tell(port, 1, 12.5), post(port, *forged(100))[0]]
        first = share_of(address, "abc123")
        told.append(tell(port, 2, 50))
        half = share_of(address, "abc123")
        told += [tell(port, 4, 0), tell(port, 3, 100)]
        none = share_of(address, "abc123")

    # A change of weights in the middle of a round leaves some requests of that round elsewhere.
    assert (first, half) == pytest.approx((12.5, 50), abs=3)
    assert none == 0.0
    assert told == [200, 401, 200, 200, 200]


def test_nginx_is_moved_by_signed_webhooks_alone(folder: Path) -> None:
    """The shares are near what was told, and exact at both ends."""
    with nginx(folder) as address:
        options = ("-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log")
        with receiving(folder, SCRIPTS / "nginx.sh", folder / "split.conf", *options) as port:
            told = [tell(port, 1, 50), post(port, *forged(100))[0]]
            half = settles(address, "abc123", 40, 60)
            told.append(tell(port, 2, 100))
            full = settles(address, "abc123", 100, 100)
            told.append(tell(port, 3, 0))
            none = settles(address, "abc123", 0, 0)

    assert 40 <= half <= 60
    assert (full, none) == (100.0, 0.0)
    assert told == [200, 401, 200, 200]


def test_a_haproxy_that_is_gone_is_not_answered_by_2xx(folder: Path) -> None:
    """So that the webhook comes again, and then moves it."""
    with receiving(folder, SCRIPTS / "haproxy.sh", folder / "s", "web") as port:
        gone = tell(port, 1, 50)
        with haproxy(folder) as address:
            again = tell(port, 1, 50)
            share = settles(address, "abc123", 49, 51)

    assert (gone, again) == (503, 200)
    assert 49 <= share <= 51


def test_a_release_of_an_earlier_rollout_is_left_no_traffic(folder: Path) -> None:
    """A webhook says the whole split of its app, whatever the receiver missed before."""
    with haproxy(folder) as address, receiving(folder, SCRIPTS / "haproxy.sh", folder / "s", "web") as port:
        tell(port, 1, 50)
        told = tell(port, 5, 100, candidate_release="v36", target={"kind": "none", "release": None})
        share = share_of(address, "abc123")

    assert (told, share) == (200, 0.0)


def test_the_weight_that_was_read_back_is_acknowledged(folder: Path) -> None:
    """To the server that is named, with the key, for the revision that was told."""
    taken: list[Any] = []

    class Server(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
            taken.append((self.path, self.headers["authorization"], sent))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as the standard library has it
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        given = {"LOCKGATE_URL": f"http://127.0.0.1:{server.server_port}", "LOCKGATE_API_KEY": "rvk_x"}
        with haproxy(folder), receiving(folder, SCRIPTS / "haproxy.sh", folder / "s", "web", **given) as port:
            told = tell(port, 1, 12.5)
        server.shutdown()

    assert told == 200
    assert taken == [("/api/v1/rollouts/rol_01/weight", "Bearer rvk_x", {"weight": 12.5, "revision": 2})]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exit 3", "left by 3"),
        ("sleep 60 & sleep 60", "did not end within"),
        ("echo '{\"weight\": 7}'", "it has 7 %"),
        ("echo '{}'", "'weight'"),
    ],
)
def test_a_program_that_fails_is_no_move(script: str, says: str, folder: Path, tmp_path: Path) -> None:
    """Its code, its time, and what it reads back are looked at; what it started is ended with it."""
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    with receiving(folder, program) as port:
        status, answer = post(port, body(log_index=1))

    assert status == 503
    assert says in answer.decode()
