# SPDX-License-Identifier: Apache-2.0
"""What a store does not do comes in; the error that says so goes out, the same from every store."""

from __future__ import annotations

from pathlib import Path

from lockgate.errors import LaterStoreError, LeftError, LockgateError, TryAgainError, UnsoundError

FAULT = "Please report this: it is a fault in Lockgate, and nothing was stored."


def held_already(table: str, key: object) -> LockgateError:
    """Return the error of a row that is there already."""
    return LockgateError(f"{table} already holds {key}", advice=FAULT)


def sealed_already(app: str, number: int) -> LockgateError:
    """Return the error of a change to a sealed bucket."""
    return LockgateError(f"bucket {number} of {app} is sealed and does not change", advice=FAULT)


def uncovered(size: int) -> LockgateError:
    """Return the error of receipts that no checkpoint covers."""
    return LockgateError(f"no checkpoint covers the log of {size} receipts", advice=FAULT)


def overtaken(rollout_id: str) -> TryAgainError:
    """Return the error of a turn that another turn came before."""
    return TryAgainError(f"another turn of {rollout_id} came first", advice="Look again, then decide.")


def part_lost(lost: Path, other: Path) -> UnsoundError:
    """Return the error of a store of which one of two files is gone: nothing is made in its place."""
    return UnsoundError(
        f"{lost} is not there, or empty, and {other} beside it belongs to it: the store is not whole",
        advice="Put the missing file back, or both from one backup; for a new store choose another LOCKGATE_HOME.",
    )


def later(place: object, found: int, known: int) -> LaterStoreError:
    """Return the error of a store that a later version of Lockgate made, or brought to its own schema."""
    return LaterStoreError(
        f"{place} was written by a later version of Lockgate (schema {found}, this one knows {known})",
        advice="Use that version, and restart servers with it; a store is never taken back.",
    )


def check_alone(*, is_alone: bool) -> None:
    """Refuse a decision in a transaction that others run beside."""
    if not is_alone:
        raise LockgateError("a transaction that was opened for some spines decides nothing", advice=FAULT)


def left(place: str, name: str) -> LeftError:
    """Return the error of a change to a store that was copied elsewhere."""
    return LeftError(
        f"{place} was copied to {name} and goes on there; here it may only be read",
        advice="Let LOCKGATE_STORE name where it went; leave it out for a store in LOCKGATE_HOME.",
    )
