# SPDX-License-Identifier: Apache-2.0
"""Numbers of receipts, or of entries, come in; which they are, those in a row together, goes out in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# Of more spans the first so many are named.
MAX_NAMED = 5


def spans_of(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return numbers, which come in their order, as spans from the first to the last of those in a row."""
    spans: list[tuple[int, int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans


def receipts_text(spans: Sequence[tuple[int, int]]) -> str:
    """Return which receipts spans are of: `receipt 3`, `receipts 1 to 4 and 9`."""
    return numbers_text(spans, ("receipt", "receipts"))


def numbers_text(spans: Sequence[tuple[int, int]], nouns: tuple[str, str]) -> str:
    """Return which of something spans are of, by its noun for one and for several."""
    named = [f"{first:,}" if first == last else f"{first:,} to {last:,}" for first, last in spans[:MAX_NAMED]]
    more = sum(last - first + 1 for first, last in spans[MAX_NAMED:])
    named += [f"{more:,} more"] if more else []
    is_one = len(spans) == 1 and spans[0][0] == spans[0][1]
    listed = f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]
    return f"{nouns[0] if is_one else nouns[1]} {listed}"
