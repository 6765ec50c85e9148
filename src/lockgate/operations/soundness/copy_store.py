# SPDX-License-Identifier: Apache-2.0
"""A store and an empty one come in; all tables of the first are in the second, and what was copied goes out.

Rows are copied as they are stored, so that every receipt keeps its bytes. What was written is read again and compared
before anything is kept. The source is left before the target is kept: at no moment may both be written to, because two
logs that go on from one beginning would be a fork that every auditor finds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lockgate.crash_point import reach
from lockgate.errors import LockgateError, UsageError
from lockgate.operations.intake.recounting import Decode
from lockgate.operations.soundness.fsck import Soundness, fsck
from lockgate.ports.copying import PLACE, Row, Source, Tables, Target
from lockgate.ports.house import House
from lockgate.ports.tell import Tell

ORG = "org"
TOLD_EVERY = 1_000
_MODULUS = 1 << 256


@dataclass(frozen=True, slots=True)
class Copied:
    """How many rows each table has, and which organisations they are of."""

    rows: Mapping[str, int]
    orgs: tuple[str, ...]


@dataclass(slots=True)
class _Sum:
    """How many rows, and the sum of their digests: the same in any order, and another when any byte is another."""

    org: int
    rows: int = 0
    total: int = 0
    orgs: set[str] = field(default_factory=set)

    def of(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self.rows += 1
            self.orgs.add(str(row[self.org]))
            digest = hashlib.sha256(repr(row).encode()).digest()
            self.total = (self.total + int.from_bytes(digest, "big")) % _MODULUS
            yield row


def copy_store(source: Source, target: Target, tell: Tell) -> Copied:
    """Copy every table, compare what was written, and let the source be left."""
    _refuse_left(source, target)
    columns = _shared(source, target)
    _refuse_full(target, columns)
    copied = {table: _Sum(names.index(ORG)) for table, names in columns.items()}
    for table, names in columns.items():
        target.put(table, names, _telling(copied[table].of(source.rows(table, names)), table, tell))
        reach("copy.put")
    for table, names in columns.items():
        _compare(table, copied[table], _telling(target.rows(table, names), table, tell))
    source.leave(target.name)
    # Who is stopped here has a source that was left and a target that is empty: the same call goes on.
    reach("copy.left")
    target.keep()
    reach("copy.kept")
    orgs = frozenset[str]().union(*(each.orgs for each in copied.values()))
    return Copied({table: each.rows for table, each in copied.items()}, tuple(sorted(orgs)))


def _shared(source: Tables, target: Tables) -> Mapping[str, tuple[str, ...]]:
    """Return the tables with the columns that both stores have; nothing but an order may be known to one alone."""
    here, there = source.columns(), target.columns()
    for table in here.keys() | there.keys():
        if ({*here.get(table, ())} ^ {*there.get(table, ())}) - {PLACE}:
            raise LockgateError(
                f"the table {table} is not the same in both stores",
                advice="Please report this: it is a fault in Lockgate.",
            )
    return {table: tuple(name for name in names if name in here[table]) for table, names in there.items()}


def _refuse_left(source: Source, target: Target) -> None:
    """Refuse a store that goes on elsewhere; to the same place it may be copied anew, as after an interruption."""
    name = source.left_for()
    if name not in (None, target.name):
        raise UsageError(
            f"{source.name} was copied to {name} already and goes on there", advice="Copy that one, which knows more."
        )


def _refuse_full(target: Target, columns: Mapping[str, tuple[str, ...]]) -> None:
    for table, names in columns.items():
        if next(target.rows(table, names), None) is not None:
            raise UsageError(
                f"{target.name} is not empty",
                advice="Name a new one. If a copy to it was interrupted at its very end, it is whole: "
                "`lockgate fsck` there says so.",
            )


def _compare(table: str, copied: _Sum, rows: Iterator[Row]) -> None:
    written = _Sum(copied.org)
    for _ in written.of(rows):
        pass
    if written != copied:
        raise LockgateError(
            f"the table {table} was read as {copied.rows:,} rows and written as {written.rows:,}, or others; "
            "nothing was kept",
            advice="Please report this: it is a fault in Lockgate.",
        )


def _telling(rows: Iterator[Row], table: str, tell: Tell) -> Iterator[Row]:
    for number, row in enumerate(rows, 1):
        if number % TOLD_EVERY == 0:
            tell(table, number)
        yield row


def check_copy(source: House, target: House, tell: Tell, decode: Decode) -> Soundness:
    """Check a copy as any store is checked, and that its log is the one that was copied."""
    with source.store.reading(source.org) as before, target.store.reading(target.org) as after:
        if before.tree() != after.tree():
            raise LockgateError(
                f"the log of {source.org} has another head in the copy",
                advice="Go on with neither; please report this.",
            )
    return fsck(target, tell=tell, decode=decode)
