# SPDX-License-Identifier: Apache-2.0
"""A folder outside of LOCKGATE_HOME comes in; one file in it for each log, its largest signed checkpoint, goes out.

The folder must not be part of what is restored with the store. Files are replaced as a whole and not synchronised: a
mark that power took away is an older one, and the next commit lifts it again.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lockgate.adapters.owner import make_beside, make_file, make_folder
from lockgate.core.checkpoint import Checkpoint, checkpoint_of
from lockgate.core.note import MAX_NOTE_SIZE
from lockgate.core.refusal import VerifyError
from lockgate.crash_point import reach

NAME_LENGTH = 32
# A mark stops nothing: who holds the lock for longer than this is stopped, or on a file system that lost it.
LOCK_S, GLANCE_S = 1.0, 0.01
# Of which marks this process has said that they cannot be kept; one command may open its house several times.
_told: set[str] = set()


class StateFiles:
    """Marks in files, safe among any number of processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def held(self, origin: str) -> bytes | None:
        """Return the largest signed checkpoint of a log."""
        try:
            with self._path(origin).open("rb") as file:
                note = file.read(MAX_NOTE_SIZE + 1)
            return None if _checkpoint(note, origin) is None else note
        except FileNotFoundError:
            return None
        except (OSError, VerifyError) as error:
            self._tell(origin, error)
            return None

    def lift(self, origin: str, note: bytes) -> None:
        """Hold a signed checkpoint, unless a larger one is held."""
        try:
            make_folder(self._folder)
            with self._locked():
                before, now = self.held(origin), _checkpoint(note, origin)
                size = 0 if before is None else checkpoint_of(before).size
                if now is not None and now.size > size:
                    self._replace(self._path(origin), note)
        except OSError as error:
            self._tell(origin, error)

    def place(self, origin: str) -> str:
        """Return where the checkpoint of a log is held."""
        return str(self._path(origin))

    def _path(self, origin: str) -> Path:
        name = hashlib.sha256(origin.encode("utf-8")).hexdigest()[:NAME_LENGTH]
        return self._folder / f"{name}.checkpoint"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        make_file(self._folder / "lock")
        with (self._folder / "lock").open("ab") as file:
            until = time.monotonic() + LOCK_S
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= until:
                        raise
                    time.sleep(GLANCE_S)
            yield

    def _replace(self, path: Path, note: bytes) -> None:
        handle, whole = make_beside(path)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(note)
            reach("mark.written")
            whole.replace(path)
        except BaseException:
            whole.unlink(missing_ok=True)
            raise

    def _tell(self, origin: str, error: Exception) -> None:
        place = self.place(origin)
        if place not in _told:
            _told.add(place)
            logging.getLogger("lockgate").warning(
                "%s cannot be kept: %s; a store that is put back from an older copy will not be noticed",
                place,
                error,
            )


def _checkpoint(note: bytes, origin: str) -> Checkpoint | None:
    """Return the checkpoint of a note; that of another log is none."""
    checkpoint = checkpoint_of(note)
    return checkpoint if checkpoint.origin == origin else None
