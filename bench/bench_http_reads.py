# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; how long a small call waits while a hundred clients post runs and a server ticks goes out.

    PYTHONPATH=. python bench/bench_http_reads.py [SECONDS]

`lockgate serve --tick-every 1s` is started as its users start it, on a store on disk with one rollout. Another process
has 100 connections that are kept, each of which posts a batch of 100 runs as soon as the one before is answered. This
one asks where the rollout stands, again and again: first while nobody posts, then while all do.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import multiprocessing
import sys
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

import numpy as np

from bench.bench_ingest import body_of
from bench.rounds import write
from bench.serving import Server, serving

DATA = Path(__file__).resolve().parent / "data"
SECONDS = 20.0
CLIENTS, RUNS = 100, 100
BODIES = 3_000
PROMISED_P99_MS = 50.0
ORDER = {"app_id": "claims-agent", "baseline": "v36", "candidate": "abc123"}


def main(arguments: list[str]) -> None:
    """Measure, print the times with and without load, and write bench/results/http_reads.json."""
    seconds = float(arguments[0]) if arguments else SECONDS
    DATA.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=DATA) as folder, serving(Path(folder), "--tick-every", "1s") as server:
        rollout = _created(server)
        alone = _reads(server, rollout, seconds / 4)
        context = multiprocessing.get_context("spawn")
        posted = context.Queue()
        began, over = context.Event(), context.Event()
        poster = context.Process(target=_post, args=(server, began, over, posted))
        poster.start()
        assert began.wait(120)
        # What came first may find everything cold.
        sleep(1)
        loaded = _reads(server, rollout, seconds)
        over.set()
        batches, spent_s, worst_s = posted.get(timeout=60)
        poster.join(60)
    rate = round(batches * RUNS / spent_s)
    told = {"alone": _told(alone), "loaded": _told(loaded)}
    for name, row in told.items():
        print(f"{name:7} p50 {row['p50_ms']:7.2f} ms  p99 {row['p99_ms']:7.2f} ms  worst {row['worst_ms']:7.2f} ms")
    print(f"promised: p99 {PROMISED_P99_MS:g} ms")
    print(f"{CLIENTS} clients posted {rate:,} runs/s meanwhile, and waited {worst_s:.2f} s at most")
    results = {**told, "runs_per_s": rate, "worst_post_s": round(worst_s, 3), "promised_p99_ms": PROMISED_P99_MS}
    write("http_reads", {**results, "clients": CLIENTS, "runs_of_batch": RUNS})


def _created(server: Server) -> str:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    headers = {**server.headers, "content-type": "application/json"}
    connection.request("POST", "/api/v1/rollouts", json.dumps(ORDER), headers)
    answer = connection.getresponse()
    found = json.loads(answer.read())
    if answer.status != 201:
        raise RuntimeError(f"{answer.status}: {found}")
    return answer.headers["location"]


def _reads(server: Server, rollout: str, seconds: float) -> list[float]:
    """Return how long each read took."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    times, end = [], perf_counter() + seconds
    while perf_counter() < end:
        began = perf_counter()
        connection.request("GET", rollout, headers=server.headers)
        answer = connection.getresponse()
        answer.read()
        times.append(perf_counter() - began)
        if answer.status != 200:
            raise RuntimeError(str(answer.status))
        # A person, or a job, that looks; not one more load.
        sleep(0.01)
    return times


def _told(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    found = {"p50": median(ordered), "p99": ordered[len(ordered) * 99 // 100], "worst": ordered[-1]}
    return {**{f"{name}_ms": round(1_000 * value, 2) for name, value in found.items()}, "reads": len(ordered)}


def _post(server: Server, began: Event, over: Event, posted: multiprocessing.Queue[tuple[int, float, float]]) -> None:
    """Post batches from many connections until it is over; tell how many, in how long, and the longest wait."""
    generator = np.random.default_rng(1)
    bodies = [body_of(generator, RUNS) for _ in range(BODIES)]
    posted.put(asyncio.run(_post_all(server, bodies, began, over)))


async def _post_all(server: Server, bodies: list[bytes], began: Event, over: Event) -> tuple[int, float, float]:
    waits: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        # Where all were sent too soon the time that is told is that of those who were there.
        while bodies and not over.is_set():
            body = bodies.pop()
            asked = perf_counter()
            writer.write(_head(server, len(body)) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            said = await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(repr(head[:60] + said[:200]))
            waits.append(perf_counter() - asked)
        writer.close()

    first = perf_counter()
    began.set()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return len(waits), perf_counter() - first, max(waits)


def _head(server: Server, length: int) -> bytes:
    fields = {**server.headers, "host": f"{server.host}:{server.port}", "content-length": str(length)}
    lines = [f"{name}: {text}\r\n" for name, text in {**fields, "content-type": "application/x-ndjson"}.items()]
    return f"POST /api/v1/runs HTTP/1.1\r\n{''.join(lines)}\r\n".encode()


if __name__ == "__main__":
    main(sys.argv[1:])
