# SPDX-License-Identifier: Apache-2.0
"""A test that wrote receipts comes to its end; each decision is replayed, and one that comes out otherwise fails it.

No receipt may contradict the one before it in its series, of whatever that is, as `lockgate verify` would refuse it.

REPLAY_CORPUS names a folder that every receipt and its case are collected in, for other machines to replay, under the
name of the lane that runs, REPLAY_LANE.
Tests that change a store behind its back are marked `tampers`, and are left out; what is left out is counted, and said.
"""

from __future__ import annotations

import functools
import os
import shutil
import time
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
from lockgate.operations.replay.cases import PRUNED, cases
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Store
from tests.found_stores import Found, begin_noting, database_stores, note_house, place_of, sqlite_stores
from tools.corpus import Account, Chain, Decision, Writer

PORTION = 100
CORPUS, LANE = os.environ.get("REPLAY_CORPUS"), os.environ.get("REPLAY_LANE", "tests")
TAMPERED = "tests that change a store behind its back"
GONE = "stores that were gone when their test ended"
UNREAD = "stores of other processes that cannot be read"
NO_EVIDENCE = "receipts whose evidence was pruned"
TOO_MUCH = "receipts that bind more than a case holds"


@dataclass(slots=True)
class Replays:
    """What was replayed so far, and which stores the test that runs has used.

    `seen`: by the last receipt of a rollout, how many of its decisions were replayed.
    """

    stores: dict[tuple[int, str], Store] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)
    uncased: set[str] = field(default_factory=set)
    visited: set[Path] = field(default_factory=set)
    running: pytest.Item | None = None
    account: Account = field(default_factory=Account)
    writer: Writer | None = None
    pending: list[Chain] = field(default_factory=list)
    seconds: float = 0.0


REPLAYS = Replays()
_make_house, _remove = House.__init__, shutil.rmtree


def _noting_house(self: House, *args: Any, **named: Any) -> None:
    _make_house(self, *args, **named)
    if isinstance(self.store, MemoryStore | SqliteStore | PostgresStore):
        REPLAYS.stores[id(self.store), self.org] = self.store
        note_house(self.store)


@functools.wraps(_remove)
def _replaying_remove(path: Any, *args: Any, **named: Any) -> None:
    """Replay what is in a folder before the test that runs lets it go."""
    if REPLAYS.running is not None and not _is_tampered(REPLAYS.running):
        _replay_folder(Path(os.fsdecode(path)), REPLAYS.running.nodeid)
    _remove(path, *args, **named)


