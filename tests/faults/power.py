# SPDX-License-Identifier: Apache-2.0
"""What a process wrote and synchronised comes in; stores as a loss of power may leave them go out.

Of each file everything up to its last synchronisation is there; of what was written since any part may be, torn between
sectors. The shared-memory file beside a write-ahead log never survives, and is made anew.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lockgate.adapters.stores.sqlite import file as sqlite_file
from tests.faults import steps
from tests.faults.traced import traced

ACKS = "acknowledged"
SECTOR = 512
NAMES = ("lockgate.db", "lockgate.db-wal", "runs.db", "runs.db-wal")
_HEX = r"((?:\\x[0-9a-f]{2})*)"
_WRITE = re.compile(rf'(?:pwrite64|write)\(\d+<{_HEX}>, "{_HEX}", \d+(?:, (\d+))?\) += (\d+)')
_SYNC = re.compile(rf"f(?:data)?sync\(\d+<{_HEX}>\) += 0")
_CUT = re.compile(rf"ftruncate\(\d+<{_HEX}>, (\d+)\) += 0")
_UNLINK = re.compile(rf'unlink\("{_HEX}"\) += 0')


@dataclass(frozen=True)
class Event:
    """What happened to a file: data at a place, a cut to a size, synchronisation, its end; or an answer to a caller."""

    kind: str
    name: str
    place: int = 0
    data: bytes = b""


def lived(folder: Path, names: Sequence[str], synchronous: str) -> None:
    """Do steps one after another, and write down each that was answered, for the trace."""
    settings = tuple(
        each.replace("synchronous = FULL", f"synchronous = {synchronous}") for each in sqlite_file._SETTINGS
    )
    sqlite_file._SETTINGS = settings  # type: ignore[assignment]  # the program has no other
    with (folder / ACKS).open("wb", buffering=0) as acks:
        for name in names:
            steps.do(folder, name)
            acks.write(b"x")


def recorded(folder: Path, log: Path, names: Sequence[str], synchronous: str = "FULL") -> list[Event]:
    """Return what steps do to the files of a store, in order."""
    trace = ["--trace=pwrite64,write,ftruncate,fdatasync,fsync,unlink", "--signal=none", "-xx", "-y"]
    options = [*trace, "--string-limit=70000", f"--output={log}"]
    assert traced(options, lived, folder, names, synchronous) == 0
    with log.open(encoding="ascii") as lines:
        return [event for line in lines if (event := _event(line)) is not None]


def _event(line: str) -> Event | None:
    if found := _WRITE.search(line):
        path, data, place, done = found.groups()
        name, written = _name(path), _bytes(data)[: int(done)]
        if name == ACKS:
            return Event("ack", name)
        return Event("write", name, int(place or 0), written) if name in NAMES else None
    for kind, form in (("sync", _SYNC), ("cut", _CUT), ("unlink", _UNLINK)):
        if found := form.search(line):
            name = _name(found[1])
            return Event(kind, name, int(found[2]) if kind == "cut" else 0) if name in NAMES else None
    return None


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _name(text: str) -> str:
    return _bytes(text).decode("utf-8").rpartition("/")[2]


def image(before: Path, events: Sequence[Event], draw: random.Random, target: Path) -> int:
    """Make a store as a loss of power after some events may leave it; return how many steps were answered by then."""
    target.mkdir()
    shutil.copytree(before / "keys", target / "keys")
    for name in NAMES:
        source = before / name
        data = bytearray(source.read_bytes()) if source.exists() else None
        own = [event for event in events if event.name == name]
        synced = max((place for place, event in enumerate(own) if event.kind == "sync"), default=-1)
        for place, event in enumerate(own):
            data = _applied(data, event, draw, is_synced=place < synced)
        if data is not None:
            (target / name).write_bytes(data)
    return sum(event.kind == "ack" for event in events)


def _applied(data: bytearray | None, event: Event, draw: random.Random, *, is_synced: bool) -> bytearray | None:
    if event.kind == "unlink":
        return None
    if event.kind == "sync" or (not is_synced and draw.random() < 1 / 2):
        return data
    data = bytearray() if data is None else data
    if event.kind == "cut":
        del data[event.place :]
        return data
    written = event.data
    if not is_synced and draw.random() < 1 / 2:
        written = written[: draw.randrange(0, len(written) + 1, SECTOR)]
    data.extend(bytes(max(0, event.place - len(data))))
    data[event.place : event.place + len(written)] = written
    return data
