# SPDX-License-Identifier: Apache-2.0
"""Simulate every case, print what broke its bound, and write results, tables and plots; exit 1 if a bound broke."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from bench.calibration import plots, power, promised, ramps, tables, traffic
from bench.calibration.row import Case, Size

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results" / "calibration.json"
CASES: tuple[Case, ...] = (*promised.CASES, *traffic.CASES, *ramps.CASES, *power.CASES)
SEED = 20_261
FULL_BUCKETS, SMOKE_BUCKETS = 1_000, 300
SMOKE_REPLICATES = 200


def simulate(index: int, size: Size) -> tuple[list[dict[str, object]], float]:
    """Return a case's rows and its seconds; a case's seed is its name, so cases neither share nor order draws."""
    case = CASES[index]
    began = time.perf_counter()
    rng = np.random.default_rng([SEED, zlib.crc32(f"{case.section} {case.name}".encode())])
    rows = [row.document() for row in case.run(rng, size)]
    return rows, time.perf_counter() - began


def simulate_all(size: Size, processes: int, only: str | None) -> dict[str, object]:
    """Return the rows of all sections, or of one, in the order of the catalogue."""
    sections: dict[str, list[dict[str, object]]] = {}
    chosen = [index for index, case in enumerate(CASES) if only in (None, case.section)]
    with ProcessPoolExecutor(processes) as pool:
        pending = [pool.submit(simulate, index, size) for index in chosen]
        for index, result in zip(chosen, pending, strict=True):
            case, (rows, seconds) = CASES[index], result.result()
            sections.setdefault(case.section, []).extend(rows)
            broken = [check for row in rows for check in _checks(row) if not check["holds"]]
            print(f"{seconds:6.1f} s  {case.section:15} {case.name}{'  BROKEN' if broken else ''}", flush=True)
            for check in broken:
                print(f"          {check['what']}: {check['value']} {check['relation']} {check['bound']} does not hold")
    return {"replicates": size.replicates, "buckets": size.buckets, "seed": SEED, "sections": sections}


def holds(document: dict[str, object]) -> bool:
    """Say whether every bound was kept."""
    return all(check["holds"] for rows in _sections(document).values() for row in rows for check in _checks(row))


def _checks(row: dict[str, object]) -> list[dict[str, object]]:
    checks = row["checks"]
    assert isinstance(checks, list)
    return checks


def main() -> int:
    """Run the command."""
    given = _arguments()
    if not given.render:
        size = Size(given.replicates, FULL_BUCKETS)
        if given.smoke:
            size = Size(SMOKE_REPLICATES, SMOKE_BUCKETS, smoke=True)
        began = time.perf_counter()
        document = simulate_all(size, given.processes, given.section)
        kept = holds(document)
        print(f"{time.perf_counter() - began:.0f} s, every bound kept: {'yes' if kept else 'NO'}")
        if given.smoke or not kept:
            return 0 if kept else 1
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(_joined(document, given.section), indent=1) + "\n", encoding="utf-8")
    written = json.loads(RESULTS.read_text(encoding="utf-8"))
    tables.write(ROOT / "docs" / "statistics.md", written)
    plots.write(ROOT / "docs" / "img", written)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="calibration", description=__doc__)
    parser.add_argument("--replicates", type=int, default=2_000)
    parser.add_argument("--smoke", action="store_true", help="200 replicates, wide bounds, nothing written")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--section", choices=sorted({case.section for case in CASES}), help="renew one section")
    parser.add_argument("--render", action="store_true", help="rewrite tables and plots from the last results")
    return parser.parse_args()


def _joined(document: dict[str, object], only: str | None) -> dict[str, object]:
    """Return the new results, beside the other sections of the last ones where one section was renewed."""
    if only is None:
        return document
    last = json.loads(RESULTS.read_text(encoding="utf-8"))
    if any(last[key] != document[key] for key in ("replicates", "buckets", "seed")):
        raise SystemExit("the other sections were simulated at another size: renew all of them")
    return {**last, "sections": {**last["sections"], **_sections(document)}}


def _sections(document: dict[str, object]) -> dict[str, list[dict[str, object]]]:
    sections = document["sections"]
    assert isinstance(sections, dict)
    return sections


if __name__ == "__main__":
    sys.exit(main())
