# SPDX-License-Identifier: Apache-2.0
"""The name of a place between two effects comes in; nothing happens there, unless a test has said what shall.

A name stands for what a process leaves behind that ends exactly there. Each is in the table once, and is reached by a
test that kills the process there and looks at what is left.
"""

from __future__ import annotations

from collections.abc import Callable

POINTS = {
    "schema.written": "a new file has its tables, in a transaction that is not kept yet",
    "key.written": "a new key is in a file that nobody looks for",
    "key.aside": "the key that signed is where the former one is too, and the next one is not in its place",
    "store.begun": "a transaction is open and nothing is written",
    "store.runs_kept": "raw runs are kept, and nothing names them",
    "store.kept": "the transaction is kept, and nobody was told",
    "slot.sealed": "a slot is sealed in the transaction",
    "ingest.tallied": "the runs of a batch are tallied in the transaction, and the batch is not there",
    "create.opened": "a rollout and its policy are in the transaction, without a receipt",
    "tick.read": "sealed buckets are folded, and the fold is not kept",
    "tick.decided": "a decision is made, and nothing of it is written",
    "receipt.signed": "a receipt is signed, and nothing holds it",
    "receipt.appended": "a receipt is in the log in the transaction, without a checkpoint, message or rollout",
    "message.added": "the messages of a receipt are in the transaction, and the rollout stands where it was",
    "trial.saved": "the rollout is in the transaction, and no checkpoint covers its receipt",
    "checkpoint.signed": "a checkpoint is signed, and nothing holds it",
    "checkpoint.added": "everything is in the transaction, and it is not kept",
    "mark.written": "a higher mark is in a file that nobody looks for",
    "deliver.claimed": "a delivery is leased, and nothing is sent",
    "deliver.sent": "an endpoint was told, and nobody wrote that down",
    "kill.rolled_back": "what was on trial is rolled back in the transaction, and the app is not frozen",
}

_handler: Callable[[str], None] | None = None


def reach(name: str) -> None:
    """Say that the process is at a place of the table."""
    if _handler is not None:
        _handler(name)


def handle(handler: Callable[[str], None] | None) -> None:
    """Let something happen at every place; for tests, which end the process there."""
    global _handler  # noqa: PLW0603 -- one handler for the whole process
    _handler = handler
