# SPDX-License-Identifier: Apache-2.0
"""A batch, and which of its runs are known by id, come in; which of these came before byte for byte goes out.

A log that grew comes whole again, which is as it should be; another run under an id that is known is lost. So the lines
of known runs are looked for in raw runs that are kept. It costs nothing where no run is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np

from lockgate.core.batch import Ingested, RunBatch
from lockgate.core.summary import Mask
from lockgate.errors import DataError
from lockgate.ports.store import Transaction

# The latest batches are looked through first: a log that comes each minute came whole with one of them.
MAX_BATCHES, MAX_BYTES = 1_000, 256 << 20
PORTION = 50
_END = 2**62


def come_again(work: Transaction, batch: RunBatch, also: Sequence[tuple[int, int]], is_known: Mask) -> Mask:
    """Say which known runs of a batch, spread by `also`, came before as they are; one that was not found did not."""
    is_again = np.zeros(is_known.size, np.bool_)
    lines = [line for line in batch.body.split(b"\n") if line.strip()] if is_known.any() else []
    if len(lines) != batch.own:
        return is_again
    first: dict[bytes, int] = {}
    for place, line in enumerate(lines):
        first.setdefault(line, place)
    of_run = [*range(batch.own), *(position for position, _ in also)]
    known = np.flatnonzero(is_known).tolist()
    unseen = {lines[of_run[place]] for place in known}
    for earlier, body in _bodies(work, batch):
        came = unseen.intersection(body.split(b"\n"))
        if earlier.default_app != batch.default_app:
            # A line that names no app was a run of another one there.
            came = {line for line in came if _names_app(line)}
        unseen -= came
        if not unseen:
            break
    for place in known:
        own = of_run[place]
        is_again[place] = lines[own] not in unseen or first[lines[own]] < own
    return is_again


def _names_app(line: bytes) -> bool:
    with suppress(ValueError, RecursionError):
        run = json.loads(line)
        return isinstance(run, dict) and run.get("app_id") is not None
    return False


def _bodies(work: Transaction, batch: RunBatch) -> Iterator[tuple[Ingested, bytes]]:
    """Yield the raw runs of earlier batches of the same apps, the latest first, as long as it is bounded."""
    apps = {each.app for each in batch.groups}
    size = 0
    for earlier in _earlier(work):
        if apps.isdisjoint({*earlier.apps, *earlier.left_out}):
            continue
        body = b""
        # Raw runs that cannot be read are found by a check; what comes now is kept all the same.
        with suppress(DataError):
            body = work.segment(earlier.digest) or b""
        size += len(body)
        if size > MAX_BYTES:
            return
        yield earlier, body


def _earlier(work: Transaction) -> Iterator[Ingested]:
    at, digest = _END, ""
    for _ in range(MAX_BATCHES // PORTION):
        portion = work.batches_before(at, digest, PORTION)
        yield from portion
        if len(portion) < PORTION:
            return
        at, digest = portion[-1].at, portion[-1].digest
