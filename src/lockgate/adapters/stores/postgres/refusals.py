# SPDX-License-Identifier: Apache-2.0
"""What PostgreSQL or its library says comes in; the error that a person can act on goes out, without any secret."""

from __future__ import annotations

import psycopg
from psycopg import errors

from lockgate.adapters.stores.refusals import FAULT, held_already, left
from lockgate.errors import (
    ClosedStoreError,
    DataError,
    HeldError,
    InDoubtError,
    LaterStoreError,
    LockgateError,
    UnreachableError,
    UnsoundError,
)

# What our schema raises: its triggers; and where it is of a later version.
OWN_STATE, LATER_STATE = "LG001", "LG003"
# What those of a store raise that was copied elsewhere and goes on there; the message is where.
LEFT_STATE = "LG002"
_HOW_TO = "docs/howto/postgresql.md"
_Kinds = tuple[type[psycopg.Error], ...]
_HELD: _Kinds = (errors.LockNotAvailable,)
_AGAIN: _Kinds = (errors.DeadlockDetected, errors.SerializationFailure, errors.QueryCanceled)
_FULL: _Kinds = (errors.DiskFull, errors.OutOfMemory, errors.IoError)
_DAMAGED: _Kinds = (errors.DataCorrupted, errors.IndexCorrupted, errors.UndefinedTable, errors.UndefinedColumn)
# PostgreSQL gives a refused connection no code that the library hands on, so that its words are looked at.
_REFUSED = (
    ("password authentication failed", "its role or password is wrong"),
    ("no password supplied", "it asks for a password and none was given"),
    ("pg_hba.conf", "it does not let this machine in"),
    ("is not permitted to log in", "its role may not log in"),
    ("permission denied for database", "its role may not use the database"),
)
_NOT_YET = ("starting up", "shutting down", "in recovery", "not yet accepting", "not accepting connections")


def is_not_yet(error: psycopg.Error) -> bool:
    """Say whether a database is there and will soon let somebody in."""
    return any(words in str(error) for words in _NOT_YET)


def explain_connecting(error: psycopg.Error, place: str) -> LockgateError:
    """Return what a person can do about a connection that was not made."""
    said = str(error)
    for words, meant in _REFUSED:
        if words in said:
            return ClosedStoreError(
                f"{place} refuses the connection: {meant}",
                advice="Look at the role in LOCKGATE_STORE, and at its password: PGPASSWORD, or ~/.pgpass.",
            )
    if "does not exist" in said:
        return UnreachableError(
            f"{place} refuses the connection: there is no such role or database", advice=f"Make it: see {_HOW_TO}."
        )
    if "too many clients" in said or "connection slots" in said or "too many connections" in said:
        return HeldError(f"{place} has no connection left", advice="Try again, or raise its max_connections.")
    return UnreachableError(
        f"{place} cannot be reached{_reason(error)}",
        advice="Look whether it runs and whether LOCKGATE_STORE names it; nothing was stored.",
    )


def _reason(error: psycopg.Error) -> str:
    """Return the last line of what the library said: host, port and cause; it knows no password of a failed one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f": {lines[-1][:300]}" if lines else ""


def failed_before() -> UnreachableError:
    """Return the error of a transaction that goes on after PostgreSQL had refused a statement of it."""
    return UnreachableError("the store failed in the middle of a transaction", advice="Nothing was stored.")


def in_doubt(place: str) -> InDoubtError:
    """Return the error of a commit whose answer was lost."""
    return InDoubtError(
        f"{place} was lost before it said whether the change was kept; it may have been",
        advice="Look at what is there, or do the same again: what was kept is not done twice.",
    )


def explain(error: psycopg.Error, place: str) -> LockgateError:
    """Return what a person can do about an error of PostgreSQL."""
    if error.sqlstate == LEFT_STATE:
        return left(place, error.diag.message_primary or "another store")
    if error.sqlstate == OWN_STATE:
        return LockgateError(error.diag.message_primary or "", advice=FAULT)
    if error.sqlstate == LATER_STATE:
        return LaterStoreError(
            f"{place} was brought to a later version of Lockgate while this one ran",
            advice="Use that version, and restart servers with it.",
        )
    if isinstance(error, errors.UniqueViolation):
        return held_already(error.diag.table_name or "", error.diag.message_detail)
    return _of_others(error, place) or _of_store(error, place) or _lost(error, place)


def _of_others(error: psycopg.Error, place: str) -> LockgateError | None:
    """Return what is to be done where somebody or something else stands in the way."""
    if isinstance(error, _HELD):
        return HeldError(f"{place} is held by another transaction", advice="Try again; `pg_locks` says by which.")
    if isinstance(error, _AGAIN):
        return HeldError(f"{place} ended the transaction: {_said(error)}", advice="Try again; nothing was stored.")
    if isinstance(error, errors.InFailedSqlTransaction):
        return failed_before()
    if isinstance(error, _FULL):
        return UnreachableError(
            f"{place} cannot be written: {_said(error)}", advice="Make room there, then try again; nothing was stored."
        )
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return ClosedStoreError(
            f"{place} may not be written: it is a standby, or read-only",
            advice="Name the primary in LOCKGATE_STORE, or add ?target_session_attrs=read-write to it.",
        )
    return None


def _of_store(error: psycopg.Error, place: str) -> LockgateError | None:
    """Return what is to be done where what is stored, or is to be, is not as it should be."""
    if isinstance(error, errors.InsufficientPrivilege):
        return ClosedStoreError(
            f"the role of {place} lacks a right: {_said(error)}",
            advice=f"Let the owner of the schema grant it: see {_HOW_TO}.",
        )
    if isinstance(error, _DAMAGED):
        return UnsoundError(f"{place} is not a sound store: {_said(error)}", advice="Put it back from a backup.")
    if isinstance(error, errors.UntranslatableCharacter | errors.ProgramLimitExceeded | psycopg.DataError):
        return DataError(f"PostgreSQL does not take this: {_said(error)}", advice="Leave it out, or make it shorter.")
    if isinstance(error, errors.IntegrityError):
        return LockgateError(f"{place}: {_said(error)}", advice=FAULT)
    return None


def _lost(error: psycopg.Error, place: str) -> LockgateError:
    """Return what is to be done where the connection is gone, or nobody foresaw what was said."""
    if isinstance(error, psycopg.OperationalError):
        return UnreachableError(
            f"{place} was lost: {_said(error)}", advice="Try again when it answers; nothing was stored."
        )
    return LockgateError(f"{place}: {_said(error)}", advice="Please report this: it is a fault in Lockgate.")


def _said(error: psycopg.Error) -> str:
    return error.diag.message_primary or (str(error).strip().splitlines() or [type(error).__name__])[0]
