# SPDX-License-Identifier: Apache-2.0
"""An outcome or an error comes in; the exit code that every command answers with goes out.

This table is the only one: commands, documentation and tests read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lockgate.errors import (
    DataError,
    LockgateError,
    NotPermittedError,
    TryAgainError,
    UnreachableError,
    UsageError,
)


class ExitCode(NamedTuple):
    """One row of the table."""

    code: int
    name: str
    meaning: str


OK = ExitCode(0, "ok", "clean or proven; promoted; a command did what it was asked")
REGRESSED = ExitCode(1, "regressed", "the candidate is worse; rolled back")
TIMED_OUT = ExitCode(2, "timed out", "no answer within the time given")
INSUFFICIENT = ExitCode(
    3,
    "insufficient",
    "not enough runs (0 with `--allow-thin`), or a metric that one release lacks; a decision that cannot be replayed",
)
CANCELLED = ExitCode(4, "cancelled", "cancelled, or superseded by a newer rollout")
USAGE = ExitCode(64, "usage", "the call cannot be meant: an option, the name of a metric, a path")
DATA = ExitCode(
    65, "data", "what was read is wrong: a malformed line, a faulty policy, a release or metric that no run carries"
)
UNREACHABLE = ExitCode(
    69,
    "unreachable",
    "something outside did not answer, or not as it must, such as the server of LOCKGATE_URL or a program that signs; "
    "or the disk of the store fails or is full",
)
INTERNAL = ExitCode(70, "internal", "a fault in Lockgate itself; no verdict was reached")
TRY_AGAIN = ExitCode(
    75, "try again", "somebody else won, or the disk of an output is full; the same call may succeed later"
)
NOT_PERMITTED = ExitCode(77, "not permitted", "the caller may not do this")
INTERRUPTED = ExitCode(130, "interrupted", "stopped from the keyboard before it was done")
PIPE_CLOSED = ExitCode(141, "pipe closed", "whoever read the output went away before the answer was complete")

EXIT_CODES = (
    OK,
    REGRESSED,
    TIMED_OUT,
    INSUFFICIENT,
    CANCELLED,
    USAGE,
    DATA,
    UNREACHABLE,
    INTERNAL,
    TRY_AGAIN,
    NOT_PERMITTED,
    INTERRUPTED,
    PIPE_CLOSED,
)

# What a command that opens the store may leave by besides what it is for.
OF_STORE = "65 the store is not whole, 69 its disk fails or is full, 75 it is held, 77 it may not be."
_STORE = {
    65: "the store is not whole",
    69: "the store's disk fails or is full",
    75: "the store is held",
    77: "the store may not be opened",
}


def of_store(beside: Mapping[int, str]) -> str:
    """Return the same of a command that leaves by some of these codes also for what it is for, each code once."""
    return f"{', '.join(f'{code} {_either(beside.get(code), why)}' for code, why in _STORE.items())}."


def _either(ours: str | None, why: str) -> str:
    return why if ours is None else f"{ours}, or {why}"


LOOKED = f"Exit codes: 0 shown, 64 usage, or what was named is not there; {OF_STORE}"

THIN = "insufficient"
_BY_OUTCOME = {
    "clean": OK,
    "proven": OK,
    "regressed": REGRESSED,
    THIN: INSUFFICIENT,
    "unavailable": INSUFFICIENT,
    "not_applicable": INSUFFICIENT,
}
_BY_STATUS = {
    "promoted": OK,
    "rolled_back": REGRESSED,
    "cancelled": CANCELLED,
    "active": TIMED_OUT,
    "paused": TIMED_OUT,
}
_BY_ERROR: dict[type[LockgateError], ExitCode] = {
    UsageError: USAGE,
    DataError: DATA,
    UnreachableError: UNREACHABLE,
    TryAgainError: TRY_AGAIN,
    NotPermittedError: NOT_PERMITTED,
}


def of_outcome(outcome: str, *, allow_thin: bool = False) -> int:
    """Return the exit code of a verdict; `allow_thin` lets too few runs pass, and no metric that is missing."""
    return OK.code if allow_thin and outcome == THIN else _BY_OUTCOME[outcome].code


def of_status(status: str, *, superseded: bool = False) -> int:
    """Return the exit code of a rollout that was watched until it ended, or for as long as there was time.

    `superseded`: a newer rollout rolled it back by starting.
    """
    return CANCELLED.code if superseded else _BY_STATUS[status].code


def of_error(error: LockgateError) -> int:
    """Return the exit code of an explained failure."""
    return next((row.code for kind, row in _BY_ERROR.items() if isinstance(error, kind)), INTERNAL.code)
