# SPDX-License-Identifier: Apache-2.0
"""A shadow rollout of ten thousand ticks comes in; how long its bundle takes to be written, and its size, go out.

    PYTHONPATH=. python bench/bench_export.py [--quick]

A tick every 20 seconds signs a receipt, and every third reads a newly sealed bucket. The bundle is written to a file on
the disk, with proofs, every replay case, bundles of Sigstore, signatures for OpenSSH, the release record and the
timeline.
"""

from __future__ import annotations

import argparse
import resource
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from bench.line import Line, line
from bench.rounds import write
from lockgate.operations.bundle.bundle import Wanted, bundle
from lockgate.operations.tick import tick
from lockgate.report.bundle_pages import bundle_pages

PROMISED_S = 15.0
RECEIPTS, QUICK = 10_000, 1_000
RUNS, TICKS_OF_BUCKET = 20, 3
APP = "app"


def history(here: Line, receipts: int) -> str:
    """Let a shadow rollout take so many ticks, each on a bucket of its own, and return its id."""
    # So many runs are asked for that no step is ever satisfied.
    rollout = here.start(APP, "shadow")
    for number in range(receipts - 1):
        if number % TICKS_OF_BUCKET == 0:
            here.serve([APP], RUNS)
            here.seal()
        tick(rollout, here.house)
    return rollout


def export(here: Line, rollout: str, file: Path) -> tuple[float, float, int, Counter[str]]:
    """Return how long an export took, and of a processor, how many receipts it had, and bytes of each kind."""
    told = 0

    def tell(_what: str, number: int) -> None:
        nonlocal told
        told = number

    start, begun = perf_counter(), process_time()
    with (
        bundle(Wanted(rollout_id=rollout, pages=bundle_pages, tell=tell), here.house) as made,
        file.open("wb") as written,
    ):
        written.writelines(made.pieces())
        seconds, busy = perf_counter() - start, process_time() - begun
        sizes = Counter[str]()
        for name, (_, size) in made.files.digests().items():
            sizes[name.partition("/")[0]] += size
        assert told == made.receipts
        return seconds, busy, made.receipts, sizes


def main() -> None:
    """Measure, print a line each, and write bench/results/export.json."""
    parser = argparse.ArgumentParser(description="A bundle of ten thousand receipts.")
    parser.add_argument("--quick", action="store_true", help="a tenth of them; writes nothing")
    wanted = QUICK if parser.parse_args().quick else RECEIPTS
    with line() as here, TemporaryDirectory() as folder:
        start = perf_counter()
        rollout = history(here, wanted)
        built = perf_counter() - start
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        file = Path(folder) / "bundle.zip"
        seconds, busy, receipts, sizes = export(here, rollout, file)
        size = file.stat().st_size
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{receipts:,} receipts, made in {built:.1f} s, exported in {seconds:.2f} s; promised {PROMISED_S} s")
    print(f"  of a processor {busy:.2f} s")
    print(f"{size / 1e6:.1f} MB; memory grew by {grown / 1024:.0f} MiB at most")
    for kind, total in sizes.most_common(6):
        print(f"  {kind}: {total / 1e6:.1f} MB")
    if wanted == RECEIPTS:
        results = {
            "receipts": receipts,
            "seconds": round(seconds, 2),
            "processor_seconds": round(busy, 2),
            "promised_s": PROMISED_S,
            "bytes": size,
            "memory_grew_mib": round(grown / 1024),
            "bytes_by_kind": dict(sizes.most_common()),
        }
        print(f"wrote {write('export', results)}")


if __name__ == "__main__":
    main()
