# SPDX-License-Identifier: Apache-2.0
"""Columns of rows that stand for cells and tallies come in; cells go out, and the other way round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import groupby

import msgspec

from lockgate.adapters.stores.packing import unpack
from lockgate.adapters.stores.tallies_packing import pack_tallies, unpack_tallies
from lockgate.core.bucket import Bucket
from lockgate.core.intake import Slice
from lockgate.core.spine import Cell
from lockgate.core.tallies import Tallies, add_up
from lockgate.errors import UnsoundError

# So many rows of one level become one of the next.
FAN = 16
_COUNTS = msgspec.msgpack.Decoder(dict[str, int])
_LABELS = msgspec.msgpack.Decoder(tuple[tuple[str, str], ...])


def read_cell(number: int, release: str, labels: bytes, body: bytes) -> Cell:
    """Return the cell that a row is."""
    try:
        return Cell(number=number, release=release, labels=_LABELS.decode(labels), bucket=unpack(Bucket, body))
    except msgspec.MsgspecError as error:
        raise _unread(f"the labels of {release} in bucket {number}", error) from error


def read_counts(runs: bytes) -> Mapping[str, int]:
    """Return the runs of each release that a row counts."""
    try:
        return _COUNTS.decode(runs)
    except msgspec.MsgspecError as error:
        raise _unread("the runs of tallies", error) from error


def _unread(what: str, error: Exception) -> UnsoundError:
    return UnsoundError(f"{what} in the store cannot be read: {error}", advice="The store is not whole; put it back.")


def tallies_row(tallies: Tallies) -> tuple[bytes, bytes]:
    """Return runs by release, which are read without the rest, and everything."""
    runs: Counter[str] = Counter()
    for (release, _), of_statuses in zip(tallies.cells, tallies.statuses.tolist(), strict=True):
        runs[release] += sum(of_statuses)
    return msgspec.msgpack.encode(runs), pack_tallies(tallies)


def with_tallies(cells: list[Cell], rows: list[tuple[int, bytes]]) -> tuple[Cell, ...]:
    """Return cells with what was added to them, in the order in which cells are read."""
    found = {(cell.number, cell.release, cell.labels): cell for cell in cells}
    for number, group in groupby(rows, key=lambda row: row[0]):
        parts = [unpack_tallies(body) for _, body in group]
        total = add_up(parts) if len(parts) > 1 else parts[0]
        for (release, labels), added in zip(total.cells, total.buckets(), strict=True):
            before = found.get((number, release, labels))
            bucket = added if before is None else before.bucket + added
            found[number, release, labels] = Cell(number=number, release=release, labels=labels, bucket=bucket)
    return tuple(sorted(found.values(), key=_order))


def _order(cell: Cell) -> tuple[int, str, bytes]:
    return cell.number, cell.release, packed_labels(cell.labels)


def packed_labels(labels: Slice) -> bytes:
    """Return the bytes by which cells of one release are told apart."""
    return msgspec.msgpack.encode(labels)
