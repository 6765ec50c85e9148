# SPDX-License-Identifier: Apache-2.0
"""A control file comes in; it is marked as one whose store goes on elsewhere, and who writes meets the mark.

The mark is a number in the head of the file, kept by a transaction: a process that has the file open meets it too.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from lockgate.adapters.stores.refusals import left
from lockgate.errors import UnreachableError

# "LGMV": the application_id of a store that is left.
_LEFT = 0x4C474D56
# Beside the control file: where the store went, for people.
WHERE = "moved-to.txt"


def leave(control: sqlite3.Connection, path: Path, name: str) -> None:
    """Mark a control file, inside of a transaction."""
    try:
        (path.parent / WHERE).write_text(f"{name}\n", encoding="utf-8")
    except OSError as error:
        raise UnreachableError(
            f"{path.parent / WHERE} cannot be written: {error.strerror or error}",
            advice="Make room on the disk, then try again; nothing was copied.",
        ) from error
    control.execute(f"PRAGMA application_id = {_LEFT}")


def left_for(control: sqlite3.Connection, path: Path) -> str | None:
    """Return where the store of a control file goes on; None where it is not marked."""
    if control.execute("PRAGMA application_id").fetchone()[0] != _LEFT:
        return None
    try:
        return (path.parent / WHERE).read_text(encoding="utf-8").strip()
    except OSError:
        return "another store"


def refuse_left(control: sqlite3.Connection, path: Path) -> None:
    """Refuse to write to a store that goes on elsewhere."""
    name = left_for(control, path)
    if name is not None:
        raise left(str(path.parent), name)
