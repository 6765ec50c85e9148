# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; how many schedules a minute the simulator runs, what they reach and what broke, goes out.

    PYTHONPATH=. python bench/bench_schedules.py [SECONDS] [FIRST_SEED]

Leaves by 1 when a rule broke; the line that is printed then shows that schedule again.
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import count
from time import process_time

from bench.rounds import write
from lockgate.testing.schedule import run_schedule
from lockgate.wiring import memory_store

SECONDS = 60.0
PROMISED_PER_MINUTE = 2_000
MAX_TOLD = 10


def main(arguments: list[str]) -> int:
    """Run schedules for so long on one core, print what they came to, and write bench/results/schedules.json."""
    seconds = float(arguments[0]) if arguments else SECONDS
    first = int(arguments[1]) if len(arguments) > 1 else 0
    reached: Counter[str] = Counter()
    broken: list[str] = []
    began, last = process_time(), first
    for seed in count(first):
        outcome = run_schedule(seed, memory_store())
        reached += outcome.counts
        broken += [outcome.line] if outcome.broken else []
        last = seed
        if process_time() - began >= seconds:
            break
    taken, schedules = process_time() - began, last - first + 1
    rate = round(schedules / taken * 60)
    for what, times in reached.most_common():
        print(f"{times:10,}  {what}")
    for line in broken[:MAX_TOLD]:
        print(line)
    print(f"{schedules:,} schedules of {reached['steps'] / schedules:.0f} steps, {len(broken)} broken a rule;", end=" ")
    print(f"{rate:,} a minute of one core (promised: {PROMISED_PER_MINUTE:,})")
    write("schedules", {
        "schedules": schedules, "broken": len(broken), "per_minute": rate, "promised_per_minute": PROMISED_PER_MINUTE,
        "first_seed": first, "reached": dict(sorted(reached.items())),
    })  # fmt: skip
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
