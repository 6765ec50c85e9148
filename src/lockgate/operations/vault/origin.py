# SPDX-License-Identifier: Apache-2.0
"""A house, or the latest checkpoint of its log, comes in; the name under which the log is signed goes out."""

from __future__ import annotations

from functools import lru_cache

from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.refusal import VerifyError
from lockgate.ports.house import House


def origin_of(latest: bytes | None, house: House) -> str:
    """Return the name of a log: that of its first checkpoint, whichever key signs later ones.

    Where none was signed yet, or the latest cannot be read, it is the name that our own key would give it.
    """
    return (None if latest is None else _signed(latest)) or first_origin(house)


def first_origin(house: House) -> str:
    """Return the name that a log has whose first checkpoint a house signs."""
    return f"lockgate/{house.org}/{house.signers.log.key_id[:16]}"


# Each transaction asks; between two receipts the checkpoint is the same.
@lru_cache(maxsize=64)
def _signed(note: bytes) -> str | None:
    try:
        return checkpoint_of(note).origin
    except VerifyError:
        return None
