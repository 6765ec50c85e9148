# SPDX-License-Identifier: Apache-2.0
"""A path comes in; what root makes there belongs to the owner of the folder that it is made in, when it goes out.

An operator who is root calls a command in the folder of a server that is not: what is made for it, the server must be
able to read and write. SQLite does the same with the files beside its own. Only what this call has made is given away.
The folder is opened once, and what it is called is not asked again: its owner may put a link to another in its place at
any moment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = 0
FOLDER_MODE, FILE_MODE = 0o700, 0o600
# As a process makes them that says nothing of it: what is in them is closed.
PARENT_MODE = 0o777
# A folder that may be passed need not be one that may be read.
_PASSED = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may look into, and those that it is in, where they are not there."""
    _make_folder(path, FOLDER_MODE)


def make_file(path: Path) -> None:
    """Make an empty file that only its owner may read, where there is none."""
    with suppress(FileExistsError), _opened(path.parent, _PASSED) as parent:
        os.close(_new_file(path.name, parent, FILE_MODE))


def make_beside(path: Path, mode: int = FILE_MODE) -> tuple[int, Path]:
    """Make an empty file beside a path by a name that nobody knows before, and return it, open to be written."""
    name = f".{path.name}.{os.urandom(8).hex()}"
    with _opened(path.parent, _PASSED) as parent:
        return _new_file(name, parent, mode), path.parent / name


def _make_folder(path: Path, mode: int) -> None:
    if path.is_dir():
        return
    if not path.parent.exists():
        _make_folder(path.parent, PARENT_MODE)
    with _opened(path.parent, _PASSED) as parent:
        try:
            os.mkdir(path.name, mode, dir_fd=parent)
        except FileExistsError:
            # Another process may have been first.
            if not path.is_dir():
                raise
            return
        # Another may have its name by now; of one that is root's and empty nothing is given away.
        with _opened(path.name, _FOLDER, parent) as made, os.scandir(made) as held:
            if next(held, None) is None:
                _hand_over(made, parent)


def _new_file(name: str, parent: int, mode: int) -> int:
    # A key is never in a file that others can read: by O_EXCL it is new, and nobody's link.
    handle = os.open(name, _NEW_FILE, FILE_MODE, dir_fd=parent)
    try:
        if mode != FILE_MODE:
            os.fchmod(handle, mode)
        _hand_over(handle, parent)
    except BaseException:
        os.close(handle)
        os.unlink(name, dir_fd=parent)
        raise
    return handle


def _hand_over(handle: int, parent: int) -> None:
    """Give what root has just made, and has open, to the owner of the folder that it is made in."""
    if os.geteuid() != ROOT or os.fstat(handle).st_uid != ROOT:
        return
    owner = os.fstat(parent)
    # Root of a container may lack the right, or not know that owner; what it made stays its own then.
    with suppress(OSError):
        os.fchown(handle, owner.st_uid, owner.st_gid)


@contextmanager
def _opened(path: Path | str, how: int, parent: int | None = None) -> Iterator[int]:
    handle = os.open(path, how, dir_fd=parent)
    try:
        yield handle
    finally:
        os.close(handle)
