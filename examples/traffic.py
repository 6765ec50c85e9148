# SPDX-License-Identifier: Apache-2.0
"""Error rates of some releases come in; runs of each, as if served until this moment, go out as JSON lines.

    python examples/traffic.py --app claims-agent --minutes 30 --runs 1000 v36=1% abc123=8% > runs.ndjson

The times follow the clock; everything else follows the seed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random


def runs_of(
    app: str, rates: dict[str, float], count: int, seconds: float, drawn: Random
) -> Iterator[dict[str, object]]:
    """Yield so many runs of each release, spread over the seconds before this moment."""
    end = time.time()
    for number in range(count):
        started = end - seconds * (1 - number / count)
        for release, rate in rates.items():
            yield {
                "run_id": f"{release}-{end:.0f}-{number}",
                "app_id": app,
                "release": release,
                "started_at": datetime.fromtimestamp(started, UTC).isoformat(timespec="milliseconds"),
                "status": "error" if drawn.random() < rate else "ok",
                "latency_ms": round(drawn.lognormvariate(6.0, 0.4), 1),
            }


def main() -> None:
    """Print the runs."""
    parser = argparse.ArgumentParser(description="Print runs of some releases, served until this moment.")
    parser.add_argument("releases", nargs="+", metavar="RELEASE=RATE", help="such as v36=1%%")
    parser.add_argument("--app", default="claims-agent")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=1000, help="of each release")
    parser.add_argument("--seed", type=int, default=36)
    given = parser.parse_args()
    named = (text.rpartition("=") for text in given.releases)
    rates = {release: float(rate.removesuffix("%")) / 100 for release, _, rate in named}
    for run in runs_of(given.app, rates, given.runs, given.minutes * 60, Random(given.seed)):  # noqa: S311 -- the same runs for the same seed
        print(json.dumps(run))


if __name__ == "__main__":
    main()
