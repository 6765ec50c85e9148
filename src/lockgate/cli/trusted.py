# SPDX-License-Identifier: Apache-2.0
"""Names of files come in; what is verified, and the public keys that are trusted, go out."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from lockgate.errors import UsageError
from lockgate.verify import Keys, read_note_key, read_public_key

STDIN = "-"
# Nothing that verifies is as large, and a file without end must end.
MAX_FILE_SIZE = 1_000_000


def trusted_keys(receipt: Iterable[str], log: Iterable[str]) -> Keys:
    """Return the public keys of receipts and of logs that files hold."""
    return Keys(
        tuple(read_public_key(read(name)) for name in receipt),
        tuple(read_note_key(read(name).decode("utf-8", "replace")) for name in log),
    )


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
