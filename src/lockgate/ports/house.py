# SPDX-License-Identifier: Apache-2.0
"""Store, clock and signers come in; what the operations of one organisation work with goes out as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lockgate.core.app import DEFAULT_ORG
from lockgate.core.instant import Instant
from lockgate.ports.high_water import HighWater
from lockgate.ports.signing import Signers
from lockgate.ports.store import Store


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> Instant:
        """Return the time; it may go back, and nobody may rest an order on it."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """What the operations of one organisation work with."""

    store: Store
    clock: Clock
    signers: Signers
    org: str = DEFAULT_ORG
    high_water: HighWater | None = None
