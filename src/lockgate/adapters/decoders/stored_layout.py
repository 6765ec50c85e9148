# SPDX-License-Identifier: Apache-2.0
"""A line of JSON comes in; its layout goes out: what stands before and after each value, and what each value is.

Lines of one layout differ in nothing but their values, so that where commas stand tells where all values are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lockgate.adapters.decoders.ndjson import FAILURES, UNTYPED
from lockgate.adapters.decoders.row import is_score_name
from lockgate.adapters.decoders.row_columns import AMOUNTS, COUNTS
from lockgate.adapters.decoders.stored_decimals import KEPT, WORD, Words

MAX_VALUES = 64
# Between two commas: names, of which each but the last opens an object; a value; and the ends of objects.
_PART = re.compile(rb'((?:[{ ]*"[^"\\]*" ?: ?)+)(?:"([^"\\]*)"|([^"{}\\ ]+))([} ]*)')
Path = tuple[str, ...]


class Kind(Enum):
    """How the values at one place of lines are written."""

    TEXT = "text"
    NUMBER = "number"
    ANSWER = "answer"


TEXTS, NUMBERS, ANSWERS = (frozenset({kind}) for kind in Kind)
_TOLD = {
    **dict.fromkeys(("app_id", "release", "run_id", "probe_id", "status", "started_at", "currency"), TEXTS),
    **dict.fromkeys((*AMOUNTS, *COUNTS), NUMBERS),
    "cost": TEXTS | NUMBERS,
}
_PARTS = {"scores": NUMBERS | ANSWERS, "labels": TEXTS}
# What is read with a closer look.
_OTHER = frozenset({"flags"})


@dataclass(frozen=True, slots=True)
class Value:
    """A place in lines: by which names it is reached, how its values are written, and what stands around them."""

    path: Path
    kind: Kind
    before: bytes
    after: bytes


@dataclass(frozen=True)
class Layout:
    """The values of a line in their order; two commas, or a comma and a line's break, are around each."""

    values: tuple[Value, ...]
    places: Mapping[Path, int] = field(compare=False)

    @cached_property
    def quotes(self) -> int:
        """Return how many quotation marks a line has."""
        return sum((value.before + value.after).count(b'"') for value in self.values)

    @cached_property
    def around(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return how many bytes stand before and after each value, in columns."""
        sizes = [(len(value.before), len(value.after)) for value in self.values]
        before, after = np.array(sizes, np.int64).T
        return before[:, None], after[:, None]

    @cached_property
    def words_before(self) -> tuple[NDArray[np.intp], NDArray[np.int64], Words, Words]:
        """Return the words of what stands before values: of which value, how far from its comma, bits, and which count.

        Only the first of a line may read on into its value: nothing stands before it that could be read.
        """
        found = []
        for place, value in enumerate(self.values):
            text = value.before
            for start in {
                max(end - WORD, 0 if len(text) >= WORD else end - WORD) for end in range(len(text), 0, -WORD)
            }:
                if start >= 0:
                    found.append((place, start, *_word(text[start : start + WORD])))
                elif place:
                    found.append((place, start, *_word(text)))
                else:
                    found.append((place, 0, int.from_bytes(text, "little"), (1 << 8 * len(text)) - 1))
        return _columns(found)

    @cached_property
    def words_after(self) -> tuple[NDArray[np.intp], NDArray[np.int64], Words, Words]:
        """Return the same of what stands after values, if anything does, by how far it begins from the next comma."""
        return _columns([(place, -WORD, *_word(each.after)) for place, each in enumerate(self.values) if each.after])


def _word(text: bytes) -> tuple[int, int]:
    """Return the word that ends with a text, and which of its bits count."""
    return int.from_bytes(text.rjust(WORD, b"\0"), "little"), int(KEPT[len(text)])


def _columns(found: Sequence[tuple[int, int, int, int]]) -> tuple[NDArray[np.intp], NDArray[np.int64], Words, Words]:
    place, start, bits, kept = zip(*found, strict=True) if found else ((),) * 4
    bits_column, kept_column = (np.array(column, np.uint64)[:, None] for column in (bits, kept))
    return np.array(place, np.intp), np.array(start, np.int64)[:, None], bits_column, kept_column


def layout_of(line: bytes) -> Layout | None:
    """Return the layout of a line, or None when it has none that is read at once."""
    try:
        record = UNTYPED.decode(line)
    except FAILURES:
        return None
    parts = line.split(b",")
    # A name that comes twice is one leaf less.
    paths = list(_paths(record)) if isinstance(record, Mapping) else []
    if len(parts) != len(paths) or len(paths) > MAX_VALUES or ("release",) not in paths:
        return None
    values = []
    for part, path in zip(parts, paths, strict=True):
        match = _PART.fullmatch(part)
        if match is None:
            return None
        before, text, bare, after = match.groups()
        quote = b"" if text is None else b'"'
        kind = Kind.TEXT if text is not None else Kind.ANSWER if bare in (b"true", b"false") else Kind.NUMBER
        if not _is_read(path, kind) or len(quote + after) > WORD:
            return None
        values.append(Value(path, kind, before + quote, quote + after))
    return Layout(tuple(values), {path: place for place, path in enumerate(paths)})


def _paths(record: Mapping[str, object]) -> Iterator[Path]:
    """Yield by which names the values of a record are reached, in their order."""
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from ((name, part) for part in value)
        else:
            yield (name,)


def _is_read(path: Path, kind: Kind) -> bool:
    """Say whether values of a kind are read at once where they stand; a field that nobody knows may be of any."""
    name, *part = path
    if name in _OTHER:
        return False
    if name in _PARTS:
        is_named = bool(part) and part[0] != "" and (name != "scores" or is_score_name(part[0]))
        return is_named and kind in _PARTS[name]
    return name not in _TOLD or (not part and kind in _TOLD[name])
