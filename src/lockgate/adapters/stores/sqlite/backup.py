# SPDX-License-Identifier: Apache-2.0
"""The folder of a store comes in; a copy of it as it was at one moment goes out, while others go on writing.

Both files are begun to be read before either is copied, so that raw runs which are pruned meanwhile are in the copy.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from lockgate.adapters.stores.sqlite.file import explain
from lockgate.adapters.stores.sqlite.store import CONTROL, RUNS, SqliteStore, begin_both
from lockgate.errors import NotPermittedError, UnreachableError, UsageError

PAGES_AT_ONCE = 4_000
OWNER_ONLY = 0o600


def back_up_store(source: Path, target: Path) -> tuple[Path, ...]:
    """Copy both files of a store into a new folder."""
    # What is not a whole store of this version is refused before anything is made.
    SqliteStore(source).close()
    with _explained(target):
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise UsageError(f"{target} is not empty", advice="Name a new folder for each backup.")
        with closing(_reader(source / CONTROL)) as control, closing(_reader(source / RUNS)) as runs:
            try:
                begin_both(control, runs)
            except sqlite3.Error as error:
                raise explain(error, source) from error
            copies = (_copy(control, target / CONTROL), _copy(runs, target / RUNS))
        _sync(target)
    return copies


def back_up_keys(source: Path, target: Path, public: Mapping[str, bytes], *, has_private: bool) -> tuple[Path, ...]:
    """Write public keys, and where asked copy private ones, into a folder that only their owner may read."""
    with _explained(target):
        target.mkdir(mode=0o700)
        # `*.key` seals the secrets of webhooks, `*.json` names programs that sign.
        found = [key for pattern in ("*.pem", "*.json", "*.key") for key in source.glob(pattern)]
        private = {key.name: key.read_bytes() for key in found} if has_private else {}
        written = {**private, **public}
        for name, data in sorted(written.items()):
            (target / name).parent.mkdir(mode=0o700, exist_ok=True)
            with _created(target / name) as handle:
                os.write(handle, data)
                os.fsync(handle)
        for folder in {(target / name).parent for name in written} | {target, target.parent}:
            _sync(folder)
    return tuple(target / name for name in sorted(written))


def _reader(source: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(source)
    except sqlite3.Error as error:
        raise explain(error, source) from error


def _copy(reader: sqlite3.Connection, target: Path) -> Path:
    with _created(target):
        pass
    try:
        with closing(sqlite3.connect(target)) as writer:
            # In portions, between which others write; those of this one snapshot are copied all the same.
            reader.backup(writer, pages=PAGES_AT_ONCE)
            # One file without a write-ahead log beside it is what people copy on.
            writer.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error as error:
        raise explain(error, target) from error
    with _opened(target) as handle:
        os.fsync(handle)
    return target


@contextmanager
def _created(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


def _sync(folder: Path) -> None:
    with _opened(folder) as handle:
        os.fsync(handle)


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise NotPermittedError(
            f"{target} cannot be written: {error.strerror}", advice="Name a folder that you may write to."
        ) from error
    except OSError as error:
        raise UnreachableError(
            f"{target} cannot be written: {error.strerror or error}", advice="Name a new folder on a disk with room."
        ) from error
