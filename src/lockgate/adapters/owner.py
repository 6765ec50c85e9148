# SPDX-License-Identifier: Apache-2.0
"""A path comes in; what root makes there belongs to the owner of the folder that it is made in, when it goes out.

An operator who is root calls a command in the folder of a server that is not: what is made for it, the server must be
able to read and write. SQLite does the same with the files beside its own. Only what did not exist is given away, so
that no link leads root to a file of somebody else.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600
# As a process makes them that says nothing of it: what is in them is closed.
PARENT_MODE = 0o777


def hand_over(handle: int, folder: Path) -> None:
    """Give what this process has just made, and has open, to the owner of the folder that it is made in."""
    if os.geteuid() != 0:
        return
    # Root of a container may lack the right; the file is as it was made then.
    with suppress(PermissionError):
        owner = folder.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may look into, and those that it is in, where they are not there."""
    _make_folder(path, FOLDER_MODE)


def _make_folder(path: Path, mode: int) -> None:
    if not path.parent.exists():
        _make_folder(path.parent, PARENT_MODE)
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        if not path.is_dir():
            raise
        return
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        hand_over(handle, path.parent)
    finally:
        os.close(handle)


def make_file(path: Path) -> None:
    """Make an empty file that only its owner may read, where there is none."""
    with suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        try:
            hand_over(handle, path.parent)
        finally:
            os.close(handle)
