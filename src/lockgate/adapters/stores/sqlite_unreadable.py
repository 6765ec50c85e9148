# SPDX-License-Identifier: Apache-2.0
"""A connection in a transaction comes in; the rows of an organisation that cannot be read go out, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

from lockgate.adapters.stores.packing import unpack
from lockgate.adapters.stores.sqlite_cells import read_cell, read_counts
from lockgate.adapters.stores.sqlite_probes import read_answer, read_pairs
from lockgate.adapters.stores.sqlite_rows import SqliteRowsReading
from lockgate.adapters.stores.tallies_packing import unpack_tallies
from lockgate.core.app import App
from lockgate.core.batch import Ingested
from lockgate.core.delivery import Delivery
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message
from lockgate.core.policy.policy import Policy
from lockgate.core.retention import Pin, Retention
from lockgate.core.rollout import Rollout
from lockgate.core.trial import Look, Trial
from lockgate.core.vault import Receipt
from lockgate.errors import DataError

# Each table's keys, the columns that are read, and how.
_ROWS: tuple[tuple[str, str, str, Callable[..., object]], ...] = (
    ("apps", "name", "body", partial(unpack, App)),
    ("cells", "app, number, release", "number, release, labels, body", read_cell),
    ("tallies", "app, number", "body", unpack_tallies),
    ("tallies", "app, number", "runs", read_counts),
    ("answers", "app, probe", "probe, release, at, slot, labels, body", read_answer),
    ("pairs", "app, number", "number, first, second, labels, body", read_pairs),
    ("batches", "digest", "body", partial(unpack, Ingested)),
    ("retention", "org", "body", partial(unpack, Retention)),
    ("pins", "rollout, first", "body", partial(unpack, Pin)),
    ("policies", "digest", "body", partial(unpack, Policy)),
    ("rollouts", "id", "rollout", partial(unpack, Rollout)),
    ("rollouts", "id", "trial", partial(unpack, Trial)),
    ("looks", "rollout, number", "body", partial(unpack, Look)),
    ("receipts", "rollout, seq", "body", partial(unpack, Receipt)),
    ("messages", "id", "body", partial(unpack, Message)),
    ("endpoints", "id", "body", partial(unpack, Endpoint)),
    ("deliveries", "message, endpoint", "body", partial(unpack, Delivery)),
)
# What is wrong with a row, of its columns.
Told = Callable[..., Iterator[str]]
# More rows of one table than this say nothing more.
MAX_TOLD = 20


class SqliteUnreadable(SqliteRowsReading):
    """The part of a snapshot that names rows that are not what they should be."""

    def unreadable(self) -> tuple[str, ...]:
        """Return, in sentences, which rows cannot be read."""
        return tuple(said for row in _ROWS if self._has(row[0]) for said in self._unreadable(*row))

    def _has(self, table: str) -> bool:
        sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return self._control.execute(sql, (table,)).fetchone() is not None

    def _unreadable(self, table: str, keys: str, columns: str, read: Callable[..., object]) -> Iterator[str]:
        told, count = 0, keys.count(",") + 1
        sql = f"SELECT {keys}, {columns} FROM {table} WHERE org = ?"  # noqa: S608 -- the tables of this file
        for row in self._control.execute(sql, (self._org,)):
            try:
                read(*row[count:])
            except DataError as error:
                told += 1
                yield f"row {', '.join(map(str, row[:count]))} of {table}: {error.message}"
            if told == MAX_TOLD:
                return

    def strayed(self) -> Iterator[str]:
        """Yield rows that are found by something else than they hold: whoever changed one changed what is read."""
        for told, row in (*self._deliveries(), *self._rollouts()):
            # Rows that cannot be read are told of by whoever reads them.
            with suppress(DataError):
                yield from told(*row)

    def _deliveries(self) -> Iterator[tuple[Told, tuple[object, ...]]]:
        sql = "SELECT message, endpoint, state, body FROM deliveries WHERE org = ?"
        return ((_delivery_strayed, row) for row in self._control.execute(sql, (self._org,)))

    def _rollouts(self) -> Iterator[tuple[Told, tuple[object, ...]]]:
        sql = "SELECT rollout, trial, id, app, mode, is_active, revision, weight, turn FROM rollouts WHERE org = ?"
        return ((_rollout_strayed, row) for row in self._control.execute(sql, (self._org,)))


def _delivery_strayed(message: str, endpoint: str, state: str, body: bytes) -> Iterator[str]:
    held = unpack(Delivery, body)
    if (held.message_id, held.endpoint_id, held.state.value) != (message, endpoint, state):
        yield f"the delivery of {message} to {endpoint} is found as {state}, and holds {held.state.value}"


def _rollout_strayed(body: bytes, trial_body: bytes, *columns: object) -> Iterator[str]:
    rollout, trial = unpack(Rollout, body), unpack(Trial, trial_body)
    place = (rollout.id, rollout.app, rollout.mode.value, int(not rollout.is_terminal))
    if columns != (*place, rollout.revision, rollout.weight, trial.turn) or trial.rollout != rollout:
        yield f"rollout {columns[0]} is found by something else than it holds"
