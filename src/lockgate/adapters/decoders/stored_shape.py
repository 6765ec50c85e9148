# SPDX-License-Identifier: Apache-2.0
"""Records come in; the shape that they share, which names it has, and a decoder for rows of it, go out.

Rows of a shape are structs all the way down: no dict is made for a run's scores or labels. A row of another shape
is refused by the decoder, and whoever asked decodes it the general way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import msgspec

from lockgate.adapters.decoders.row import Score, is_score_name

# Decoders of so many shapes are held, each of at most so many names.
MAX_SHAPES, MAX_NAMES = 16, 64


@dataclass(frozen=True, slots=True)
class Shape:
    """Which fields of a record, which scores and which labels some rows have at most."""

    fields: frozenset[str]
    scores: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def joined(self, other: Shape | None) -> Shape:
        """Return the shape of rows of both, so that senders who take turns need not be learned again each time."""
        if other is None:
            return self
        scores, labels = (
            tuple(sorted({*a, *b})) for a, b in ((self.scores, other.scores), (self.labels, other.labels))
        )
        is_wide = len(scores) > MAX_NAMES or len(labels) > MAX_NAMES
        return self if is_wide else Shape(self.fields | other.fields, scores, labels)


def shape_of(records: Iterable[object], known: type[msgspec.Struct]) -> Shape | None:
    """Return the shape of records, with those fields that a struct knows; None when they have none."""
    fields: set[str] = set()
    scores: set[str] = set()
    labels: set[str] = set()
    for record in records:
        if not isinstance(record, Mapping):
            return None
        fields.update(record)
        for name, names in (("scores", scores), ("labels", labels)):
            part = record.get(name)
            if isinstance(part, Mapping):
                names.update(part)
        if len(scores) > MAX_NAMES or len(labels) > MAX_NAMES:
            return None
    if not all(map(_may_be_member, labels)) or not all(map(is_score_name, scores)):
        return None
    return Shape(frozenset(fields & _known(known).keys()), tuple(sorted(scores)), tuple(sorted(labels)))


@lru_cache(maxsize=MAX_SHAPES)
def decoder_of(shape: Shape, known: type[msgspec.Struct]) -> msgspec.json.Decoder[Any]:
    """Return the decoder of rows of a shape: fields as a struct has them, but for scores, labels and times."""
    forms = {
        **_known(known),
        "scores": _struct("Scores", shape.scores, Score) | None,
        "labels": _struct("Labels", shape.labels, str | None) | None,
        "started_at": str | None,
    }
    fields = [(name, forms[name] if name in shape.fields else None, None) for name in sorted(_known(known))]
    required = [("release", forms["release"])]
    rest = [field for field in fields if field[0] != "release"]
    return msgspec.json.Decoder(msgspec.defstruct("ShapedRow", [*required, *rest], gc=False))


def _may_be_member(name: str) -> bool:
    """Say whether a struct may have a member of a name: none is written with an escape."""
    return name != "" and all(char >= " " and char not in '"\\' for char in name)


@cache
def _known(known: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(known)}


def _struct(name: str, names: tuple[str, ...], form: object) -> Any:  # noqa: ANN401 -- msgspec makes the type as it runs
    """Return a struct whose fields are numbered, because a score or label may have any name."""
    fields = [(field_name(place), form, None) for place in range(len(names))]
    rename = {field_name(place): each for place, each in enumerate(names)}
    return msgspec.defstruct(name, fields, rename=rename, gc=False, frozen=True, forbid_unknown_fields=True)


def field_name(place: int) -> str:
    """Return the attribute of a struct for the name at a place."""
    return f"n{place}"
