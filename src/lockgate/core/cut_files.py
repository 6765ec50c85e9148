# SPDX-License-Identifier: Apache-2.0
"""Bytes and the places of files in them come in; the files go out by their names, each cut when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol


class Place(NamedTuple):
    """Where a file stands: its own record, its first byte, its size and its checksum."""

    start: int
    first: int
    size: int
    checksum: int


class Source(Protocol):
    """Bytes that are cut from, wherever they are: those of a large bundle stay in its file."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, part: slice, /) -> bytes:
        """Return those of a part, or fewer where they end within it."""


class Files(Mapping[str, bytes]):
    """The files of a bundle by their names, each cut from the bundle's bytes when it is asked for."""

    def __init__(self, data: Source, places: Mapping[str, Place]) -> None:
        self._data, self._places = data, places

    def __getitem__(self, name: str) -> bytes:
        place = self._places[name]
        return self._data[place.first : place.first + place.size]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
