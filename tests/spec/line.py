# SPDX-License-Identifier: Apache-2.0
"""Words of a scenario come in; worlds, orders and what was stored go out, for tests of the line."""

from __future__ import annotations

import json
from typing import Any

from lockgate.core.batch import RunBatch
from lockgate.core.checkpoint import LogProof, checkpoint_of
from lockgate.core.envelope import open_envelope
from lockgate.core.merkle import plan_inclusion
from lockgate.core.note import NoteKey
from lockgate.core.public_key import read_public_key
from lockgate.core.trial import Trial
from lockgate.core.vault import Receipt
from lockgate.operations.create import Created, Order, create
from lockgate.ports.house import House
from lockgate.testing.world import BEGINNING, Law, World
from lockgate.verify import Keys, Verified, verify_receipt
from lockgate.wiring import memory_store, run_batches

APP = "claims-agent"
GOOD, BAD = Law(error_rate=0.01), Law(error_rate=0.2)
EQUAL = {"v36": GOOD, "abc123": GOOD}
WORSE = {"v36": GOOD, "abc123": BAD}


def world(seed: int = 1) -> World:
    """Return a world on a store in memory."""
    return World(memory_store(), seed)


def order(**fields: Any) -> Order:
    """Return an order of a canary with the defaults, but for what is given."""
    policy = {"mode": "canary", **fields.pop("policy", {})}
    return Order(**{"app": APP, "baseline": "v36", "candidate": "abc123", "policy": policy, **fields})


def created(here: World, **fields: Any) -> Created:
    """Return a rollout that was just started."""
    return create(order(**fields), here.house)


def trial_of(here: World, rollout_id: str) -> Trial:
    """Return what is stored of a rollout."""
    with here.house.store.reading() as seen:
        trial = seen.trial(rollout_id)
    assert trial is not None
    return trial


def receipts(here: House, rollout_id: str) -> tuple[Receipt, ...]:
    """Return a rollout's receipts."""
    with here.store.reading() as seen:
        return seen.receipts(rollout_id)


def predicate(receipt: Receipt) -> dict[str, Any]:
    """Return what a receipt states."""
    found: dict[str, Any] = json.loads(open_envelope(receipt.envelope).payload)["predicate"]
    return found


def verified(here: House, receipt: Receipt) -> Verified:
    """Return what a receipt proves to somebody who has the public keys, the envelope and a proof."""
    with here.store.reading() as seen:
        note = seen.checkpoint()
        assert note is not None
        checkpoint = checkpoint_of(note)
        plan = plan_inclusion(receipt.index, checkpoint.size)
        hashes = plan.hashes(seen.nodes(plan.nodes))
    log = NoteKey(checkpoint.origin, read_public_key(here.signers.log.public_key_pem).raw)
    keys = Keys((read_public_key(here.signers.receipt.public_key_pem),), (log,))
    return verify_receipt(receipt.envelope, keys, LogProof(receipt.index, hashes, note).encode())


def run_lines(*runs: dict[str, Any]) -> bytes:
    """Return runs as lines of JSON; each is of the app, and ok, but for what is given."""
    whole = ({"app_id": APP, "release": "v36", "status": "ok", **run} for run in runs)
    return b"".join(json.dumps(run).encode() + b"\n" for run in whole)


def batch(*runs: dict[str, Any]) -> RunBatch:
    """Return runs as a batch."""
    return run_batches().decode(run_lines(*runs), None)


def at(minutes: float) -> str:
    """Return the text of a time so many minutes after the world's beginning."""
    from lockgate.core.instant import instant_text

    return instant_text(BEGINNING + round(minutes * 60_000))
