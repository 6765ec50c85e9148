# SPDX-License-Identifier: Apache-2.0
"""A draft and a signature come in; the receipt as the vault keeps it goes out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.canonical import byte_digest
from lockgate.core.instant import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The signed statement of one decision: the envelope's bytes, and what it is found by.

    `index` is its place in the log.
    """

    id: str
    rollout_id: str
    seq: int
    revision: int
    action: str
    cause: str
    at: Instant
    index: int
    envelope: bytes

    @property
    def digest(self) -> str:
        """Return the digest that the next receipt of the rollout names."""
        return byte_digest(self.envelope)
