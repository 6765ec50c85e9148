# SPDX-License-Identifier: Apache-2.0
"""Lines of runs that were taken come in; fields that nobody reads and that look like one that is read go out, in words.

Other fields of a run are its sender's own, and none is refused; a slip would leave a metric unmeasured unseen.
What came live, as an import, and by `lockgate ingest`, is asked by this one rule.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from itertools import islice

from lockgate.core.meant_field import meant_field
from lockgate.core.run import Run

# Who misnames a field does so in every run: the first few are looked at, so that it costs a batch nothing.
FEW, MAX_LOOK = 5, 1 << 16
FIELDS = frozenset(Run.__dataclass_fields__)
STARTED_AT = "started_at"
# What other programs call the time at which a run began, the likeliest first.
TIME_NAMES = ("timestamp", "@timestamp", "time", "ts", "start_time", "start", "created_at", "date")


def misnamed(body: bytes, *, by_start_time: bool = False) -> tuple[str, ...]:
    """Return a question for each field of the first runs that is nearly the name of one that is read.

    `by_start_time`: runs count by their start, so that one that names none is asked which field may be meant.
    """
    slips = partial(_slips, by_start_time=by_start_time)
    found = dict.fromkeys(pair for run in islice(_runs(body), FEW) for pair in slips(run))
    return tuple(f"{name!r} is no field that is read; did you mean '{meant}'?" for name, meant in found)


def _runs(body: bytes) -> Iterator[dict[str, object]]:
    # What begins beyond is not whole.
    for line in body[:MAX_LOOK].splitlines():
        try:
            run = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError):
            return
        if isinstance(run, dict):
            yield run


def _slips(run: dict[str, object], *, by_start_time: bool) -> Iterator[tuple[str, str]]:
    if by_start_time and run.get(STARTED_AT) is None:
        yield from ((name, STARTED_AT) for name in [each for each in TIME_NAMES if each in run][:1])
    for name in sorted(run.keys() - FIELDS):
        meant = meant_field(name, FIELDS - run.keys())
        if meant is not None:
            yield name, meant
