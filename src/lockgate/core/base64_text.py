# SPDX-License-Identifier: Apache-2.0
"""Bytes come in and their one base64 text goes out, or the other way round."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64


def to_base64(data: bytes) -> str:
    """Return the padded standard base64 of some bytes, in one line."""
    return b2a_base64(data, newline=False).decode("ascii")


def from_base64(text: str) -> bytes:
    """Return the bytes of a base64 text; a second spelling of the same bytes is a ValueError."""
    encoded = text.encode("ascii")
    data = a2b_base64(encoded)
    # What was left out in decoding, and bits that no byte uses (RFC 4648 section 3.5), would make two texts of them.
    if b2a_base64(data, newline=False) != encoded:
        raise ValueError("not canonical base64")
    return data
