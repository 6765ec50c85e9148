# SPDX-License-Identifier: Apache-2.0
"""The name of a bundle, a zip or a folder that holds its files, comes in; its files by their names go out.

Neither is read into memory as a whole: each file is, when it is asked for, and how large it may be is known before.
"""

from __future__ import annotations

import os
import stat
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path

from lockgate.core.bundle import MAX_SIZE, decode
from lockgate.core.bundle_layout import MAX_FILES, is_name, max_size
from lockgate.core.refusal import Reason, VerifyError
from lockgate.errors import UsageError


class Folder(Mapping[str, bytes]):
    """The files of a bundle that was unpacked, each read when it is asked for; it holds nothing else."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._sizes = dict(sorted(_sizes(root)))

    def __getitem__(self, name: str) -> bytes:
        size, path = self._sizes[name], self._root / name
        try:
            with path.open("rb") as file:
                # One byte more shows that it has grown since it was looked at.
                return file.read(size + 1)
        except OSError as error:
            raise _unread(path, error) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)


class OnDisk:
    """The bytes of a file, which stay there until they are cut from it."""

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        # It is closed with the last who holds files of the bundle.
        weakref.finalize(self, os.close, self._file)
        self._size = os.fstat(self._file).st_size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(self._size)
        try:
            return os.pread(self._file, max(0, stop - start), start)
        except OSError as error:
            raise _unread(self._path, error) from error


def bundle_files(path: Path) -> Mapping[str, bytes]:
    """Return the files of a bundle by their names; nothing is unpacked."""
    if path.is_dir():
        return Folder(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path} is no file", advice="A bundle is no stream: write it into a file, and name that.")
        return decode(OnDisk(path))
    except OSError as error:
        raise _unread(path, error) from error


def _sizes(root: Path) -> Iterator[tuple[str, int]]:
    """Yield the names of the files of a folder with their sizes, and refuse whatever else it holds."""
    found = total = 0
    for folder, folders, names in os.walk(root, onerror=_refuse_unread):
        here = Path(folder)
        if not folders and not names and here != root:
            raise _extra(root, here, "an empty folder")
        for name in folders:
            if (here / name).is_symlink():
                raise _extra(root, here / name, "a link")
        for name in names:
            size = _size(root, here / name)
            found, total = found + 1, total + size
            if found > MAX_FILES or total > MAX_SIZE:
                raise VerifyError(Reason.BUNDLE_SIZE, f"a bundle has at most {MAX_FILES:,} files and 4 GiB")
            yield (here / name).relative_to(root).as_posix(), size


def _size(root: Path, path: Path) -> int:
    """Return the size of a file, if it is one that a bundle may have."""
    name = path.relative_to(root).as_posix()
    try:
        found = path.lstat()
    except OSError as error:
        raise _unread(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise _extra(root, path, "no plain file")
    if not is_name(name):
        raise _extra(root, path, "no name of a bundle's file")
    if found.st_size > max_size(name):
        raise VerifyError(
            Reason.BUNDLE_SIZE, f"{name} has {found.st_size:,} bytes, and at most {max_size(name):,} are read"
        )
    return found.st_size


def _extra(root: Path, path: Path, what: str) -> VerifyError:
    return VerifyError(
        Reason.BUNDLE_FILE_EXTRA,
        f"{path.relative_to(root).as_posix()!a} is there, which is {what}",
        advice="Take it away if you put it there, or fetch the bundle again: it holds what its manifest lists only.",
    )


def _refuse_unread(error: OSError) -> None:
    raise _unread(Path(str(error.filename)), error) from error


def _unread(path: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot read {path}: {error.strerror}", advice="Name a file that can be read.")
