# SPDX-License-Identifier: Apache-2.0
"""Columns of rows come in; how each table is read, and what is wrong with a row, goes out, for every SQL store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from lockgate.adapters.stores.cell_rows import read_cell, read_counts
from lockgate.adapters.stores.content import decompress
from lockgate.adapters.stores.packing import unpack
from lockgate.adapters.stores.probe_rows import read_answer, read_pairs
from lockgate.adapters.stores.tallies_packing import unpack_tallies
from lockgate.core.api_key import ApiKey
from lockgate.core.app import App
from lockgate.core.batch import Ingested
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
# What is wrong with a row, of its columns.
Told = Callable[..., Iterator[str]]
# More rows of one table than this say nothing more.
MAX_TOLD = 20


def delivery_strayed(message: str, endpoint: str, state: str, body: bytes) -> Iterator[str]:
    """Yield what is wrong with the columns by which a delivery is found."""
    held = unpack(Delivery, body)
    if (held.message_id, held.endpoint_id, held.state.value) != (message, endpoint, state):
        yield f"the delivery of {message} to {endpoint} is found as {state}, and holds {held.state.value}"


def rollout_strayed(body: bytes, trial_body: bytes, *columns: object) -> Iterator[str]:
    """Yield what is wrong with the columns by which a rollout is found."""
    rollout, trial = unpack(Rollout, body), unpack(Trial, trial_body)
    place = (rollout.id, rollout.app, rollout.mode.value, int(not rollout.is_terminal))
    if columns != (*place, rollout.revision, rollout.weight, trial.turn) or trial.rollout != rollout:
        yield f"rollout {columns[0]} is found by something else than it holds"
