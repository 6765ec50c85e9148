# SPDX-License-Identifier: Apache-2.0
"""Batches of an import come in; they are kept in this machine's store or by a server; what became of them goes out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Protocol

from lockgate.cli import local
from lockgate.cli.remote_door import RemoteDoor, explained
from lockgate.client.transport import API, ProblemError, check
from lockgate.core.batch import Ingested, RunBatch
from lockgate.core.dedupe import Dedupe
from lockgate.errors import NotPermittedError
from lockgate.operations.intake.import_plan import Plan, plan_import, read_plan
from lockgate.operations.intake.ingest import ingest
from lockgate.wiring import system_clock

COUNTS = ("runs", "duplicates", "other", "crowded", "undated")


class Keeping(Protocol):
    """Where runs are kept."""

    def plan(self) -> Plan:
        """Return what is there."""
        ...

    def keep(self, batch: RunBatch, rule: Dedupe | None) -> Ingested:
        """Keep a batch by the times at which its runs started."""
        ...


@contextmanager
def keeping() -> Iterator[Keeping]:
    """Hand out the server that LOCKGATE_URL names, else this machine's store."""
    if os.environ.get(local.URL):
        with closing(RemoteDoor()) as door:
            yield _Remote(door)
    else:
        yield _Local()


class _Local:
    def __init__(self) -> None:
        self._house = local.house()

    def plan(self) -> Plan:
        return plan_import(self._house)

    def keep(self, batch: RunBatch, rule: Dedupe | None) -> Ingested:
        return ingest(batch, self._house, by_start_time=True, dedupe=rule)


class _Remote:
    def __init__(self, door: RemoteDoor) -> None:
        self._door = door

    def plan(self) -> Plan:
        try:
            plan = self._door.ask("kept", {}).more["plan"]
        except NotPermittedError:
            # A key that only sends runs may not look: buckets are taken to be as wide as usual.
            return Plan(now=system_clock().now(), widths={}, there={})
        assert isinstance(plan, dict)
        return read_plan(plan)

    def keep(self, batch: RunBatch, rule: Dedupe | None) -> Ingested:
        from urllib.parse import urlencode

        query = {} if batch.default_app is None else {"app_id": batch.default_app}
        if rule is not None:
            query |= {"dedupe": "strict"} if rule.is_strict else {"dedupe": "window", "window_s": str(rule.window_s)}
        path = f"{API}/imports/runs{f'?{urlencode(query)}' if query else ''}"
        kind = {"Content-Type": "application/x-ndjson"}
        sent_by = self._door.transport
        try:
            found = check(sent_by.call("POST", path, batch.body, kind, is_safe=True)).document()
        except ProblemError as error:
            raise explained(error, sent_by) from error
        return _ingested(found, batch)


def _ingested(found: dict[str, object], batch: RunBatch) -> Ingested:
    apps, unlike = found["apps"], found["unlike"]
    assert isinstance(apps, dict)
    assert isinstance(unlike, dict)
    runs, duplicates, other, crowded, undated = (int(str(found[name])) for name in COUNTS)
    return Ingested(
        digest=batch.digest,
        at=0,
        runs=runs,
        duplicates=duplicates,
        other=other,
        crowded=crowded,
        undated=undated,
        apps=apps,
        unlike=unlike,
        is_repeated=bool(found["repeated"]),
    )
