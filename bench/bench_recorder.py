# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; what it costs the calling thread to record a run, beside what else a block may cost, goes out.

    PYTHONPATH=. python bench/bench_recorder.py [ROUNDS]

A run is `with record("claims-agent") as run: run.score("groundedness", 0.93)` and nothing else. In each round, in turn:
bursts of runs of `ours`, whose background thread sends them to a file meanwhile; of `no_op`, a bare context manager
of a class with a method; and of `json`, which is what an application that wrote the line itself would wait for at
least: time, a dict and json.dumps. Each burst is a batch; the time of the thread that sends is told as well.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from time import perf_counter, perf_counter_ns, process_time, time_ns
from types import TracebackType
from typing import Self

from bench.rounds import write
from lockgate import Recorder

ROUNDS = 20
BURST = 5_000
PROMISED_US = 5.0
SCORE = 0.93


class Nothing:
    """A context manager that does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def score(self, name: str, value: float) -> None:
        """Do nothing."""


def main(arguments: list[str]) -> None:
    """Measure, print a line for each side, and write bench/results/recorder.json."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    with TemporaryDirectory(prefix="lockgate-bench-") as folder:
        recorder = Recorder(file=Path(folder) / "runs.ndjson", release="v36")
        sides: dict[str, Callable[[], None]] = {
            "ours": lambda: _ours(recorder),
            "no_op": _no_op,
            "json": _json,
        }
        found: dict[str, list[list[int]]] = {name: [] for name in sides}
        sent_us: list[float] = []
        for number in range(rounds + 1):
            for name, one in sides.items():
                cpu, began = process_time(), perf_counter()
                times = _times(one)
                if name == "ours":
                    recorder.flush(60)
                    # What the process spent in all, less what the caller waited: an upper bound where it waited for it.
                    spent = process_time() - cpu - sum(times) / 1e9
                    sent_us += [1e6 * max(0.0, spent) / BURST] if number and perf_counter() > began else []
                # The first round warms up.
                if number:
                    found[name].append(times)
        assert recorder.counts().sent == (rounds + 1) * BURST
        recorder.close()
    told = {name: _told(bursts) for name, bursts in found.items()}
    for name, row in told.items():
        print(f"{name:6} p50 {row['p50_us']:6.2f} us   mean {row['mean_us']:6.2f} us   p99 {row['p99_us']:7.2f} us")
    ratio = round(told["ours"]["p50_us"] / told["json"]["p50_us"], 2)
    print(f"promised: {PROMISED_US:g} us; {ratio} of what json.dumps of the record takes the caller")
    print(f"the background thread takes {median(sent_us):.1f} us of a processor for a run")
    results = {**told, "of_json": ratio, "background_us": round(median(sent_us), 2), "promised_us": PROMISED_US}
    write("recorder", {**results, "rounds": rounds, "burst": BURST})


def _times(one: Callable[[], None]) -> list[int]:
    times = []
    for _ in range(BURST):
        began = perf_counter_ns()
        one()
        times.append(perf_counter_ns() - began)
    return times


def _told(bursts: list[list[int]]) -> dict[str, float]:
    """Return the median over bursts, so that a moment in which others had the processor counts once."""
    return {
        "p50_us": round(median(median(times) for times in bursts) / 1e3, 3),
        "mean_us": round(median(fmean(times) for times in bursts) / 1e3, 3),
        "p99_us": round(median(sorted(times)[len(times) * 99 // 100] for times in bursts) / 1e3, 3),
    }


def _ours(recorder: Recorder) -> None:
    with recorder.record("claims-agent") as run:
        run.score("groundedness", SCORE)


def _no_op() -> None:
    with Nothing() as run:
        run.score("groundedness", SCORE)


def _json() -> None:
    started, began = time_ns(), perf_counter()
    record = {
        "run_id": f"c677bec7-0294-4a8e-8b2f-{started & 0xFFFFFFFFFFFF:012x}",
        "app_id": "claims-agent",
        "release": "v36",
        "started_at": f"2026-11-02T10:00:{started // 10**9 % 60:02d}.{started // 1_000 % 10**6:06d}Z",
        "status": "ok",
        "scores": {"groundedness": SCORE},
        "latency_ms": round(1_000 * (perf_counter() - began), 3),
    }
    json.dumps(record)


if __name__ == "__main__":
    main(sys.argv[1:])
