# SPDX-License-Identifier: Apache-2.0
"""A request comes in; its body, of the kind and size that its endpoint takes, goes out, unpacked where it is packed.

A body is unpacked in pieces, and no further than to the size that would be taken anyway: what expands without end is
refused before it is held.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterator

import zstandard
from starlette.requests import Request

from lockgate.server.body_budget import Hold
from lockgate.server.problem import NOT_DATA, TOO_LARGE, TOO_PACKED, TOO_SLOW, WRONG_ENCODING, WRONG_TYPE, ProblemError
from lockgate.server.table import MAX_BODY, Endpoint

# What is small comes at once or not at all.
BODY_SECONDS, SMALL_BODY_SECONDS = 60.0, 15.0
# Whoever has shown no key is waited for less.
STRANGER_SECONDS = 5.0
# What is large holds memory that others need: after a grace it goes on at some pace or not at all.
GRACE_SECONDS, PACE = 10.0, 32 * 1024
# A body that is unpacked to more than this has at most so many times its own size.
FREE, MOST_RATIO = 8 << 20, 200
# Of zlib's own; a piece of zstd may become 256 blocks of 128 KiB.
GZIP_PIECE, ZSTD_PIECE = 1 << 20, 1 << 10
MAX_WINDOW = 8 << 20
GZIP_FORM = 16 + zlib.MAX_WBITS


async def read_body(row: Endpoint, request: Request, hold: Hold) -> bytes:
    """Return the body of a request as it was sent, each piece of which is held as it comes."""
    most = row.max_body if row.body else 0
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise too_large(most)
    chunks, size = [], 0
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout_at(began + _seconds(row, 0)) as patience:
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise too_large(most)
                hold(len(chunk))
                chunks.append(chunk)
                patience.reschedule(began + _seconds(row, size))
    except TimeoutError as error:
        said = f"of the body {size:,} bytes came within {_seconds(row, size):g} s"
        raise ProblemError(TOO_SLOW, said, "Send smaller bodies, or faster.") from error
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if size and kind not in row.body:
        taken = " or ".join(row.body) or "nothing"
        raise ProblemError(WRONG_TYPE, f"a body of the kind {kind!r} is not taken", f"Send Content-Type: {taken}.")
    return b"".join(chunks)


def _seconds(row: Endpoint, size: int) -> float:
    """Return how long a body of which so much is there may take."""
    if row.permission is None:
        return STRANGER_SECONDS
    return SMALL_BODY_SECONDS if row.max_body <= MAX_BODY else min(BODY_SECONDS, GRACE_SECONDS + size / PACE)


def packing(row: Endpoint, request: Request) -> str | None:
    """Return by what a body is packed, if it is; refuse what its endpoint does not unpack."""
    words = ",".join(request.headers.getlist("content-encoding")).lower().split(",")
    found = [word.strip() for word in words if word.strip() not in ("", "identity")]
    if not found:
        return None
    if len(found) > 1 or found[0] not in row.encodings:
        taken = ", ".join(row.encodings) or "identity"
        raise ProblemError(
            WRONG_ENCODING,
            f"a body of the encoding {', '.join(found)[:60]!r} is not taken here",
            f"Send it as it is{', or by ' + ' or '.join(row.encodings) if row.encodings else ''}.",
            {"accept-encoding": taken},
        )
    return found[0]


def unpack_body(packed: bytes, encoding: str, most: int, hold: Hold) -> bytes:
    """Return what a packed body holds, which is at most so long; each piece of it is held as it is unpacked."""
    limit = min(most, max(FREE, MOST_RATIO * len(packed)))
    pieces, size = [], 0
    try:
        for piece in _UNPACKED[encoding](packed):
            size += len(piece)
            if size > limit:
                raise too_large(most) if size > most else _bomb()
            hold(len(piece))
            pieces.append(piece)
    except (zlib.error, zstandard.ZstdError) as error:
        raise _torn(encoding, str(error)) from error
    return b"".join(pieces)


def _ungzipped(packed: bytes) -> Iterator[bytes]:
    machine, rest = zlib.decompressobj(GZIP_FORM), packed
    while not machine.eof:
        piece = machine.decompress(rest, GZIP_PIECE)
        rest = machine.unconsumed_tail
        # What was read may wait within the machine after the last byte was handed over.
        if not piece and not rest:
            break
        yield piece
    if not machine.eof or machine.unused_data:
        raise _torn("gzip", "it ends too early" if not machine.eof else "something follows its end")


def _unzstd(packed: bytes) -> Iterator[bytes]:
    machine = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj()
    at = 0
    while at < len(packed) and not machine.eof:
        yield machine.decompress(packed[at : at + ZSTD_PIECE])
        at += ZSTD_PIECE
    if not machine.eof or machine.unused_data or at < len(packed):
        raise _torn("zstd", "it ends too early" if not machine.eof else "something follows its end")


_UNPACKED: dict[str, Callable[[bytes], Iterator[bytes]]] = {"gzip": _ungzipped, "zstd": _unzstd}


def too_large(most: int) -> ProblemError:
    """Return the refusal of a body that is too long."""
    advice = f"At most {most:,} bytes are taken." if most else "Send none."
    return ProblemError(TOO_LARGE, "the body is too large for this path", advice)


def _bomb() -> ProblemError:
    return ProblemError(
        TOO_PACKED, f"the body unpacks to more than {MOST_RATIO} times its size", "Send it as it is, or in parts."
    )


def _torn(encoding: str, reason: str) -> ProblemError:
    return ProblemError(NOT_DATA, f"the body is no whole {encoding}: {reason}", "Send one packed stream, to its end.")
