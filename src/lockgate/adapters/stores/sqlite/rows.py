# SPDX-License-Identifier: Apache-2.0
"""Connections inside a transaction and an organisation come in; rows of that organisation go out, or in."""

from __future__ import annotations

import sqlite3
from typing import Any, TypeVar

from lockgate.adapters.stores.packing import unpack
from lockgate.adapters.stores.refusals import held_already
from lockgate.adapters.stores.sqlite.file import RUNS_SCHEMA, refuse_later

T = TypeVar("T")


class SqliteRowsReading:
    """Rows as they were when the transaction began to read; the first key of each statement is the organisation."""

    def __init__(self, control: sqlite3.Connection, runs: sqlite3.Connection, org: str) -> None:
        self._control = control
        self._runs = runs
        self._org = org

    def _rows(self, sql: str, *keys: object) -> list[Any]:
        return self._control.execute(sql, (self._org, *keys)).fetchall()

    def _one(self, kind: type[T], sql: str, *keys: object) -> T | None:
        row = self._control.execute(sql, (self._org, *keys)).fetchone()
        return None if row is None else unpack(kind, row[0])

    def _all(self, kind: type[T], sql: str, *keys: object) -> tuple[T, ...]:
        return tuple(unpack(kind, body) for (body,) in self._rows(sql, *keys))


class SqliteRowsWriting(SqliteRowsReading):
    """Rows, to be kept."""

    def _change(self, sql: str, *row: object) -> int:
        """Carry out a statement, and return how many rows it changed."""
        return self._control.execute(sql, (self._org, *row)).rowcount

    def _add(self, table: str, key: object, sql: str, *row: object) -> None:
        """Add a row that must not be there yet."""
        try:
            self._change(sql, *row)
        except sqlite3.IntegrityError as error:
            raise held_already(table, key) from error

    def _begin_runs(self) -> None:
        """Begin to write to the file of raw runs, if that has not begun."""
        if not self._runs.in_transaction:
            self._runs.execute("BEGIN IMMEDIATE")
            refuse_later(self._runs, RUNS_SCHEMA)
