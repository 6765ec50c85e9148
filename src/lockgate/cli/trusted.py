# SPDX-License-Identifier: Apache-2.0
"""Names of files come in; what is verified, and the public keys that are trusted, go out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from lockgate.core.note import NoteKey
from lockgate.errors import UsageError
from lockgate.verify import Keys, read_note_key, read_public_key

STDIN = "-"
PEM = b"-----BEGIN"
# Nothing that verifies is as large, and a file without end must end.
MAX_FILE_SIZE = 1_000_000


def trusted_keys(receipt: Iterable[str], log: Iterable[str], origin: Callable[[], str] | None = None) -> Keys:
    """Return the public keys of receipts and of logs that files hold.

    A key of the log in PEM names no log: it is one of the log of `origin`, where that is known.
    """
    return Keys(
        tuple(read_public_key(read(name)) for name in receipt),
        tuple(_log_key(read(name), origin) for name in log),
    )


def _log_key(data: bytes, origin: Callable[[], str] | None) -> NoteKey:
    if origin is not None and data.lstrip().startswith(PEM):
        return NoteKey(origin(), read_public_key(data).raw)
    return read_note_key(data.decode("utf-8", "replace"))


def read(name: str) -> bytes:
    """Return the bytes of a small file; `-` is standard input."""
    if name == STDIN and sys.stdin is None:
        raise UsageError("standard input is closed", advice="Pipe the receipt into it, or name a file.")
    if name == STDIN:
        return sys.stdin.buffer.read(MAX_FILE_SIZE)
    try:
        with open(name, "rb") as file:  # noqa: PTH123 -- the name goes to the system as it was given
            return file.read(MAX_FILE_SIZE)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", advice="Name a file that can be read.") from error
