# SPDX-License-Identifier: Apache-2.0
"""Trees come in; their tiles must be those of C2SP, and each tile must have one path and one form."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.envelope import MAX_ENVELOPE_SIZE
from lockgate.core.merkle import Node, Tree, leaf_hash, plan_tree
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.tile import (
    WIDTH,
    Tile,
    encode_entries,
    read_entries,
    read_tile_path,
    tiles_of,
)

VECTOR = json.loads((Path(__file__).resolve().parents[1] / "vectors" / "trust_tlog_tiles.json").read_text())
SIZE = 300
NUMBERS = st.integers(0, 2**55 - 1)
WIDTHS = st.integers(1, WIDTH)
LEVELS = st.one_of(st.none(), st.integers(0, 63))


@cache
def kept() -> dict[Node, bytes]:
    """Return the nodes of the vector's tree."""
    tree, found = Tree(), dict[Node, bytes]()
    for number in range(SIZE):
        tree, made = tree.append(leaf_hash(b"receipt-%d" % number))
        found.update(made)
    assert tree.root.hex() == VECTOR["root"]
    return found


def tile_bytes(tile: Tile) -> bytes:
    """Return the bytes of a tile of the vector's tree."""
    if tile.level is None:
        return encode_entries([b"receipt-%d" % (tile.first + place) for place in range(tile.width)])
    return b"".join(kept()[node] for node in tile.nodes)


def refused(path: str) -> Reason:
    """Return why a path is none of a tile."""
    with pytest.raises(VerifyError) as found:
        read_tile_path(path)
    assert "tile/LEVEL/NUMBER" in found.value.advice
    return found.value.reason


@pytest.mark.clause("LG-01")
def test_the_tiles_of_a_log_are_those_of_c2sp() -> None:
    """The vector's files, and no others, with its bytes."""
    found = {tile.path: tile_bytes(tile) for tile in tiles_of(SIZE)}

    said = {path: (len(data), hashlib.sha256(data).hexdigest()) for path, data in found.items()}
    assert said == {path: (each["len"], each["sha256"]) for path, each in VECTOR["files"].items()}


@pytest.mark.clause("LG-01")
@pytest.mark.parametrize(("number", "path"), VECTOR["path_index"].items())
def test_a_number_is_written_in_groups_of_three_digits(number: str, path: str) -> None:
    """All but the last group begin with an x."""
    assert Tile(0, int(number)).path == f"tile/0/{path}"


@pytest.mark.clause("LG-02")
@given(level=LEVELS, number=NUMBERS, width=WIDTHS)
def test_a_tile_has_one_path(level: int | None, number: int, width: int) -> None:
    """It is read back as the same tile."""
    tile = Tile(level, number, width)

    assert read_tile_path(tile.path) == tile


@pytest.mark.clause("LG-02")
@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/1",
        "tile/0/0001",
        "tile/0/x000/001",
        "tile/0/x001/x234/67",
        "tile/0/x001",
        "tile/0/001/234",
        "tile/00/001",
        "tile/01/001",
        "tile/+1/001",
        "tile/ 1/001",
        "tile/1_0/001",
        "tile/\u00b2/001",
        "tile/-1/001",
        "tile/64/001",
        "tile/064/001",
        "tile/630/001",
        "tile/9999999999/001",
        "tile/\u0660/001",
        "tile/0/\u0660\u0660\u0660",
        "tile/entry/001",
        "tile/entries/001/",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/08",
        "tile/0/001.p/999",
        "tile/0/001.p",
        "tile/0/001.p/1/1",
        "tile/0/001\n",
        "tile/0/../0/001",
        "other/0/001",
        "tile/0/" + "x999/" * 18 + "999",
        "tile/0/" + "x999/" * 5 + "999",
        "tile/0/" + "x999/" * 2_000 + "999",
    ],
)
def test_no_other_text_is_the_path_of_a_tile(path: str) -> None:
    """Another spelling would be another name of the same bytes in somebody's cache."""
    assert refused(path) is Reason.TILE_PATH


@pytest.mark.clause("LG-02")
@given(size=st.integers(0, SIZE), level=st.integers(0, 1), number=st.integers(0, 2), width=WIDTHS)
def test_a_tile_is_in_a_log_that_has_all_it_holds(size: int, level: int, number: int, width: int) -> None:
    """Each width below the one that the tile has now is one too, so that what a checkpoint needed stays there."""
    whole = {node for node in kept() if (node.position + 1) << node.level <= size}
    tile = Tile(level, number, width)

    assert tile.is_in(size) == (set(tile.nodes) <= whole)


@pytest.mark.clause("LG-02")
@given(size=st.integers(0, SIZE), number=st.integers(0, 2), width=WIDTHS)
def test_a_tile_of_entries_is_in_a_log_with_that_of_their_hashes(size: int, number: int, width: int) -> None:
    """Each entry has its hash in the lowest row."""
    assert Tile(None, number, width).is_in(size) is Tile(0, number, width).is_in(size)


@pytest.mark.clause("LG-03")
@given(size=st.integers(1, SIZE))
def test_the_root_of_every_size_follows_from_its_tiles(size: int) -> None:
    """The lowest row holds all leaves, and every row above what the one below it comes to."""
    rows: dict[int, bytes] = {}
    for tile in tiles_of(size):
        if tile.level is not None:
            rows[tile.level] = rows.get(tile.level, b"") + tile_bytes(tile)

    leaves = [rows[0][place : place + 32] for place in range(0, len(rows[0]), 32)]
    tree = Tree()
    for leaf in leaves:
        tree, _ = tree.append(leaf)
    assert tree.root == Tree(size, tuple(kept()[node] for node in plan_tree(size))).root
    assert len(rows.get(1, b"")) // 32 == size // WIDTH


@pytest.mark.clause("LG-03")
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=WIDTH))
def test_entries_come_out_of_a_tile_as_they_went_in(entries: list[bytes]) -> None:
    """Each stands behind its length; also an empty one."""
    assert read_entries(encode_entries(entries)) == tuple(entries)


@pytest.mark.clause("LG-03")
def test_the_largest_envelope_fits_an_entry() -> None:
    """Its length is the largest that two bytes write."""
    entry = b"x" * MAX_ENVELOPE_SIZE

    assert encode_entries([entry]) == b"\xff\xff" + entry
    assert read_entries(encode_entries([entry] * WIDTH)) == (entry,) * WIDTH


@pytest.mark.clause("LG-03")
@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\x00\x02x", b"\x00\x01x\x00", b"\x00\x00" * 257, bytes(WIDTH * 65_537 + 1)]
)
def test_other_bytes_are_no_entries(data: bytes) -> None:
    """Cut off, empty, or more than a tile holds."""
    with pytest.raises(VerifyError) as found:
        read_entries(data)

    assert found.value.reason is Reason.TILE_ENTRIES


@pytest.mark.clause("LG-02")
def test_a_tile_is_where_a_log_of_less_than_2_63_entries_has_one() -> None:
    """Its level, number and width have a least and a largest; only tiles of hashes hold nodes."""
    last = 2**55 - 1

    assert Tile(63, last).number == Tile(None, last, 1).number == last
    assert Tile(0, 0, 1).nodes == (Node(0, 0),)
    for level, number, width in ((-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, last + 1, 1), (0, 0, 0), (0, 0, 257)):
        with pytest.raises(ValueError, match=r"levels of tiles|a width from"):
            Tile(level, number, width)
    with pytest.raises(ValueError, match="holds no nodes"):
        _ = Tile(None, 0).nodes
