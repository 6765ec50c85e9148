# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; how many runs a second a server keeps durably that are posted to it goes out.

    PYTHONPATH=. python bench/bench_http_ingest.py [ROUNDS]

`lockgate serve` is started as its users start it, on a store on disk, and asked for a key. Some connections that are
kept post bodies that were encoded before, each its own, until all are answered; an answer comes when the disk has the
batch. Runs are told by the clock and by the seconds of processor that the server took, because who sends shares this
machine with it. Beside it, in turn: the same bodies taken in this process, without HTTP.
"""

from __future__ import annotations

import http.client
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import NamedTuple

import numpy as np

from bench.bench_ingest import body_of
from bench.rounds import write
from bench.serving import Server, serving
from lockgate.operations.intake.ingest import ingest
from lockgate.wiring import local_house, run_batches

DATA = Path(__file__).resolve().parent / "data"
ROUNDS = 5
RUNS = 200_000
SIZES = (1_000, 10_000)
CONNECTIONS = 4
WARM = 20
# Runs a second of one core.
PROMISED = {1_000: 200_000, 10_000: 350_000}
NDJSON = "application/x-ndjson"


class Taken(NamedTuple):
    """Seconds by the clock, and seconds of processor of who kept the runs."""

    wall_s: float
    cpu_s: float


def main(arguments: list[str]) -> None:
    """Measure, print a line for each side and the ratio, and write bench/results/http_ingest.json."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    DATA.mkdir(exist_ok=True)
    results = {str(size): _measured(size, rounds) for size in SIZES}
    promised = {str(size): rate for size, rate in PROMISED.items()}
    write("http_ingest", {**results, "promised": promised, "connections": CONNECTIONS, "rounds": rounds})


def _measured(size: int, rounds: int) -> dict[str, object]:
    found: dict[str, list[Taken]] = {"http": [], "in_process": []}
    for number in range(rounds + 1):
        generator = np.random.default_rng([number, size])
        given = [body_of(generator, size) for _ in range(RUNS // size)]
        with TemporaryDirectory(dir=DATA) as folder:
            taken = {
                "http": _over_http(given, Path(folder) / "a"),
                "in_process": _in_process(given, Path(folder) / "b"),
            }
        # The first round warms up.
        if number:
            for side, one in taken.items():
                found[side].append(one)
    told = {}
    print(f"batches of {size:,} runs by {CONNECTIONS} connections (promised: {PROMISED[size]:,} runs/s of a core)")
    for side, times in found.items():
        told[side] = {
            "runs_per_s": round(RUNS / median(each.wall_s for each in times)),
            "runs_per_s_of_core": round(RUNS / median(each.cpu_s for each in times)),
        }
        print(f"  {side:12}{told[side]['runs_per_s']:10,} runs/s {told[side]['runs_per_s_of_core']:10,} of a core")
    ratio = round(told["http"]["runs_per_s_of_core"] / told["in_process"]["runs_per_s_of_core"], 2)
    print(f"  over HTTP {ratio} of what a core takes without it")
    return {**told, "of_in_process": ratio}


def _in_process(bodies: Sequence[bytes], home: Path) -> Taken:
    house, decoder = local_house(home), run_batches()
    for body in first_bodies():
        ingest(decoder.decode(body, None), house)
    wall, cpu = perf_counter(), process_time()
    for body in bodies:
        ingest(decoder.decode(body, None), house)
    return Taken(perf_counter() - wall, process_time() - cpu)


def _over_http(bodies: Sequence[bytes], home: Path) -> Taken:
    waiting: SimpleQueue[bytes] = SimpleQueue()
    for body in bodies:
        waiting.put(body)
    with serving(home) as server:
        first = http.client.HTTPConnection(server.host, server.port, timeout=60)
        for body in first_bodies():
            post(server, first, body)
        faults: list[BaseException] = []
        threads = [threading.Thread(target=_post_all, args=(server, waiting, faults)) for _ in range(CONNECTIONS)]
        wall, cpu = perf_counter(), server.cpu_s()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        taken = Taken(perf_counter() - wall, server.cpu_s() - cpu)
    if faults:
        raise faults[0]
    return taken


def first_bodies() -> list[bytes]:
    """Return batches with which all is loaded that any batch needs: that is not what is measured."""
    generator = np.random.default_rng(0)
    return [body_of(generator, 100) for _ in range(WARM)]


def _post_all(server: Server, waiting: SimpleQueue[bytes], faults: list[BaseException]) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    try:
        while True:
            post(server, connection, waiting.get_nowait())
    except Empty:
        connection.close()
    except BaseException as error:  # noqa: BLE001 -- told by the thread that waits
        faults.append(error)


def post(server: Server, connection: http.client.HTTPConnection, body: bytes) -> None:
    """Post a batch, all runs of which must be new."""
    connection.request("POST", "/api/v1/runs", body, {**server.headers, "content-type": NDJSON})
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200 or f'"runs": {body.count(10)}'.encode() not in said:
        raise RuntimeError(f"{answer.status}: {said[:300]!r}")


if __name__ == "__main__":
    os.environ.setdefault("LOCKGATE_BUSY_SECONDS", "60")
    main(sys.argv[1:])
