# SPDX-License-Identifier: Apache-2.0
"""What went wrong comes in; out goes an exception that says what happened and what to do."""

from __future__ import annotations


class LockgateError(Exception):
    """Any failure that Lockgate explains: `message` says what happened, `advice` what to do."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}\n{self.advice}" if self.advice else self.message


class UsageError(LockgateError):
    """The call itself is wrong: an option, a name, a policy that cannot be meant."""


class DataError(LockgateError):
    """What was read is wrong: a malformed line, an impossible value, an empty cohort."""


class UnreachableError(LockgateError):
    """Something outside did not answer."""


class TryAgainError(LockgateError):
    """Somebody else won; the same call may succeed later."""


class NotPermittedError(LockgateError):
    """The caller may not do this."""


class MalformedKeyError(NotPermittedError):
    """What was sent as a key has not the form of one."""


class ExpiredKeyError(NotPermittedError):
    """The key's time is over."""


class RevokedKeyError(NotPermittedError):
    """The key was revoked."""


class UnknownFieldError(UsageError):
    """The call has a field, or a parameter, that nobody knows."""


class TooManyRunsError(DataError):
    """A batch has more runs than are taken at once."""


class RefusedUrlError(UsageError):
    """A URL that may not be called from here."""


class UnknownError(UsageError):
    """What the call names is not there."""


class HeldError(TryAgainError):
    """Another process holds the store."""


class UnsoundError(DataError):
    """What is stored cannot be read, whatever the call was."""


class OlderStoreError(UnsoundError):
    """The store is an older copy of what it was, or another one: what was signed since is not in it.

    `index` is that of the first entry that is gone from a log that is shorter than it was; of another nobody knows it.
    """

    def __init__(self, message: str, *, advice: str = "", index: int | None = None) -> None:
        super().__init__(message, advice=advice)
        self.index = index


class LaterStoreError(DataError):
    """The store is of a later version of Lockgate, which alone knows how to read and write it."""


class ReusedKeyError(UsageError):
    """An idempotency key came again with another call."""


class LeftError(NotPermittedError):
    """The store goes on elsewhere, and may only be read here."""


class InDoubtError(UnreachableError):
    """The store did not say whether it kept what it was asked to keep."""


class ClosedStoreError(NotPermittedError):
    """The store does not let Lockgate in, or not write; whoever calls a server can do nothing about it."""
