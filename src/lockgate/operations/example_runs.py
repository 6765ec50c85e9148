# SPDX-License-Identifier: Apache-2.0
"""An app, a release and a status come in; raw runs of that kind that are still kept go out, the latest first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lockgate.core.batch import Ingested
from lockgate.core.instant import Instant
from lockgate.operations.known_app import known_app
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot

# Batches that are looked through for one answer.
MAX_BATCHES = 2_000
PORTION = 100
_END = 2**62


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
    """One raw run as it came, and when."""

    came_at: Instant
    record: dict[str, Any]


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
    ids: set[object] = set()
    looked_at = 0
    with house.store.reading(house.org) as seen:
        known_app(seen, wanted.app)
        for batch in _batches(seen, wanted):
            looked_at += 1
            body = seen.segment(batch.digest) if looked_at <= MAX_BATCHES else b""
            for record in _records(body or b"", batch, wanted):
                run_id = record.get("run_id")
                if run_id is None or run_id not in ids:
                    found.append(Example(came_at=batch.at, record=record))
                    ids.add(run_id)
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
            if wanted.app in batch.apps:
                yield batch
        at, digest = portion[-1].at, portion[-1].digest


def _records(body: bytes, batch: Ingested, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Yield the records of a body that are wanted, the last first."""
    mark = b"" if wanted.status is None else json.dumps(wanted.status).encode("ascii")
    for line in reversed(body.split(b"\n")):
        if not line.strip() or mark not in line:
            continue
        record: dict[str, Any] = json.loads(line)
        variant = (record.get("flags") or {}).get(wanted.app)
        app = record.get("app_id") or batch.default_app
        if app != wanted.app and variant is None:
            continue
        release = str(record["release"]) if app == wanted.app else variant
        if wanted.release in (None, release) and wanted.status in (None, record.get("status")):
            yield record
