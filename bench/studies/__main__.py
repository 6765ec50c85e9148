# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; what the default flow does, through the real operations, goes out, into results and the page.

python -m bench.studies [--rollouts N]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bench.rounds import RESULTS, write
from bench.studies.flow import FLOWS, LATE, Flow, study
from bench.studies.table import filled

FULL = 300
PAGE = Path(__file__).resolve().parents[2] / "docs" / "statistics.md"


def main() -> int:
    """Study every flow and print a line for each; the full size is written down."""
    parser = argparse.ArgumentParser(prog="python -m bench.studies", description=__doc__)
    parser.add_argument("--rollouts", type=int, default=FULL, help="of each flow (default: %(default)s)")
    rollouts = parser.parse_args().rollouts
    rows, late = ([_studied(flow, rollouts) for flow in flows] for flows in (FLOWS, LATE))
    if rollouts == FULL:
        written = write("studies", {"rollouts": rollouts, "flows": rows, "late": late})
        measured = json.loads(written.read_text(encoding="utf-8"))
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), measured), encoding="utf-8")
        print(f"written: {written.relative_to(RESULTS.parents[1])}")
    return 0 if all(row["holds"] for row in rows) else 1


def _studied(flow: Flow, rollouts: int) -> dict[str, Any]:
    row = study(flow, rollouts)
    change = f"{100 * flow.baseline:g} % -> {100 * flow.candidate:g} % from step {flow.from_step} on"
    ends = f"full exposure {100 * row['full']:.1f} %, rolled back {100 * row['rolled_back']:.1f} %"
    runs = f"median candidate runs {row['runs_to_full']} to full, {row['runs_to_rollback']} to rollback"
    promised = {True: "holds", False: "BROKEN", None: "nothing is promised"}[row.get("holds")]
    print(f"{flow.runs:4d} runs per bucket, {change}: {ends}; {runs}: {promised}")
    return row


if __name__ == "__main__":
    sys.exit(main())
