# SPDX-License-Identifier: Apache-2.0
"""Logs of a thousand and of a million entries come in; what an append, a proof and a tile take in each goes out.

    PYTHONPATH=. python bench/bench_log.py [--quick]

Both logs are SQLite stores on disk. An append is the whole of what a decision adds: a durable transaction that signs a
receipt and a checkpoint, taken in turn in both, and beside it the same without the disk (the processor's time).
A proof is read from the store as a route reads it; beside it the root is recomputed from all leaf hashes in memory,
which is what a log without stored nodes has to do.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from bench.line import Line
from bench.rounds import write
from lockgate.core.checkpoint import Checkpoint
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.merkle import Tree, leaf_hash, node_hash
from lockgate.core.receipt import Draft
from lockgate.core.tile import Tile
from lockgate.core.vault import Receipt
from lockgate.operations.vault.keeping import Marks, keep, writing
from lockgate.operations.vault.origin import first_origin
from lockgate.operations.vault.proofs import entry, latest_proof
from lockgate.operations.vault.sign import sign_checkpoint
from lockgate.operations.vault.tiles import tile_bytes
from lockgate.ports.house import House

SMALL, LARGE = 1_000, 1_000_000
APPENDS, PROOFS, TILES = 300, 5_000, 200
# Entries that are put there by one transaction.
AT_ONCE = 20_000
MOST_RATIO, MOST_PROOF_MS = 1.2, 2.0
SERIES = "bench"


@dataclass(slots=True)
class Log:
    """A house whose log has so many entries."""

    house: House
    size: int

    def append(self) -> None:
        """Decide something: sign a receipt and a checkpoint, durably."""
        self.size += 1
        marks = Marks(
            series=SERIES, seq=self.size, revision=1, action=Action.HOLD, cause=Cause.INSUFFICIENT, at=self.size
        )
        with writing(self.house) as work:
            keep(work, self.house, Draft(f"bench-{self.size}", b"%d" % self.size + b"x" * 1_000), marks)

    def prove(self, index: int) -> None:
        """Read an entry and its proof."""
        with self.house.store.reading() as seen:
            latest_proof(seen, entry(seen, index))


@contextmanager
def log_of(size: int) -> Iterator[Log]:
    """Fill a log with entries that name the key which will go on, and leave it under a signed checkpoint."""
    with TemporaryDirectory() as folder:
        house = Line(Path(folder)).house
        tree = Tree()
        while tree.size < size:
            tree = _filled(house, tree, min(size, tree.size + AT_ONCE))
        yield Log(house, size)


def _filled(house: House, tree: Tree, size: int) -> Tree:
    # What was signed before is asked for its key alone.
    envelope = b'{"number":%d,"signatures":[{"keyid":"' + house.signers.receipt.key_id.encode("ascii") + b'"}]}'
    with house.store.writing() as work:
        for index in range(tree.size, size):
            data = envelope % index
            tree, nodes = tree.append(leaf_hash(data))
            receipt = Receipt(
                id=f"bench-{index + 1}",
                rollout_id=SERIES,
                seq=index + 1,
                revision=1,
                action="hold",
                cause="insufficient",
                at=index,
                index=index,
                envelope=data,
            )
            work.append(receipt, nodes)
        checkpoint = Checkpoint(first_origin(house), tree.size, tree.root)
        work.add_checkpoint(tree.size, sign_checkpoint(checkpoint, house.signers.log))
    return tree


def appends(small: Log, large: Log, rounds: int) -> dict[str, dict[str, float]]:
    """Return medians of appends in turn: milliseconds, and those of the processor."""
    walls: dict[str, list[float]] = {"small": [], "large": []}
    works: dict[str, list[float]] = {"small": [], "large": []}
    for _ in range(rounds):
        for name, log in (("small", small), ("large", large)):
            wall, work = time.perf_counter(), time.process_time()
            log.append()
            works[name].append(1_000 * (time.process_time() - work))
            walls[name].append(1_000 * (time.perf_counter() - wall))
    return {
        "wall_ms": {name: round(median(each), 4) for name, each in walls.items()},
        "processor_ms": {name: round(median(each), 4) for name, each in works.items()},
    }


def timed(call: Callable[[int], object], numbers: list[int]) -> dict[str, float]:
    """Return the median and the 99th percentile of calls in milliseconds, and that of the processor's."""
    took, worked = [], []
    for number in numbers:
        start, work = time.perf_counter(), time.thread_time()
        call(number)
        worked.append(1_000 * (time.thread_time() - work))
        took.append(1_000 * (time.perf_counter() - start))
    return {
        "p50_ms": round(median(took), 4),
        "p99_ms": round(quantiles(took, n=100)[98], 4),
        "processor_p99_ms": round(quantiles(worked, n=100)[98], 4),
    }


def recomputed(hashes: list[bytes]) -> float:
    """Return the milliseconds in which all leaf hashes come to the root."""
    start, row = time.perf_counter(), hashes
    while len(row) > 1:
        paired = [node_hash(row[place], row[place + 1]) for place in range(0, len(row) - 1, 2)]
        row = [*paired, row[-1]] if len(row) % 2 else paired
    return round(1_000 * (time.perf_counter() - start), 1)


def main() -> None:
    """Measure, print a line each, and write bench/results/log.json."""
    parser = argparse.ArgumentParser(description="A log of a million entries.")
    parser.add_argument("--quick", action="store_true", help="a log of 20,000 for the million; writes nothing")
    quick = parser.parse_args().quick
    size, rounds = (20_000, 50) if quick else (LARGE, APPENDS)
    draw = random.Random(1)
    with log_of(SMALL) as small, log_of(size) as large:
        appended = appends(small, large, rounds)
        proofs = timed(large.prove, [draw.randrange(size) for _ in range(rounds if quick else PROOFS)])
        tiles = [draw.randrange(size >> 8) for _ in range(min(TILES, rounds))]
        hashes = timed(lambda number: tile_bytes(Tile(0, number), large.house), tiles)
        entries = timed(lambda number: tile_bytes(Tile(None, number), large.house), tiles)
    peer = recomputed([leaf_hash(b"%d" % number) for number in range(size)])
    ratios = {name: round(each["large"] / each["small"], 3) for name, each in appended.items()}
    print(f"append to {size:,} entries / to {SMALL:,}: {ratios['wall_ms']:.2f} x, CPU {ratios['processor_ms']:.2f} x")
    print(
        f"proof at {size:,}: p50 {proofs['p50_ms']:.3f} ms, p99 {proofs['p99_ms']:.3f} ms; recomputed: {peer:,.0f} ms"
    )
    print(f"proof at {size:,}: p99 of the processor {proofs['processor_p99_ms']:.3f} ms")
    print(f"full tile made on demand: hashes {hashes['p50_ms']:.2f} ms, entries {entries['p50_ms']:.2f} ms")
    print(f"promised: at most {MOST_RATIO} x, and p99 of a proof at most {MOST_PROOF_MS} ms")
    results: dict[str, Any] = {
        "entries": size,
        "append": appended,
        "append_ratio": ratios,
        "proof": proofs,
        "recomputed_ms": peer,
        "tile_of_hashes": hashes,
        "tile_of_entries": entries,
        "promised": {"append_ratio": MOST_RATIO, "proof_p99_ms": MOST_PROOF_MS},
    }
    if not quick:
        write("log", results)


if __name__ == "__main__":
    main()
