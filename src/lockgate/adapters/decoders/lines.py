# SPDX-License-Identifier: Apache-2.0
"""An open file comes in; whole lines go out, about a thousand at a time, and none so long that it would fill memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

MAX_LINE = 1 << 20
# About a thousand runs: what is decoded from it stays in the processor's cache.
BLOCK = 1 << 18
BOM = b"\xef\xbb\xbf"
TOO_LONG = "the line is longer than 1 MiB; write one run on each line"


class Chunk(NamedTuple):
    """Whole lines, the number of the first of them, and how many there are."""

    first: int
    data: bytes
    size: int


class LongLineError(Exception):
    """A line goes on for longer than any run; `line` is its number."""

    def __init__(self, line: int) -> None:
        super().__init__(TOO_LONG)
        self.line = line


class Start(NamedTuple):
    """What was read before the chunks, and the number of its first line."""

    head: bytes = b""
    line: int = 1


TOP = Start()


def chunks(stream: BinaryIO, start: Start = TOP) -> Iterator[Chunk]:
    """Yield chunks of whole lines without a byte order mark; a line that is too long is never read to its end."""
    rest, line = start
    while block := stream.read(BLOCK):
        rest += block
        if line == 1:
            rest = rest.removeprefix(BOM)
        end = rest.rfind(b"\n") + 1
        if end:
            data, rest = rest[:end], rest[end:]
            _refuse_long(data, line)
            count = data.count(b"\n")
            yield Chunk(line, data, count)
            line += count
        if len(rest) > MAX_LINE:
            raise LongLineError(line)
    if rest:
        yield Chunk(line, rest, rest.count(b"\n") + (not rest.endswith(b"\n")))


def _refuse_long(data: bytes, line: int) -> None:
    if len(data) <= MAX_LINE:
        return
    for number, text in enumerate(data.split(b"\n"), line):
        if len(text) > MAX_LINE:
            raise LongLineError(number)
