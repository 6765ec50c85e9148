# SPDX-License-Identifier: Apache-2.0
"""A test that wrote receipts comes to its end; each decision is replayed, and one that comes out otherwise fails it.

No receipt may contradict the one before it in its series, of whatever that is, as `lockgate verify` would refuse it.

REPLAY_CORPUS names a folder that receipts and their cases are collected in, some of each file of tests, for other
machines to replay.
Tests that change a store behind its back are marked `tampers`, and are left out.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lockgate.adapters.stores.memory.store import MemoryStore
from lockgate.adapters.stores.postgres.store import PostgresStore
from lockgate.adapters.stores.sqlite.store import SqliteStore, is_there
from lockgate.core.contradiction import contradiction
from lockgate.core.envelope import open_envelope
from lockgate.core.replay.case_reading import read_case
from lockgate.core.replay.outcome import Past, Result, compared, past_of, record_of
from lockgate.core.statement import read_statement
from lockgate.operations.replay.cases import cases
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Store

PORTION = 100
CORPUS = os.environ.get("REPLAY_CORPUS")
# Of each file, so that files whose tests differ little do not take the time of the others.
MAX_COLLECTED = 40


@dataclass(slots=True)
class Replays:
    """What was replayed so far, and which stores the test that runs has used."""

    stores: dict[tuple[int, str], Store] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    followed: set[str] = field(default_factory=set)
    receipts: int = 0
    rollouts: int = 0
    tampered: int = 0
    collected: Counter[Path] = field(default_factory=Counter)
    seconds: float = 0.0


REPLAYS = Replays()
_make_house = House.__init__


def _noting_house(self: House, *args: Any, **named: Any) -> None:
    _make_house(self, *args, **named)
    if isinstance(self.store, MemoryStore | SqliteStore | PostgresStore):
        REPLAYS.stores[id(self.store), self.org] = self.store


def pytest_configure() -> None:
    """Note which stores are used."""
    House.__init__ = _noting_house  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Replay what the test has written, while its stores are still there."""
    used, REPLAYS.stores = REPLAYS.stores, {}
    began = time.perf_counter()
    try:
        if item.get_closest_marker("tampers") is not None:
            REPLAYS.tampered += bool(used)
        else:
            for (_, org), store in used.items():
                _replay(store, org, item.path)
    finally:
        REPLAYS.seconds += time.perf_counter() - began
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many were replayed."""
    found = REPLAYS
    terminalreporter.write_line(
        f"replayed {found.receipts} receipts of {found.rollouts} rollouts in {found.seconds:.1f} s; left out: "
        f"what {found.tampered} tests did behind a store's back"
    )


def _replay(store: Store, org: str, file: Path) -> None:
    if not isinstance(store, SqliteStore):
        replay_all(store, org, file)
    elif is_there(store._control.path):
        opened = SqliteStore(store._control.path.parent)
        try:
            replay_all(opened, org, file)
        finally:
            opened.close()


def collected(store: Store, org: str, folder: Path) -> int:
    """Write every receipt of a store, and its case, into a folder; return how many."""
    with store.reading(org) as seen:
        found = [_lines(seen, name) for name in _names(seen)]
    for lines in found:
        _collect(folder, lines)
    return sum(len(lines) // 2 for lines in found)


def replay_all(store: Store, org: str, file: Path | None = None) -> None:
    """Replay every rollout that was not replayed yet; those of a file of tests may be collected."""
    with store.reading(org) as seen:
        for name in _series(seen):
            _follow(seen, name)
        for name in _names(seen):
            _replay_rollout(seen, name, file)


def _names(seen: Snapshot) -> Iterator[str]:
    return (name for name in _series(seen) if seen.trial(name) is not None)


def _series(seen: Snapshot) -> Iterator[str]:
    after = ""
    while names := seen.series_after(after, PORTION):
        yield from names
        after = names[-1]


def _follow(seen: Snapshot, name: str) -> None:
    """Hold each receipt of a series against the one before it, unless that was done already."""
    receipts, before = seen.receipts(name), None
    if receipts and receipts[-1].digest in REPLAYS.followed:
        return
    for receipt in receipts:
        said = read_statement(open_envelope(receipt.envelope).payload)
        found = contradiction(before, said)
        assert found is None, f"{name}, receipt {said.seq} {found}"
        before = said
        REPLAYS.followed.add(receipt.digest)


def _replay_rollout(seen: Snapshot, name: str, file: Path | None) -> None:
    receipts = seen.receipts(name)
    # A world that grew once for many tests is replayed once.
    if not receipts or receipts[-1].digest in REPLAYS.seen:
        return
    REPLAYS.seen.add(receipts[-1].digest)
    lines = _lines(seen, name)
    REPLAYS.rollouts += 1
    REPLAYS.receipts += len(lines) // 2
    if CORPUS is not None and file is not None:
        left = MAX_COLLECTED - REPLAYS.collected[file]
        REPLAYS.collected[file] += len(lines[: 2 * left]) // 2
        if lines[: 2 * left]:
            _collect(Path(CORPUS), lines[: 2 * left])


def _lines(seen: Snapshot, name: str) -> list[bytes]:
    """Replay a rollout, and return each receipt and its case."""
    past: Past | None = None
    lines: list[bytes] = []
    for each in cases(seen, name):
        if each.case is None:
            continue
        record, data = record_of(each.receipt.envelope), each.case.encode()
        outcome, made = compared(record, read_case(data), past)
        assert outcome.result is Result.EQUAL, f"{name}, receipt {outcome.seq}: {outcome}"
        past = None if made is None else past_of(record, made)
        lines += [record.envelope, data]
    return lines


def _collect(folder: Path, lines: list[bytes]) -> None:
    """Write receipts and cases, a line each; neither holds a line break."""
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(b"\n".join(lines[::2])).hexdigest()[:32]
    (folder / f"{name}.ndjson").write_bytes(b"".join(line + b"\n" for line in lines))
