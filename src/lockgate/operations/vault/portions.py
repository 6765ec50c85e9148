# SPDX-License-Identifier: Apache-2.0
"""A table that is read in bounded portions comes in; each of its rows goes out, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from lockgate.errors import UnsoundError

T = TypeVar("T")
K = TypeVar("K", int, str)
# What is read at once.
PORTION = 200


def portions(read: Callable[[int], Sequence[T]], key: Callable[[T], int], after: int = -1) -> Iterator[T]:
    """Yield every row of a table that is read in portions, each after the key of the row before."""
    return _from(read, key, after)


def named_portions(read: Callable[[str], Sequence[T]], key: Callable[[T], str]) -> Iterator[T]:
    """Yield every row of a table whose keys are names."""
    return _from(read, key, "")


def _from(read: Callable[[K], Sequence[T]], key: Callable[[T], K], after: K) -> Iterator[T]:
    while rows := read(after):
        yield from rows
        last = key(rows[-1])
        if last <= after:
            # Whoever goes on from there would read the same rows for ever.
            raise UnsoundError(
                f"a row behind {after} holds {last}, and is found by something else than it holds",
                advice="`lockgate fsck` says which; put the store back from a sound backup.",
            )
        after = last
