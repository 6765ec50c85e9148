# SPDX-License-Identifier: Apache-2.0
"""Files come in one by one; they go out by their names, without all of them being in memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import NamedTuple, Self

# What is longer rests in a file without a name.
MAX_IN_MEMORY = 16 << 20


class _Place(NamedTuple):
    first: int
    size: int
    sha256: str


class Spool(Mapping[str, bytes]):
    """Files that were gathered, each by its name once."""

    def __init__(self) -> None:
        self._held = tempfile.SpooledTemporaryFile(MAX_IN_MEMORY)  # noqa: SIM115 -- closed by the block that this object opens
        self._places: dict[str, _Place] = {}
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._held.close()

    def add(self, name: str, data: bytes) -> None:
        """Keep a file."""
        assert name not in self._places, name
        self._held.seek(self._end)
        self._held.write(data)
        self._places[name] = _Place(self._end, len(data), hashlib.sha256(data).hexdigest())
        self._end += len(data)

    def digests(self) -> dict[str, tuple[str, int]]:
        """Return of each file its SHA-256 in hexadecimal, and its size."""
        return {name: (place.sha256, place.size) for name, place in self._places.items()}

    def __getitem__(self, name: str) -> bytes:
        place = self._places[name]
        self._held.seek(place.first)
        return self._held.read(place.size)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
