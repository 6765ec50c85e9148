# SPDX-License-Identifier: Apache-2.0
"""What drops some rows in a transaction comes in; it is called until none is left, and how many they were goes out."""

from __future__ import annotations

from collections.abc import Callable

from lockgate.operations.vault.keeping import changing
from lockgate.ports.house import House
from lockgate.ports.store import Transaction
from lockgate.ports.tell import Tell

# Rows that one transaction drops, so that nobody waits for long.
PORTION = 500


def drop_in_portions(house: House, drop: Callable[[Transaction], int], what: str, told: Tell) -> int:
    """Drop rows in transactions of their own until none is left, and say how many they were."""
    dropped = 0
    while True:
        with changing(house) as work:
            count = drop(work)
        dropped += count
        told(what, dropped)
        if count == 0:
            return dropped
