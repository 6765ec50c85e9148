# SPDX-License-Identifier: Apache-2.0
"""The bytes of a batch come in; the bytes that rest in the store go out, and the other way round."""

from __future__ import annotations

from lockgate.errors import UnsoundError

# Runs at rest are read seldom; a higher level costs ingest more than it saves. Lines of runs repeat long pieces of
# lines just before them: those are found by few and short tables, which stay in the processor's nearest cache.
LEVEL, MIN_MATCH, HASH_LOG = 1, 7, 11
# Twice what a batch may have.
MAX_SIZE = 128 << 20


def compress(body: bytes) -> bytes:
    """Return the bytes of a batch as they rest."""
    # Not at the top: most commands touch a store and no raw runs.
    import zstandard  # noqa: PLC0415 -- most commands touch a store and no raw runs

    tables = zstandard.ZstdCompressionParameters.from_level(LEVEL, min_match=MIN_MATCH, hash_log=HASH_LOG)
    return zstandard.ZstdCompressor(compression_params=tables).compress(body)


def decompress(data: bytes) -> bytes:
    """Return the bytes of a batch as they came."""
    import zstandard  # noqa: PLC0415 -- most commands touch a store and no raw runs

    try:
        # What a frame says of its size is what would be held, and a small row may claim gigabytes.
        is_a_batch = 0 <= zstandard.frame_content_size(data) <= MAX_SIZE
        return zstandard.ZstdDecompressor().decompress(data) if is_a_batch else _too_large()
    except zstandard.ZstdError as error:
        raise UnsoundError("raw runs of a batch cannot be read", advice="Put the store back from a backup.") from error


def _too_large() -> bytes:
    raise UnsoundError("raw runs of a batch are larger than any batch", advice="Put the store back from a backup.")
