# SPDX-License-Identifier: Apache-2.0
"""What a transaction is about comes in; the locks that it takes first go out, in an order in which none can deadlock.

A lock of PostgreSQL is a number. Two names with one number wait for each other without need, and no more than that.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from lockgate.adapters.stores.postgres.connections import Statement

_ALONE = "SELECT pg_advisory_xact_lock(%s)"
_TOGETHER = "SELECT pg_advisory_xact_lock_shared(%s)"


def lock_of(*names: str) -> int:
    """Return the number of a lock."""
    digest = blake2b("\0".join(("lockgate", *names)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def lock(*names: str) -> Statement:
    """Return the statement that locks something alone until the transaction ends.

    Who asks for it must ask for what it guards by a statement of its own, to see what was kept while it waited.
    """
    return _ALONE, (lock_of(*names),)


def locks(org: str, spines: Iterable[str] | None) -> list[Statement]:
    """Return the statements that lock an organisation alone, or some of its spines beside transactions of others."""
    if spines is None:
        return [(_ALONE, (lock_of(org),))]
    ordered = sorted({lock_of(org, "spine", name) for name in spines})
    return [(_TOGETHER, (lock_of(org),)), *((_ALONE, (number,)) for number in ordered)]
