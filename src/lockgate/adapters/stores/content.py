# SPDX-License-Identifier: Apache-2.0
"""Bytes that receipts name come in; the bytes that rest in the store go out, and the other way round."""

from __future__ import annotations

from lockgate.errors import DataError, UnsoundError

# Verdicts are JSON that says much the same of each gate; a higher level costs a tick more than it saves.
LEVEL = 1
# Far above the verdict of the largest policy.
MAX_SIZE = 64 << 20
_RESTORE = "Put the store back from a backup."


def compress(data: bytes) -> bytes:
    """Return bytes as they rest."""
    # Not at the top: most decisions fit into their receipts.
    import zstandard  # noqa: PLC0415 -- most decisions fit into their receipts

    if len(data) > MAX_SIZE:
        raise DataError(f"{len(data):,} bytes are more than a store keeps in one piece", advice="Please report this.")
    return zstandard.ZstdCompressor(level=LEVEL).compress(data)


def decompress(row: bytes) -> bytes:
    """Return bytes as they came."""
    import zstandard  # noqa: PLC0415 -- most decisions fit into their receipts

    try:
        # What a frame says of its size is what would be held, and a small row may claim gigabytes.
        if not 0 <= zstandard.frame_content_size(row) <= MAX_SIZE:
            raise UnsoundError("bytes that a receipt names are larger than any that are kept", advice=_RESTORE)
        return zstandard.ZstdDecompressor().decompress(row)
    except zstandard.ZstdError as error:
        raise UnsoundError("bytes that a receipt names cannot be read", advice=_RESTORE) from error
