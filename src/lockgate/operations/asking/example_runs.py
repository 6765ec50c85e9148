# SPDX-License-Identifier: Apache-2.0
"""An app, a release and a status come in; raw runs of that kind that are still kept go out, the latest first."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lockgate.core.batch import Ingested
from lockgate.core.instant import Instant
from lockgate.operations.asking.known_app import known_app
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot

# Batches that are looked through for one answer.
MAX_BATCHES = 2_000
PORTION = 100
_END = 2**62
# The name under which a line stands that is not read, whatever is asked for, and how much of it.
UNREAD, MAX_UNREAD = "unread", 200
MAX_DIGITS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which runs to look for; None is any."""

    app: str
    release: str | None = None
    status: str | None = None
    since: Instant | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One raw run as it came, and when; it did not count where its app had known its id."""

    came_at: Instant
    record: dict[str, Any]
    is_counted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Raw runs, the latest to come first; `until`: none are kept from before, but for pinned ones.

    `is_cut` says that more batches are kept than were looked through.
    """

    runs: tuple[Example, ...]
    until: Instant
    is_cut: bool


def example_runs(wanted: Wanted, house: House) -> Examples:
    """Return raw runs that are kept."""
    found: list[Example] = []
    ids: set[tuple[str, str, bool]] = set()
    looked_at = 0
    with house.store.reading(house.org) as seen:
        known_app(seen, wanted.app)
        for batch in _batches(seen, wanted):
            looked_at += 1
            body = seen.segment(batch.digest) if looked_at <= MAX_BATCHES else b""
            for example in _examples(body or b"", batch, wanted):
                run_id, release = (str(example.record.get(name)) for name in ("run_id", "release"))
                if "run_id" not in example.record or (run_id, release, example.is_counted) not in ids:
                    found.append(example)
                    ids.add((run_id, release, example.is_counted))
                if len(found) == wanted.limit:
                    return Examples(runs=tuple(found), until=seen.retention().raw_until, is_cut=False)
            if looked_at > MAX_BATCHES:
                break
        return Examples(runs=tuple(found), until=seen.retention().raw_until, is_cut=looked_at > MAX_BATCHES)


def _batches(seen: Snapshot, wanted: Wanted) -> Iterator[Ingested]:
    """Yield the batches with runs of the app, the latest first."""
    at, digest = _END, ""
    while portion := seen.batches_before(at, digest, PORTION):
        for batch in portion:
            if wanted.since is not None and batch.at < wanted.since:
                return
            if wanted.app in batch.apps or wanted.app in batch.left_out:
                yield batch
        at, digest = portion[-1].at, portion[-1].digest


def _examples(body: bytes, batch: Ingested, wanted: Wanted) -> Iterator[Example]:
    """Yield the runs of a body that are wanted, the last first."""
    mark = b"" if wanted.status is None else json.dumps(wanted.status).encode("ascii")
    lines = [line for line in body.split(b"\n") if line.strip()]
    for place in range(len(lines) - 1, -1, -1):
        line = lines[place]
        if _has_bit(batch.again, place):
            continue
        # A status may be written with escapes, where no line without a backslash hides it.
        if mark not in line and b"\\" not in line:
            continue
        record = _record(line)
        if UNREAD in record or _is_wanted(record, batch, wanted):
            yield Example(came_at=batch.at, record=record, is_counted=not _has_bit(batch.uncounted, place))


def _record(line: bytes) -> dict[str, Any]:
    """Return a line as a record; numbers that no program would read stay text, and so does a line that is not read."""
    try:
        found = json.loads(line, parse_int=_whole, parse_float=_decimal, parse_constant=str)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {UNREAD: line[:MAX_UNREAD].decode("utf-8", "replace")}


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= MAX_DIGITS else text


def _decimal(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _is_wanted(record: dict[str, Any], batch: Ingested, wanted: Wanted) -> bool:
    flags = record.get("flags")
    variant = flags.get(wanted.app) if isinstance(flags, dict) else None
    app = record.get("app_id") or batch.default_app
    if app != wanted.app and variant is None:
        return False
    release = str(record.get("release")) if app == wanted.app else variant
    return wanted.release in (None, release) and wanted.status in (None, record.get("status"))


def _has_bit(bits: bytes, place: int) -> bool:
    """Say whether a bit is set, the first of which is the highest of the first byte; none is of no bits."""
    return place >> 3 < len(bits) and bool(bits[place >> 3] << (place & 7) & 0x80)
