# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; an organisation's answers to probes, and pairs by slot, go out, or in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import msgspec

from lockgate.adapters.stores.probe_rows import answer_row, pairs_row, read_answer, read_pairs
from lockgate.adapters.stores.refusals import sealed_already
from lockgate.adapters.stores.sqlite.rows import SqliteRowsReading, SqliteRowsWriting
from lockgate.core.instant import Instant
from lockgate.core.probe import Answer
from lockgate.core.spine import PairCell


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
            self._add("answers", f"{each.probe} of {each.release}", sql, app, *answer_row(each))

    def put_pairs(self, app: str, cells: Iterable[PairCell]) -> None:
        """Keep pairs."""
        sql = "INSERT INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
        for cell in cells:
            try:
                self._change(sql, app, *pairs_row(cell))
            except sqlite3.IntegrityError as error:
                raise sealed_already(app, cell.number) from error

    def forget_probes(self, app: str, before: Instant) -> int:
        """Forget answers."""
        sql = "DELETE FROM answers WHERE org = ? AND app = ? AND at < ?"
        return self._change(sql, app, before)
