# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; how many runs a second two servers keep durably in one PostgreSQL goes out.

    PYTHONPATH=. python bench/bench_postgres_ingest.py [ROUNDS]

A cluster of this machine's own PostgreSQL is made with fsync on, and two `lockgate serve` are started on a database of
it. Connections that are kept post bodies that were encoded before, in turn to one server and the other, until all are
answered; an answer comes when PostgreSQL has the batch on disk. All of it, and who sends, shares this machine.
Each server is sent a few small batches first, as in bench_http_ingest.py: what any batch loads once is not measured.
Once all runs are of one app, whose batches wait for each other, and once each connection has an app of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from bench.bench_http_ingest import DATA, first_bodies, post
from bench.bench_ingest import body_of
from bench.rounds import write
from bench.serving import Server
from tests.postgresql import Cluster, cluster

ROUNDS, RUNS, CONNECTIONS = 3, 200_000, 4
SIZES = (1_000, 10_000)
# Runs a second through both servers.
PROMISED = 150_000
APP = "claims-agent"


def main(arguments: list[str]) -> None:
    """Measure, print a line for each size and spread, and write bench/results/postgres_ingest.json."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    DATA.mkdir(exist_ok=True)
    results = {}
    with cluster(has_fsync=True) as made:
        print(f"two servers on one PostgreSQL, {CONNECTIONS} connections (promised: {PROMISED:,} runs/s)")
        for size in SIZES:
            for apps in (1, CONNECTIONS):
                times = [_measured(made, size, apps, number) for number in range(rounds)]
                rate = round(RUNS / median(times))
                results[f"{size} of {apps}"] = rate
                print(f"  batches of {size:6,} runs of {apps} apps: {rate:10,} runs/s")
    write("postgres_ingest", {"runs_per_s": results, "promised": PROMISED, "rounds": rounds})


def _measured(made: Cluster, size: int, apps: int, number: int) -> float:
    """Return the seconds in which all runs were kept."""
    generator = np.random.default_rng([number, size])
    bodies = [_of_app(body_of(generator, size), place % apps) for place in range(RUNS // size)]
    with TemporaryDirectory(dir=DATA) as folder, ExitStack() as stack:
        servers = list(_servers(stack, made.new_database(), Path(folder)))
        shares = [bodies[place::CONNECTIONS] for place in range(CONNECTIONS)]
        faults: list[BaseException] = []
        threads = [
            threading.Thread(target=_post, args=(servers[place % 2], share, faults))
            for place, share in enumerate(shares)
        ]
        for server in servers:
            _post(server, [_of_app(body, server.port) for body in first_bodies()], faults)
        begun = perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = perf_counter() - begun
    if faults:
        raise faults[0]
    return seconds


def _of_app(body: bytes, number: int) -> bytes:
    return body.replace(f'"{APP}"'.encode(), f'"{APP}-{number}"'.encode())


def _post(server: Server, bodies: Sequence[bytes], faults: list[BaseException]) -> None:
    connection = HTTPConnection(server.host, server.port, timeout=60)
    try:
        for body in bodies:
            post(server, connection, body)
    except BaseException as error:  # noqa: BLE001 -- told by the thread that waits
        faults.append(error)
    finally:
        connection.close()


def _servers(stack: ExitStack, url: str, home: Path) -> Iterator[Server]:
    """Yield two servers on a database, which know one key."""
    environment = {
        **os.environ,
        "LOCKGATE_HOME": str(home),
        "LOCKGATE_STATE": str(home / "state"),
        "LOCKGATE_STORE": url,
    }
    make = [sys.executable, "-m", "lockgate", "keys", "create", "--name", "bench", "--allow", "sdk"]
    made = subprocess.run(make, env=environment, check=True, capture_output=True, text=True)
    token = made.stdout.split()[0]
    for _ in range(2):
        yield stack.enter_context(_serving(environment, token))


@contextmanager
def _serving(environment: dict[str, str], token: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "lockgate", "serve", "--port", "0", "--rate", "0", "--run-rate", "0"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        place = None
        while place is None:
            line = process.stderr.readline()
            if not line:
                raise RuntimeError(f"the server ended with {process.wait()}")
            place = re.search(r"answers at http://([^:]+):(\d+)", line)
        # Nobody reads on: what it says must not fill a pipe.
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield Server(place[1], int(place[2]), {"authorization": f"Bearer {token}"}, process.pid)
    finally:
        process.terminate()
        process.wait(60)


if __name__ == "__main__":
    main(sys.argv[1:])
