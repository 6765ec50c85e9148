# SPDX-License-Identifier: Apache-2.0
"""Tallies come in and their bytes go out, and the other way round: whole numbers in as few bytes as all of them fit."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from lockgate.core.tallies import BIN_BITS, CellName, Tallies, Wide
from lockgate.errors import UnsoundError

_WIDTHS = ("B", "H", "I", "Q")


class _Packed(msgspec.Struct, array_like=True, gc=False):
    """Tallies as they rest; of `bins` the steps from each to the next, and numbers from 0 up throughout."""

    cells: tuple[CellName, ...]
    fields: tuple[str, ...]
    statuses: tuple[str, bytes]
    events: dict[str, tuple[str, bytes]]
    squares: tuple[str, bytes]
    bins: tuple[str, bytes]
    counts: tuple[str, bytes]
    excess: tuple[str, bytes]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Packed)


class _Names(msgspec.Struct, array_like=True, gc=False):
    """The first of what tallies say."""

    cells: tuple[CellName, ...]


_NAMES = msgspec.msgpack.Decoder(_Names)


def names_of(data: bytes) -> tuple[CellName, ...]:
    """Return which cells some bytes are tallies of, and read nothing else of them."""
    try:
        return _NAMES.decode(data).cells
    except msgspec.MsgspecError as error:
        raise _unreadable(error) from error


def pack_tallies(tallies: Tallies) -> bytes:
    """Return the bytes of tallies."""
    return _ENCODER.encode(
        _Packed(
            cells=tallies.cells,
            fields=tallies.fields,
            statuses=_pack(tallies.statuses),
            events={name: _pack(table) for name, table in tallies.events.items()},
            squares=_pack_wide(list(tallies.squares)),
            bins=_pack(np.diff(tallies.bins, prepend=np.int64(0))),
            counts=_pack(tallies.counts),
            excess=_pack(tallies.excess),
        )
    )


def unpack_tallies(data: bytes) -> Tallies:
    """Return the tallies that some bytes are."""
    try:
        return _raised(_DECODER.decode(data))
    except (msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> UnsoundError:
    return UnsoundError(f"tallies in the store cannot be read: {error}", advice="The store is not whole; put it back.")


def _raised(packed: _Packed) -> Tallies:
    bins, squares = _unpack(packed.bins).cumsum(), _unpack_wide(packed.squares)
    # An owner has a value, and a value has a bin.
    owners = np.unique(bins >> BIN_BITS)
    if owners.size != len(squares):
        raise ValueError("sums of squares are of other values")
    counts, excess = _unpack(packed.counts), _unpack(packed.excess)
    if not bins.size == counts.size == excess.size or (bins[1:] <= bins[:-1]).any():
        raise ValueError("bins do not rise, or have other counts")
    return Tallies(
        cells=packed.cells,
        fields=packed.fields,
        statuses=_unpack(packed.statuses).reshape(len(packed.cells), -1),
        events={name: _unpack(table).reshape(-1, 2) for name, table in packed.events.items()},
        owners=owners,
        squares=tuple(squares),
        bins=bins,
        counts=counts,
        excess=excess,
    )


def _pack(numbers: Wide) -> tuple[str, bytes]:
    if numbers.dtype == np.object_:
        return _pack_wide(numbers.tolist())
    top = int(numbers.max(initial=0))
    width = next(each for each in _WIDTHS if top < 1 << 8 * np.dtype(each).itemsize)
    return width, numbers.astype(f"<{width}").tobytes()


def _unpack(packed: tuple[str, bytes]) -> Wide:
    width, data = packed
    if width in _WIDTHS:
        return np.frombuffer(data, f"<{width}").astype(np.int64)
    return np.array(_unpack_wide(packed), np.object_)


def _pack_wide(numbers: list[Any]) -> tuple[str, bytes]:
    size = max(1, (max(numbers, default=0).bit_length() + 7) // 8)
    return str(size), b"".join([number.to_bytes(size, "little") for number in numbers])


def _unpack_wide(packed: tuple[str, bytes]) -> list[int]:
    size, data = int(packed[0]), packed[1]
    return [int.from_bytes(data[start : start + size], "little") for start in range(0, len(data), size)]
