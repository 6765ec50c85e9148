# SPDX-License-Identifier: Apache-2.0
"""A tile of a log comes in; its bytes, made of the nodes or entries that are stored, go out."""

from __future__ import annotations

from lockgate.core.tile import Tile, encode_entries
from lockgate.errors import UnknownError
from lockgate.ports.house import House


def tile_bytes(tile: Tile, house: House) -> bytes:
    """Return the bytes of a tile; one that holds more than the log has is not there yet."""
    with house.store.reading(house.org) as seen:
        size = seen.tree().size
        if not tile.is_in(size):
            raise UnknownError(
                f"the log of the size {size:,} has no {tile.path}",
                advice="The size is in the checkpoint's second line.",
            )
        if tile.level is None:
            return encode_entries([each.envelope for each in seen.entries_after(tile.first - 1, tile.width)])
        kept = seen.nodes(tile.nodes)
    return b"".join(kept[node] for node in tile.nodes)
