# SPDX-License-Identifier: Apache-2.0
"""The environment comes in; the passphrase that locks private keys on this machine goes out, where one does."""

from __future__ import annotations

import os
from pathlib import Path

from lockgate.errors import UsageError

PASSPHRASE_FILE = "LOCKGATE_KEY_PASSPHRASE_FILE"  # noqa: S105 -- the name of a setting
MAX_SIZE = 1_000


def own_passphrase() -> bytes | None:
    """Return the passphrase in the file that a setting names; None where none does."""
    name = os.environ.get(PASSPHRASE_FILE)
    return read_passphrase(Path(name).expanduser()) if name else None


def read_passphrase(path: Path) -> bytes:
    """Return the first line of a file, without its line break."""
    try:
        with path.open("rb") as file:
            found = file.read(MAX_SIZE + 1).split(b"\n", 1)[0].rstrip(b"\r")
    except OSError as error:
        raise UsageError(
            f"the passphrase of the keys cannot be read from {path}: {error.strerror or error}",
            advice=f"{PASSPHRASE_FILE} names a file that the owner of the keys can read.",
        ) from error
    if not 0 < len(found) <= MAX_SIZE:
        raise UsageError(f"{path} holds no passphrase in its first line", advice=f"It has 1 to {MAX_SIZE} bytes.")
    return found
