# SPDX-License-Identifier: Apache-2.0
"""Ids of runs and a secret come in; 64-bit marks, equal for equal ids, go out, and how far back marks are looked at.

A mark is two sums of products, modulo 2^64, of an id's words and words of the secret, of each the upper half
(multilinear hashing: Lemire and Kaser, "Strongly universal string hashing is fast", 2014). Two ids have equal marks by
one chance in 2^64, whoever chose the ids, as long as the secret is one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DEFAULT_WINDOW_S = 600
MAX_WINDOW_S = 86_400
# Of more ids than this the oldest are forgotten before the window's time is over.
MAX_IDS = 1_000_000
KEY_BYTES = 32
# Ids that are marked at once; the longest of them decides how much memory each takes.
_SOME = 4_096
_WORD = 4
# Names whose salts are kept.
_FEW = 64
_HALF = np.uint64(32)
_UPPER = np.uint64(0xFFFFFFFF00000000)

Marks = NDArray[np.int64]
Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dedupe:
    """How far back a run of an app that comes again is known by its id; `is_strict`: as far as ids are retained."""

    window_s: int = DEFAULT_WINDOW_S
    is_strict: bool = False


def marks_of(ids: Sequence[str], key: bytes) -> Marks:
    """Return the mark of each id."""
    parts = [_marks(ids[start : start + _SOME], key) for start in range(0, len(ids), _SOME)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def salts_of(names: Sequence[str], key: bytes) -> Marks:
    """Return for each name what is added to marks, so that equal ids under different names differ as others do."""
    if len(names) <= _FEW:
        return _few_salts(tuple(names), key)
    return marks_of(names, _salt_key(key))


def _salt_key(key: bytes) -> bytes:
    return hashlib.sha256(b"salt" + key).digest()


# Batches of one service name the same few releases again and again.
@lru_cache(maxsize=64)
def _few_salts(names: tuple[str, ...], key: bytes) -> Marks:
    salts = marks_of(names, _salt_key(key))
    salts.flags.writeable = False
    return salts


def _marks(ids: Sequence[str], key: bytes) -> Marks:
    table, sizes = _table(ids)
    first, second = _factors(key, table.shape[1])
    halves = [
        factors[0] + sizes * factors[1] + (table * factors[2:]).sum(axis=1, dtype=np.uint64)
        for factors in (first, second)
    ]
    marks: Marks = ((halves[0] & _UPPER) | (halves[1] >> _HALF)).view(np.int64)
    return marks


def _table(ids: Sequence[str]) -> tuple[Words, Words]:
    """Return the words of each id, and the size of each, or the one of all: words end alike whatever the size."""
    joined, sizes = "".join(ids), set(map(len, ids))
    if len(sizes) == 1 and joined.isascii():
        size = sizes.pop()
        words = np.zeros((len(ids), (size // _WORD + 1) * _WORD), np.uint8)
        words[:, :size] = np.frombuffer(joined.encode("ascii"), np.uint8).reshape(len(ids), size)
        return words.view("<u4").astype(np.uint64), np.full(1, size, np.uint64)
    data = [one.encode("utf-8", "surrogatepass") for one in ids]
    lengths = np.fromiter(map(len, data), np.uint64, len(data))
    width = int(lengths.max()) // _WORD + 1
    table = np.array(data, f"S{width * _WORD}").view("<u4").reshape(len(data), width).astype(np.uint64)
    return table, lengths


@lru_cache(maxsize=64)
def _factors(key: bytes, words: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    size = 8 * (words + 2)
    first, second = (hashlib.shake_256(bytes([half]) + key).digest(size) for half in (0, 1))
    return np.frombuffer(first, "<u8"), np.frombuffer(second, "<u8")
