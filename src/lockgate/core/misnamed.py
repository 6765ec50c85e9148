# SPDX-License-Identifier: Apache-2.0
"""Lines of runs that were taken come in; fields that nobody reads and that look like one that is read go out, in words.

Other fields of a run are its sender's own, and none is refused; a slip would leave a metric unmeasured unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice

from lockgate.core.run import Run

# Who misnames a field does so in every run: the first few are looked at, so that it costs a batch nothing.
FEW, MAX_LOOK = 5, 1 << 16
# So alike that it is no other word: `latencyMs` is, `user_id` is not `unit_id`.
ALIKE = 0.85
FIELDS = frozenset(Run.__dataclass_fields__)


def misnamed(body: bytes) -> tuple[str, ...]:
    """Return a question for each field of the first runs that is nearly the name of one that is read."""
    found = dict.fromkeys(pair for run in islice(_runs(body), FEW) for pair in _slips(run))
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


def _slips(run: dict[str, object]) -> Iterator[tuple[str, str]]:
    for name in run.keys() - FIELDS:
        near = get_close_matches(name.lower()[:40], FIELDS - run.keys(), n=1, cutoff=ALIKE)
        if near:
            yield name[:40], near[0]
