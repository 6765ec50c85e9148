# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; how long after a decision its webhook is at the receiver goes out.

    PYTHONPATH=. python bench/bench_webhook.py [DECISIONS]

A real `lockgate serve`, a real receiver that is a process of its own, and decisions over HTTP one after another: a
rollout is paused and resumed. Each is timed from `timestamp` in its message, which is when it was decided, before it
was signed and committed, to when the receiver has read the body; so the commit itself is within what is told. `beside`
is the same while a second receiver never answers.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from bench.rounds import write
from bench.serving import Server, serving

DECISIONS = 200
PROMISED_MS = 50.0
# Between two decisions, so that each finds a server at rest.
REST_S = 0.02
PATIENCE_S = 30
API = "/api/v1"


def main(arguments: list[str]) -> None:
    """Measure, print a line for each side, and write bench/results/webhook.json."""
    decisions = int(arguments[0]) if arguments else DECISIONS
    os.environ["LOCKGATE_WEBHOOK_ALLOW"] = "127.0.0.0/8"
    found: dict[str, Any] = {}
    with (
        TemporaryDirectory(prefix="lockgate-bench-") as folder,
        receiver() as (url, came),
        serving(Path(folder)) as server,
        silent() as stuck,
    ):
        post(server, "/webhooks", {"url": url, "events": ["rollout.pause", "rollout.resume"]})
        order = {"app_id": "web", "baseline": "v36", "candidate": "v37", "mode": "canary", "steps": "5,100"}
        rollout = str(post(server, "/rollouts", order)["id"])
        decided(server, rollout, 10)
        waited(came, 10)
        found["alone"] = told(server, rollout, decisions, came)
        post(server, "/webhooks", {"url": stuck})
        found["beside"] = told(server, rollout, decisions, came)
    for name, times in found.items():
        print(f"{name}: p50 {times['p50_ms']} ms, p99 {times['p99_ms']} ms, promised {PROMISED_MS:g} ms at p50")
    write("webhook", {**found, "decisions": decisions, "promised_ms": PROMISED_MS})


def told(server: Server, rollout: str, decisions: int, came: list[float]) -> dict[str, float]:
    """Return how long messages took from decision to receiver."""
    first = len(came)
    decided(server, rollout, decisions)
    times = sorted(waited(came, first + decisions)[first:])
    return {"p50_ms": round(median(times), 2), "p99_ms": round(times[len(times) * 99 // 100], 2)}


def decided(server: Server, rollout: str, decisions: int) -> None:
    """Pause and resume a rollout, so many times together."""
    for number in range(decisions):
        post(server, f"/rollouts/{rollout}/{('pause', 'resume')[number % 2]}", {"reason": "the bench"})
        time.sleep(REST_S)


def waited(came: list[float], count: int) -> list[float]:
    """Return what came once it is so many."""
    until = time.monotonic() + PATIENCE_S
    while len(came) < count and time.monotonic() < until:
        time.sleep(0.01)
    if len(came) < count:
        raise RuntimeError(f"{len(came)} messages came instead of {count}")
    return came


def post(server: Server, path: str, document: object) -> dict[str, Any]:
    """Return what a call is answered."""
    connection = HTTPConnection(server.host, server.port, timeout=PATIENCE_S)
    try:
        connection.request(
            "POST", API + path, json.dumps(document), {**server.headers, "content-type": "application/json"}
        )
        answer = connection.getresponse()
        said: dict[str, Any] = json.loads(answer.read())
    finally:
        connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{path} was answered {answer.status}: {said}")
    return said


@contextmanager
def receiver() -> Iterator[tuple[str, list[float]]]:
    """Receive in a process of its own until the block ends; what came is a list of milliseconds that grows."""
    process = subprocess.Popen([sys.executable, __file__, "receive"], stdout=subprocess.PIPE, text=True)
    came: list[float] = []
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        lines = process.stdout
        reader = threading.Thread(target=lambda: came.extend(map(float, lines)), daemon=True)
        reader.start()
        yield url, came
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@contextmanager
def silent() -> Iterator[str]:
    """Take connections and never answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def receive() -> None:
    """Print where messages are received, and of each how long after its decision it was read."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            now = time.time_ns() / 1e6
            self.send_response(204)
            self.end_headers()
            at = datetime.fromisoformat(json.loads(body)["timestamp"]).timestamp() * 1e3
            print(round(now - at, 3), flush=True)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:] == ["receive"]:
        receive()
    else:
        main(sys.argv[1:])
