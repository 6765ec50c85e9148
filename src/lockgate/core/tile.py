# SPDX-License-Identifier: Apache-2.0
"""Where a tile of a log stands comes in; its path, the nodes or entries in it and its bytes go out.

The layout is that of c2sp.org/tlog-tiles.
A tile of hashes of level L holds up to 256 nodes of the tree's level 8 L, and a tile of entries up to 256 of those.
Both are made of whole nodes and entries, which never change: the bytes of a tile of one width are the same for ever.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lockgate.core.envelope import MAX_ENVELOPE_SIZE
from lockgate.core.merkle import Node
from lockgate.core.refusal import Reason, VerifyError

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_LEVEL = 63
# Of a path's last parts: which tile of its level it is and, of one that is not full, how wide.
_PLACE = re.compile(r"((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
# A log has less than 2^63 entries, and so less than 2^55 tiles of the lowest level.
_MAX_PLACE = 70
_MAX_NUMBER = 2 ** (63 - HEIGHT) - 1
_LENGTH_SIZE = 2


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of hashes, or of entries where it has no level; `width` is how many it holds."""

    level: int | None
    number: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if self.level is not None and not 0 <= self.level <= MAX_LEVEL:
            raise ValueError(f"levels of tiles count from 0 to {MAX_LEVEL}")
        if not 0 <= self.number <= _MAX_NUMBER or not 1 <= self.width <= WIDTH:
            raise ValueError(f"a tile has a number from 0 on and a width from 1 to {WIDTH}")

    @property
    def path(self) -> str:
        """Return the path below that of the log."""
        level = "entries" if self.level is None else self.level
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_number_path(self.number)}{partial}"

    @property
    def first(self) -> int:
        """Return the position, at its level of the tree, of the first that it holds."""
        return self.number * WIDTH

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Return the nodes that a tile of hashes holds, in their order."""
        if self.level is None:
            raise ValueError("a tile of entries holds no nodes")
        level = HEIGHT * self.level
        return tuple(Node(level, self.first + place) for place in range(self.width))

    def is_in(self, size: int) -> bool:
        """Say whether a log of some size has everything that the tile holds."""
        return self.first + self.width <= size >> HEIGHT * (self.level or 0)


def tiles_of(size: int) -> tuple[Tile, ...]:
    """Return every tile that a log of some size has, at its largest width; those of entries come last."""
    found = [tile for level in range(MAX_LEVEL + 1) for tile in _row(level, size >> HEIGHT * level)]
    return (*found, *_row(None, size))


def read_tile_place(level: str, place: str) -> Tile:
    """Return the tile that the last parts of a path name: a level or `entries`, and `x001/x234/067.p/8`."""
    found = _PLACE.fullmatch(place) if len(place) <= _MAX_PLACE else None
    if found is None:
        raise _no_tile()
    number = int(found[1].replace("x", "").replace("/", ""))
    try:
        tile = Tile(None if level == "entries" else int(level[:3]), number, int(found[2] or WIDTH))
    except ValueError as error:
        raise _no_tile() from error
    # One tile has one path: no other spelling of its level, no group of zeros more, and no full width that says so.
    if tile.path != f"tile/{level}/{place}":
        raise _no_tile()
    return tile


def read_tile_path(path: str) -> Tile:
    """Return the tile that a path below that of a log names."""
    kind, _, rest = path.partition("/")
    level, _, place = rest.partition("/")
    if kind != "tile":
        raise _no_tile()
    return read_tile_place(level, place)


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """Return the bytes of a tile of entries: each entry behind its length in two bytes, the larger first."""
    return b"".join(len(entry).to_bytes(_LENGTH_SIZE, "big") + entry for entry in entries)


def read_entries(data: bytes) -> tuple[bytes, ...]:
    """Return the entries that a tile of them holds."""
    if len(data) > WIDTH * (_LENGTH_SIZE + MAX_ENVELOPE_SIZE):
        raise _bad_entries(f"it is larger than {WIDTH} entries can be")
    entries: list[bytes] = []
    place = 0
    while place < len(data):
        begin = place + _LENGTH_SIZE
        place = begin + int.from_bytes(data[place:begin], "big")
        if place > len(data):
            raise _bad_entries("it ends within an entry")
        entries.append(data[begin:place])
    if not 0 < len(entries) <= WIDTH:
        raise _bad_entries(f"it holds {len(entries)} entries, and not 1 to {WIDTH}")
    return tuple(entries)


def _row(level: int | None, count: int) -> list[Tile]:
    full, rest = divmod(count, WIDTH)
    return [*(Tile(level, number) for number in range(full)), *([Tile(level, full, rest)] if rest else [])]


def _number_path(number: int) -> str:
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *upper, last = (digits[place : place + 3] for place in range(0, len(digits), 3))
    return "/".join([*(f"x{each}" for each in upper), last])


def _no_tile() -> VerifyError:
    return VerifyError(
        Reason.TILE_PATH,
        "this is not the path of a tile",
        advice="It is tile/LEVEL/NUMBER or tile/entries/NUMBER, such as tile/0/x001/234, or with .p/WIDTH at its end.",
    )


def _bad_entries(message: str) -> VerifyError:
    return VerifyError(Reason.TILE_ENTRIES, f"this is not a tile of entries: {message}")
