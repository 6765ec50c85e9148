# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; an organisation's answers to probes, and pairs by slot, go out, or in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from lockgate.adapters.stores.refusals import sealed_already
from lockgate.adapters.stores.sqlite_rows import SqliteRowsReading, SqliteRowsWriting
from lockgate.core.bucket import Pairs
from lockgate.core.instant import Instant
from lockgate.core.probe import Answer
from lockgate.core.spine import PairCell
from lockgate.errors import UnsoundError

_LABELS = msgspec.msgpack.Decoder(tuple[tuple[str, str], ...])
_BADNESS = msgspec.msgpack.Decoder(dict[str, int])
_PAIRS = msgspec.msgpack.Decoder(dict[str, tuple[int, int, int]])
_encode = msgspec.msgpack.Encoder().encode


def read_answer(probe: str, release: str, at: Instant, slot: int, labels: bytes, body: bytes) -> Answer:
    """Return the answer that a row is."""
    with _explained(f"the answer of {release} to {probe}"):
        whole, badness = _LABELS.decode(labels), _BADNESS.decode(body)
    return Answer(probe=probe, release=release, at=at, slot=slot, labels=whole, badness=badness)


def read_pairs(number: int, first: str, second: str, labels: bytes, body: bytes) -> PairCell:
    """Return the pairs that a row is."""
    with _explained(f"the pairs of {first} and {second} in bucket {number}"):
        whole, counts = _LABELS.decode(labels), _PAIRS.decode(body)
    pairs = {name: Pairs(*each) for name, each in counts.items()}
    return PairCell(number=number, first=first, second=second, labels=whole, pairs=pairs)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except msgspec.MsgspecError as error:
        raise UnsoundError(
            f"{what} in the store cannot be read: {error}", advice="The store is not whole; put it back."
        ) from error


class SqliteProbesReading(SqliteRowsReading):
    """Probes as they were when the transaction began to read."""

    def answers(self, app: str, probes: Iterable[str], releases: Iterable[str], latest: int) -> tuple[Answer, ...]:
        """Return answers to probes."""
        sql = (
            "SELECT probe, release, at, slot, labels, body FROM ("
            " SELECT *, row_number() OVER (PARTITION BY probe ORDER BY at DESC, release DESC) AS place FROM answers"
            " WHERE org = ? AND app = ? AND probe IN (SELECT value FROM json_each(?)))"
            " WHERE place <= ? OR release IN (SELECT value FROM json_each(?)) ORDER BY probe, at, release"
        )
        wanted, whose = (msgspec.json.encode(sorted(set(names))).decode("utf-8") for names in (probes, releases))
        return tuple(read_answer(*row) for row in self._rows(sql, app, wanted, latest, whose))

    def pairs(self, app: str, first: int, last: int) -> tuple[PairCell, ...]:
        """Return the pairs of some slots."""
        sql = (
            "SELECT number, first, second, labels, body FROM pairs"
            " WHERE org = ? AND app = ? AND number BETWEEN ? AND ? ORDER BY number, first, second"
        )
        found = [read_pairs(*row) for row in self._rows(sql, app, first, last)]
        return tuple(sorted(found, key=lambda cell: (cell.number, cell.first, cell.second, cell.labels)))


class SqliteProbesWriting(SqliteProbesReading, SqliteRowsWriting):
    """Probes, to be kept."""

    def add_answers(self, app: str, answers: Iterable[Answer]) -> None:
        """Keep answers."""
        sql = "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        for each in answers:
            row = (each.probe, each.release, each.at, each.slot, _encode(each.labels), _encode(dict(each.badness)))
            self._add("answers", f"{each.probe} of {each.release}", sql, app, *row)

    def put_pairs(self, app: str, cells: Iterable[PairCell]) -> None:
        """Keep pairs."""
        sql = "INSERT INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
        for cell in cells:
            body = {name: (found.losses, found.ties, found.wins) for name, found in sorted(cell.pairs.items())}
            row = (app, cell.number, cell.first, cell.second, _encode(cell.labels), _encode(body))
            try:
                self._change(sql, *row)
            except sqlite3.IntegrityError as error:
                raise sealed_already(app, cell.number) from error

    def forget_probes(self, app: str, before: Instant) -> int:
        """Forget answers."""
        sql = "DELETE FROM answers WHERE org = ? AND app = ? AND at < ?"
        return self._change(sql, app, before)
