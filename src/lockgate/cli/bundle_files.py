# SPDX-License-Identifier: Apache-2.0
"""The name of a bundle, a zip or a folder that holds its files, comes in; its files by their names go out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from lockgate.core.bundle import MAX_FILES, MAX_SIZE, decode, is_name
from lockgate.errors import DataError, UsageError


class Folder(Mapping[str, bytes]):
    """The files of a bundle that was unpacked, each read when it is asked for; what is no plain file is none."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names = dict.fromkeys(sorted(_names(root)))

    def __getitem__(self, name: str) -> bytes:
        if name not in self._names:
            raise KeyError(name)
        return _bytes(self._root / name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def bundle_files(path: Path) -> Mapping[str, bytes]:
    """Return the files of a bundle by their names; nothing is unpacked."""
    return Folder(path) if path.is_dir() else decode(_bytes(path))


def _names(root: Path) -> Iterator[str]:
    found = 0
    for folder, _, names in os.walk(root):
        for name in names:
            file = Path(folder) / name
            inner = file.relative_to(root).as_posix()
            if not is_name(inner) or file.is_symlink() or not file.is_file():
                continue
            found += 1
            if found > MAX_FILES:
                raise DataError(f"there are more than {MAX_FILES:,} files in the folder, and a bundle has no more")
            yield inner


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_SIZE + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", advice="Name a file that can be read.") from error
