# SPDX-License-Identifier: Apache-2.0
"""Columns of rows come in; how each table is read, and what is wrong with a row, goes out, for every SQL store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from lockgate.adapters.stores.cell_rows import read_cell, read_counts, tallies_row
from lockgate.adapters.stores.content import decompress
from lockgate.adapters.stores.packing import unpack
from lockgate.adapters.stores.probe_rows import read_answer, read_pairs
from lockgate.adapters.stores.tallies_packing import unpack_tallies
from lockgate.core.api_key import ApiKey
from lockgate.core.app import App
from lockgate.core.batch import Ingested
from lockgate.core.bucket import Bucket
from lockgate.core.delivery import Delivery
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message
from lockgate.core.policy.policy import Policy
from lockgate.core.reply import Reply
from lockgate.core.retention import Pin, Retention
from lockgate.core.rollout import Rollout
from lockgate.core.trial import Look, Trial
from lockgate.core.trust_rule import TrustRule
from lockgate.core.vault import Receipt
from lockgate.core.voucher import Voucher
from lockgate.errors import DataError

T = TypeVar("T")

# Each table's keys, the columns that are read, and how.
ROWS: tuple[tuple[str, str, str, Callable[..., object]], ...] = (
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
    ("contents", "digest", "body", decompress),
    ("vouchers", "size, kind, signer", "body", partial(unpack, Voucher)),
    ("messages", "id", "body", partial(unpack, Message)),
    ("endpoints", "id", "body", partial(unpack, Endpoint)),
    ("deliveries", "message, endpoint", "body", partial(unpack, Delivery)),
    ("api_keys", "id", "body", partial(unpack, ApiKey)),
    ("trust_rules", "id", "body", partial(unpack, TrustRule)),
    ("replies", "key", "body", partial(unpack, Reply)),
)
# More rows of one table than this say nothing more.
MAX_TOLD = 20


def _rollout(body: bytes, trial_body: bytes) -> tuple[object, ...]:
    rollout, trial = unpack(Rollout, body), unpack(Trial, trial_body)
    if trial.rollout != rollout:
        return ()
    place = (rollout.org, rollout.id, rollout.app, rollout.mode.value, int(not rollout.is_terminal))
    return (*place, rollout.revision, rollout.weight, trial.turn)


def _tallies(body: bytes) -> tuple[object, ...]:
    return (tallies_row(unpack_tallies(body))[0],)


def _held(kind: type[T], held: Callable[[T], tuple[object, ...]]) -> Callable[[bytes], tuple[object, ...]]:
    return lambda body: held(unpack(kind, body))


# Of each table columns that say again what its bodies hold, where these rest, and what they hold of it.
REPEATED: tuple[tuple[str, str, str, Callable[..., tuple[object, ...]]], ...] = (
    ("apps", "name", "body", _held(App, lambda row: (row.name,))),
    ("cells", "runs", "body", _held(Bucket, lambda row: (row.runs,))),
    ("tallies", "runs", "body", _tallies),
    ("batches", "digest, at", "body", _held(Ingested, lambda row: (row.digest, row.at))),
    ("pins", "rollout, first", "body", _held(Pin, lambda row: (row.rollout, row.first))),
    ("policies", "digest", "body", _held(Policy, lambda row: (row.digest(),))),
    ("rollouts", "org, id, app, mode, is_active, revision, weight, turn", "rollout, trial", _rollout),
    ("looks", "number", "body", _held(Look, lambda row: (row.number,))),
    (
        "receipts",
        "rollout, seq, id, log_index",
        "body",
        _held(Receipt, lambda row: (row.rollout_id, row.seq, row.id, row.index)),
    ),
    ("vouchers", "size, kind, signer", "body", _held(Voucher, lambda row: (row.size, row.kind.value, row.by))),
    ("messages", "id, app", "body", _held(Message, lambda row: (row.id, row.app))),
    ("endpoints", "id", "body", _held(Endpoint, lambda row: (row.id,))),
    (
        "deliveries",
        "message, endpoint, app, state",
        "body",
        _held(Delivery, lambda row: (row.message_id, row.endpoint_id, row.app, row.state.value)),
    ),
    ("api_keys", "org, id", "body", _held(ApiKey, lambda row: (row.org, row.id))),
    ("trust_rules", "org, id", "body", _held(TrustRule, lambda row: (row.org, row.id))),
    ("replies", "key, at", "body", _held(Reply, lambda row: (row.key, row.at))),
)
# What has ids of runs as marks, and no secret that they were made by: runs that come again would count again.
UNMARKED = "marks of run ids are kept, and the secret that they were made by is not"


def unreadable(
    table: str, count: int, read: Callable[..., object], rows: Iterable[tuple[object, ...]]
) -> Iterator[str]:
    """Yield, in sentences, which rows cannot be read behind their first columns."""
    told = 0
    for row in rows:
        try:
            read(*row[count:])
        except DataError as error:
            told += 1
            yield f"row {', '.join(map(str, row[:count]))} of {table}: {error.message}"
        if told == MAX_TOLD:
            return


def strayed(
    table: str, count: int, held: Callable[..., tuple[object, ...]], rows: Iterable[tuple[object, ...]]
) -> Iterator[str]:
    """Yield, in sentences, which rows say something else in their first columns than their bodies hold."""
    told = 0
    for row in rows:
        what = " is found by something else than it holds"
        try:
            is_astray = row[:count] != held(*row[count:])
        except DataError as error:
            is_astray, what = True, f": {error.message}"
        if is_astray:
            told += 1
            yield f"row {', '.join(map(str, row[:count]))} of {table}{what}"
        if told == MAX_TOLD:
            return
