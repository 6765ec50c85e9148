# SPDX-License-Identifier: Apache-2.0
"""The bytes of a batch come in; the bytes that rest in the store go out, and the other way round."""

from __future__ import annotations

# Runs at rest are read seldom; a higher level costs ingest more than it saves.
LEVEL = 1


def compress(body: bytes) -> bytes:
    """Return the bytes of a batch as they rest."""
    # Not at the top: most commands touch a store and no raw runs.
    import zstandard  # noqa: PLC0415

    return zstandard.ZstdCompressor(level=LEVEL).compress(body)


def decompress(data: bytes) -> bytes:
    """Return the bytes of a batch as they came."""
    import zstandard  # noqa: PLC0415

    return zstandard.ZstdDecompressor().decompress(data)
