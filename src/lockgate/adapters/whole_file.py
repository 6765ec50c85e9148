# SPDX-License-Identifier: Apache-2.0
"""A path and bytes come in; a file that nobody looks for yet, with all of the bytes on the disk, goes out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lockgate.adapters.owner import make_beside

OWNER_ONLY = 0o600


@contextmanager
def whole_file(path: Path, data: bytes, mode: int = OWNER_ONLY) -> Iterator[Path]:
    """Hand out a file beside a path, to be linked or moved to it; it is gone, and the folder on the disk, afterwards.

    A crash leaves a file whose name begins with a dot, and nothing or the whole under the path.
    """
    handle, whole = make_beside(path, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield whole
    finally:
        whole.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let names that were made, or taken away, in a folder outlive the loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
