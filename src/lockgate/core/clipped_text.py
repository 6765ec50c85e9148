# SPDX-License-Identifier: Apache-2.0
"""Texts and lists of any length come in; what a receipt has room for goes out."""

from __future__ import annotations

from collections.abc import Iterable

from lockgate.core.canonical import Json, canonicalize

# What each letter takes at most in the bytes that are signed, which is a control character as \u001f.
_WIDEST = 6
_MORE = "…"


def text_size(text: str) -> int:
    """Return how many bytes a text takes between its quotes."""
    return len(canonicalize(text)) - 2


def clipped(text: str, most: int, size: int) -> str:
    """Return a text of at most so many characters and bytes; one that was cut ends in `…`."""
    if len(text) <= most and (len(text) * _WIDEST <= size or text_size(text) <= size):
        return text
    kept, room = [], size - text_size(_MORE)
    for letter in text[: most - 1]:
        room -= text_size(letter)
        if room < 0:
            break
        kept.append(letter)
    return "".join(kept) + _MORE


def fitting(items: Iterable[Json], size: int) -> list[Json]:
    """Return the first items whose canonical forms fit into so many bytes together."""
    kept: list[Json] = []
    for item in items:
        size -= len(canonicalize(item)) + 1
        if size < 0:
            break
        kept.append(item)
    return kept
