# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction and an organisation come in; rows of that organisation go out, or in.

What is written is sent with the next question, or at the end: each way to the database and back costs a small batch as
much as a third of its runs. What PostgreSQL says against it is heard then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from lockgate.adapters.stores.packing import unpack
from lockgate.adapters.stores.postgres.connections import Came, Link, Statement, carry_out

T = TypeVar("T")


class PostgresRowsReading:
    """Rows as they are seen by the transaction; the first key of each statement is the organisation."""

    def __init__(self, link: Link, org: str) -> None:
        self._link = link
        self._org = org
        self._waiting: list[Statement] = []

    def _carry_out(self, statements: Sequence[Statement]) -> Came:
        """Send what waits and some statements in one go; return what came of these."""
        sent = [*self._waiting, *statements]
        self._waiting = []
        return carry_out(self._link, sent)[len(sent) - len(statements) :]

    def _rows(self, sql: str, *keys: object) -> list[Any]:
        return self._carry_out([(sql, (self._org, *keys))])[0].fetchall()

    def _one(self, kind: type[T], sql: str, *keys: object) -> T | None:
        rows = self._rows(sql, *keys)
        return unpack(kind, rows[0][0]) if rows else None

    def _all(self, kind: type[T], sql: str, *keys: object) -> tuple[T, ...]:
        return tuple(unpack(kind, body) for (body,) in self._rows(sql, *keys))


class PostgresRowsWriting(PostgresRowsReading):
    """Rows, to be kept."""

    # Whether others are to look at once for what is new.
    _has_news = False

    def _change(self, sql: str, *row: object) -> int:
        """Carry out a statement, and return how many rows it changed."""
        return self._carry_out([(sql, (self._org, *row))])[0].rowcount

    def _later(self, sql: str, *row: object) -> None:
        """Carry out a statement with the next one that is asked for something, or at the end."""
        self._waiting.append((sql, (self._org, *row)))
