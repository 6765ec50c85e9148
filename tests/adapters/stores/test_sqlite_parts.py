# SPDX-License-Identifier: Apache-2.0
"""A part of a transaction that changes many pages comes in; no file beside the store's own may go out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.adapters.stores.sqlite.file import SqliteFile
from lockgate.adapters.stores.sqlite.store import CONTROL

# More than SQLite holds in memory by itself.
ROWS, SIZE = 100, 4_000


def open_files() -> int:
    """Return how many files this process has open."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


@pytest.mark.clause("BU-281")
def test_what_a_part_may_undo_is_in_no_file(tmp_path: Path) -> None:
    """Also where a part fails, what was there before comes from memory."""
    file = SqliteFile(tmp_path / CONTROL, "control")
    with file.lent() as connection:
        connection.execute("CREATE TABLE wide (body BLOB)")
        connection.executemany("INSERT INTO wide VALUES (zeroblob(?))", [(SIZE,)] * ROWS)
        file.begin(connection)
        connection.execute("SAVEPOINT part")
        before = open_files()

        connection.execute("UPDATE wide SET body = randomblob(?)", (SIZE,))

        assert open_files() == before
        connection.execute("ROLLBACK TO part")
        assert connection.execute("SELECT count(*) FROM wide WHERE body = zeroblob(?)", (SIZE,)).fetchone() == (ROWS,)
    file.close()
