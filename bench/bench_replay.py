# SPDX-License-Identifier: Apache-2.0
"""A rollout whose every tick is a receipt comes in; how many of its decisions are replayed in a second goes out.

    PYTHONPATH=. python bench/bench_replay.py [--quick]

Each receipt binds one bucket of 400 runs under five gates. From a store its cases are made from buckets and receipts,
from a bundle they are read; a case is replayed by folding, judging, deciding and drafting, and its bytes are compared.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from statistics import median
from time import perf_counter

from bench.bench_tick import APP, NEW_RUNS
from bench.line import line
from bench.rounds import write
from lockgate.core.replay.case import Case
from lockgate.core.replay.case_reading import read_case
from lockgate.core.replay.outcome import Past, Result, compared, past_of, record_of
from lockgate.operations.replay.cases import cases
from lockgate.operations.tick import tick


def replay(read: Sequence[tuple[bytes, Case]]) -> None:
    """Replay receipts in their order, or stop where one is not made again."""
    past: Past | None = None
    for envelope, case in read:
        record = record_of(envelope)
        outcome, remade = compared(record, case, past)
        assert outcome.result is Result.EQUAL, outcome
        assert remade is not None
        past = past_of(record, remade)


def main() -> None:
    """Measure, print a line each, and write bench/results/replay.json."""
    parser = argparse.ArgumentParser(description="Decisions made again in a second.")
    parser.add_argument("--quick", action="store_true", help="fewer receipts; writes nothing")
    quick = parser.parse_args().quick
    with line() as here:
        rollout = here.start(APP, "shadow")
        for _ in range(30 if quick else 500):
            here.serve([APP], NEW_RUNS)
            here.seal()
            tick(rollout, here.house)
        start = perf_counter()
        with here.house.store.reading() as seen:
            found = [(each.receipt.envelope, each.case) for each in cases(seen, rollout)]
        made_s = perf_counter() - start
    kept = [(envelope, case.encode()) for envelope, case in found if case is not None]
    start = perf_counter()
    read = [(envelope, read_case(data)) for envelope, data in kept]
    read_s = perf_counter() - start
    start = perf_counter()
    replay(read)
    replayed_s = perf_counter() - start
    count = len(read)
    results = {
        "receipts": count,
        "cases_from_store_per_s": round(count / made_s),
        "cases_read_per_s": round(count / read_s),
        "replays_per_s": round(count / replayed_s),
        "from_store_per_s": round(count / (made_s + replayed_s)),
        "from_bundle_per_s": round(count / (read_s + replayed_s)),
        "case_bytes": round(median(len(data) for _, data in kept)),
    }
    for name, value in results.items():
        print(f"{name}: {value:,}")
    if not quick:
        write("replay", results)


if __name__ == "__main__":
    main()
