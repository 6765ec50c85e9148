# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; an organisation's answers to probes, and pairs by slot, go out, or in."""

from __future__ import annotations

from collections.abc import Iterable

from lockgate.adapters.stores.postgres.rows import PostgresRowsReading, PostgresRowsWriting
from lockgate.adapters.stores.probe_rows import answer_row, pairs_row, read_answer, read_pairs
from lockgate.core.instant import Instant
from lockgate.core.probe import Answer
from lockgate.core.spine import PairCell


class PostgresProbesReading(PostgresRowsReading):
    """Probes as they are seen by the transaction."""

    def answers(self, app: str, probes: Iterable[str], releases: Iterable[str], latest: int) -> tuple[Answer, ...]:
        """Return answers to probes."""
        sql = (
            "SELECT probe, release, at, slot, labels, body FROM ("
            " SELECT *, row_number() OVER (PARTITION BY probe ORDER BY at DESC, release DESC) AS place FROM answers"
            " WHERE org = %s AND app = %s AND probe = ANY(%s::text[])) found"
            " WHERE place <= %s OR release = ANY(%s::text[]) ORDER BY probe, at, release"
        )
        wanted, whose = sorted(set(probes)), sorted(set(releases))
        return tuple(read_answer(*row) for row in self._rows(sql, app, wanted, latest, whose))

    def pairs(self, app: str, first: int, last: int) -> tuple[PairCell, ...]:
        """Return the pairs of some slots."""
        sql = (
            "SELECT number, first, second, labels, body FROM pairs"
            " WHERE org = %s AND app = %s AND number BETWEEN %s AND %s ORDER BY number, first, second"
        )
        found = [read_pairs(*row) for row in self._rows(sql, app, first, last)]
        return tuple(sorted(found, key=lambda cell: (cell.number, cell.first, cell.second, cell.labels)))


class PostgresProbesWriting(PostgresProbesReading, PostgresRowsWriting):
    """Probes, to be kept."""

    def add_answers(self, app: str, answers: Iterable[Answer]) -> None:
        """Keep answers."""
        sql = (
            "INSERT INTO answers SELECT %s, %s, *"
            " FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bytea[], %s::bytea[])"
        )
        rows = [answer_row(each) for each in answers]
        if rows:
            self._later(sql, app, *(list(column) for column in zip(*rows, strict=True)))

    def put_pairs(self, app: str, cells: Iterable[PairCell]) -> None:
        """Keep pairs."""
        sql = (
            "INSERT INTO pairs SELECT %s, %s, *"
            " FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bytea[], %s::bytea[])"
            " ON CONFLICT (org, app, number, first, second, labels) DO UPDATE SET body = excluded.body"
        )
        rows = [pairs_row(cell) for cell in cells]
        if rows:
            self._later(sql, app, *(list(column) for column in zip(*rows, strict=True)))

    def forget_probes(self, app: str, before: Instant) -> int:
        """Forget answers."""
        return self._change("DELETE FROM answers WHERE org = %s AND app = %s AND at < %s", app, before)
