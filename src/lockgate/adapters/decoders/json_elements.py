# SPDX-License-Identifier: Apache-2.0
"""The text of a JSON array comes in block by block; its elements go out in arrays of bounded size.

Only quotes, brackets and commas are looked at; whether what stands between them is JSON is for the decoder to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from lockgate.adapters.decoders.lines import BLOCK, MAX_LINE

BLANKS = b" \t\r\n"
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_QUOTE, _COMMA, _BACKSLASH = b'",\\'
_STEPS = np.zeros(256, np.int8)
_STEPS[list(b"[{")] = 1
_STEPS[list(b"]}")] = -1


class ArrayError(Exception):
    """The text is no array; the message says why."""


def elements(stream: BinaryIO, head: bytes) -> Iterator[bytes]:
    """Yield the elements as arrays of their own; `head`, read before, begins with the opening bracket."""
    scan, rest, is_first = _Scan(), b"", True
    block = _whole_escapes(head[1:] or stream.read(BLOCK), stream)
    while block:
        cut, end = scan.cut(block)
        if end >= 0:
            last = rest + block[:end]
            if last.strip(BLANKS) or not is_first:
                yield _array(last)
            _refuse_more(block[end + 1 :], stream)
            return
        if cut >= 0:
            yield _array(rest + block[:cut])
            rest, is_first = block[cut + 1 :], False
        else:
            rest += block
        if len(rest) > MAX_LINE:
            raise ArrayError("a run is longer than 1 MiB")
        block = _whole_escapes(stream.read(BLOCK), stream)
    raise ArrayError("Input data was truncated")


class _Scan:
    """Where in nested brackets and texts the reading is."""

    def __init__(self) -> None:
        self._depth = 1
        self._is_text = 0

    def cut(self, block: bytes) -> tuple[int, int]:
        """Return the place of the last comma between elements, and that of the closing bracket, or -1."""
        plain = _ESCAPED.sub(b"  ", block) if _BACKSLASH in block else block
        codes = np.frombuffer(plain, np.uint8)
        quotes = codes == _QUOTE
        is_text = (np.cumsum(quotes, dtype=np.int32) + self._is_text) & 1
        steps = np.where(is_text, np.int8(0), _STEPS[codes])
        depth = np.cumsum(steps, dtype=np.int32) + self._depth
        ends = np.flatnonzero(depth == 0)
        if ends.size:
            return -1, int(ends[0])
        self._depth, self._is_text = int(depth[-1]), int(is_text[-1])
        commas = np.flatnonzero((codes == _COMMA) & (depth == 1) & (is_text == 0))
        return (int(commas[-1]) if commas.size else -1), -1


def _whole_escapes(block: bytes, stream: BinaryIO) -> bytes:
    """Return the block with the byte that its last backslash escapes."""
    while (len(block) - len(block.rstrip(b"\\"))) % 2 and (more := stream.read(1)):
        block += more
    return block


def _array(text: bytes) -> bytes:
    if not text.strip(BLANKS):
        raise ArrayError("an element is missing beside a comma")
    return b"[" + text + b"]"


def _refuse_more(after: bytes, stream: BinaryIO) -> None:
    while not after.strip(BLANKS):
        after = stream.read(BLOCK)
        if not after:
            return
    raise ArrayError("more follows after its end")
