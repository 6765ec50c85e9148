# SPDX-License-Identifier: Apache-2.0
"""Bytes come in and their one base64 text goes out, or the other way round."""

from __future__ import annotations

from base64 import b64decode, b64encode


def to_base64(data: bytes) -> str:
    """Return the padded standard base64 of some bytes, in one line."""
    return b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Return the bytes of a base64 text; a second spelling of the same bytes is a ValueError."""
    data = b64decode(text.encode("ascii"), validate=True)
    # RFC 4648 section 3.5: bits that no byte uses may be set, and would make two texts of the same bytes.
    if to_base64(data) != text:
        raise ValueError("not canonical base64")
    return data