def pytest_configure() -> None:
    """Note which stores are used."""
    House.__init__ = _noting_house  # type: ignore[method-assign]  # for the whole process
    shutil.rmtree = _replaying_remove  # type: ignore[assignment]  # as above
    begin_noting()
    if CORPUS is not None:
        REPLAYS.writer = Writer(Path(CORPUS), LANE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Note which test runs."""
    REPLAYS.running = item
    try:
        yield
    finally:
        REPLAYS.running = None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Replay what the test has written, while its stores are still there."""
    try:
        _replay_test(item)
    finally:
        yield
    # What a test does to files is over.
    _collect()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Replay what stands in folders that belong to no one test, and close the account of this process."""
    root: Path = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # pytest names it nowhere else
    for folder in [each for each in root.iterdir() if each not in REPLAYS.visited and not each.is_symlink()]:
        _replay_found(sqlite_stores(folder, ()), folder.name)
    _collect()
    if REPLAYS.writer is not None:
        REPLAYS.writer.close(REPLAYS.account)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many were replayed, and what was not."""
    terminalreporter.write_line(summary(REPLAYS.account, REPLAYS.seconds))


def summary(account: Account, seconds: float) -> str:
    """Return in words what was replayed, and what was left out."""
    left = account.words()
    replayed = f"{_counted(account.receipts, 'receipt')} of {_counted(account.rollouts, 'rollout')}"
    return f"replayed {replayed} in {seconds:.1f} s; left out: {left}"


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def replay_now() -> None:
    """Replay what the test that runs has written so far, because its stores end before it does."""
    assert REPLAYS.running is not None, "no test runs"
    _replay_stores(REPLAYS.running.nodeid)


def _replay_test(item: pytest.Item) -> None:
    own = _folder_of(item)
    REPLAYS.visited.update(() if own is None else (own,))
    if _is_tampered(item):
        REPLAYS.account.left[TAMPERED] += 1
        REPLAYS.stores = {}
        database_stores(())
        return
    if own is not None:
        _replay_folder(own, item.nodeid)
    _replay_stores(item.nodeid)


def _is_tampered(item: pytest.Item) -> bool:
    return item.get_closest_marker("tampers") is not None


def _replay_stores(test: str) -> None:
    """Replay the stores that were used, and what other processes wrote into databases."""
    used, REPLAYS.stores = REPLAYS.stores, {}
    for (_, org), store in used.items():
        _replay_used(store, org, test)
    known = [place_of(store) for store in used.values() if isinstance(store, PostgresStore)]
    _replay_found(database_stores(known), test)


def _replay_folder(folder: Path, test: str) -> None:
    """Replay the stores of a folder, by whichever process; none of them needs to be there any longer then."""
    used = {key: place_of(store) for key, store in REPLAYS.stores.items() if isinstance(store, SqliteStore)}
    inside = {key: at for key, at in used.items() if isinstance(at, Path) and at.is_relative_to(folder.resolve())}
    for key in inside:
        _replay_used(REPLAYS.stores.pop(key), key[1], test)
    _replay_found(sqlite_stores(folder, inside.values()), test)


def _folder_of(item: pytest.Item) -> Path | None:
    """Return the folder that the test was given, also where only a fixture of it asked for one."""
    if not isinstance(item, pytest.Function) or "tmp_path" not in item.fixturenames:
        return None
    folder: Path = item._request.getfixturevalue("tmp_path")
    return folder


def _replay_used(store: Store, org: str, test: str) -> None:
    if not isinstance(store, SqliteStore):
        replay_all(store, org, test)
    elif is_there(store._control.path):
        opened = SqliteStore(store._control.path.parent)
        try:
            replay_all(opened, org, test)
        finally:
            opened.close()
    else:
        REPLAYS.account.left[GONE] += 1


def _replay_found(found: Iterator[Found | None], test: str) -> None:
    """Replay what other processes wrote; None is a store that cannot be read."""
    for each in found:
        if each is None:
            REPLAYS.account.left[UNREAD] += 1
        else:
            replay_all(each.store, each.org, test)


def collected(store: Store, org: str, folder: Path) -> int:
    """Write every decision of a store into a corpus; return how many there are."""
    writer, account = Writer(folder, LANE), Account()
    with store.reading(org) as seen:
        for name in _names(seen):
            chains = _chains(seen, name)[0]
            account.count(chains)
            account.chains |= {writer.add(Chain("collected", chain)) for chain in chains}
    writer.close(account)
    return account.receipts


def replay_all(store: Store, org: str, test: str | None = None) -> None:
    """Replay every rollout that was not replayed yet; those of a test are collected where a corpus is."""
    began = time.perf_counter()
    with store.reading(org) as seen:
        for name in _series(seen):
            _follow(seen, name)
        for name in _names(seen):
            _replay_rollout(seen, name, test)
    REPLAYS.seconds += time.perf_counter() - began


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


def _replay_rollout(seen: Snapshot, name: str, test: str | None) -> None:
    receipts = seen.receipts(name)
    # A world that grew once for many tests is replayed once; one that had been pruned may come again whole.
    if not receipts or REPLAYS.seen.get(receipts[-1].digest) == len(receipts):
        return
    chains, uncased = _chains(seen, name)
    for digest, why in uncased.items():
        REPLAYS.account.left[NO_EVIDENCE if why == PRUNED else TOO_MUCH] += digest not in REPLAYS.uncased
    REPLAYS.uncased |= uncased.keys()
    count = sum(map(len, chains))
    if count > REPLAYS.seen.get(receipts[-1].digest, 0):
        REPLAYS.seen[receipts[-1].digest] = count
        REPLAYS.account.count(chains)
        REPLAYS.pending += [] if test is None else [Chain(test, chain) for chain in chains]


def _chains(seen: Snapshot, name: str) -> tuple[list[tuple[Decision, ...]], dict[str, str]]:
    """Replay a rollout; return its decisions, in a chain from each gap on, and why the others have no case."""
    past: Past | None = None
    chains: list[list[Decision]] = [[]]
    uncased: dict[str, str] = {}
    for each in cases(seen, name):
        if each.case is None:
            uncased[each.receipt.digest], past = each.why_not, None
            chains.append([])
            continue
        record, data = record_of(each.receipt.envelope), each.case.encode()
        outcome, made = compared(record, read_case(data), past)
        assert outcome.result is Result.EQUAL, f"{name}, receipt {outcome.seq}: {outcome}"
        past = None if made is None else past_of(record, made)
        chains[-1].append((record.envelope, data))
    return [tuple(chain) for chain in chains if chain], uncased


def _collect() -> None:
    """Write what was replayed and not written yet."""
    chains, REPLAYS.pending = REPLAYS.pending, []
    if REPLAYS.writer is not None:
        REPLAYS.account.chains |= {REPLAYS.writer.add(chain) for chain in chains}
