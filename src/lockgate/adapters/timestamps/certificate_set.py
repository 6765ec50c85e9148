# SPDX-License-Identifier: Apache-2.0
"""An answer of RFC 3161 comes in; the same answer with its certificates in the order of DER goes out.

Authorities such as OpenSSL's write them in the order of a file, which strict readers refuse. No signature covers the
order: who signed is looked up among them, and what was stamped stays byte for byte where it is.
"""

from __future__ import annotations

CERTIFICATES = 0xA0
LONG = 0x80
MAX_LENGTH_SIZE = 4


def ordered(answer: bytes) -> bytes:
    """Return an answer with its certificates in order; one that is none is returned as it is."""
    try:
        begin, end = _certificates(answer)
        return answer[:begin] + b"".join(sorted(answer[a:b] for a, b in _elements(answer, begin, end))) + answer[end:]
    except ValueError:
        return answer


def _certificates(answer: bytes) -> tuple[int, int]:
    """Return where the content of the set of certificates stands.

    TimeStampResp has a status and a token (RFC 3161 section 2.4.2), that is a ContentInfo with a type and [0]; the
    SignedData in it has a version, algorithms, what was signed, and then [0], the certificates (RFC 5652 section 5.1).
    """
    place = _content(answer, 0)
    for step in (1, 1, 0):
        place = _content(answer, _begin(answer, place, step))
    at = _begin(answer, place, 3)
    if answer[at] != CERTIFICATES:
        raise ValueError("there are no certificates")
    return _content(answer, at)


def _begin(data: bytes, place: tuple[int, int], number: int) -> int:
    """Return where an element of a content begins, by its number."""
    found = _elements(data, *place)
    if number >= len(found):
        raise ValueError("an element is missing")
    return found[number][0]


def _elements(data: bytes, begin: int, end: int) -> list[tuple[int, int]]:
    """Return where each element of a content begins and ends."""
    found = []
    while begin < end:
        after = _content(data, begin)[1]
        found.append((begin, after))
        begin = after
    if begin != end:
        raise ValueError("an element does not end with what it is in")
    return found


def _content(data: bytes, at: int) -> tuple[int, int]:
    """Return where the content of an element begins and ends, whose length is written as DER does."""
    head = data[at : at + 2]
    if len(head) < 2:
        raise ValueError("an element is cut")
    begin, length = at + 2, head[1]
    if length >= LONG:
        size = length - LONG
        if not 0 < size <= MAX_LENGTH_SIZE:
            raise ValueError("the length of an element is not that of DER")
        length, begin = int.from_bytes(data[begin : begin + size], "big"), begin + size
    if begin + length > len(data):
        raise ValueError("an element is cut")
    return begin, begin + length
