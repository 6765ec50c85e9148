# SPDX-License-Identifier: Apache-2.0
"""A mapping and the fields that it may have come in; typed values go out, every fault collected with its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from lockgate.core.declaration.fault import Fault
from lockgate.core.declaration.nearest import suggestion
from lockgate.core.declaration.shape import Refused, Shape, printable, shown

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Field(Generic[T_co]):
    """One field of a declaration: its name, shape and default, and what it is about.

    A field whose default is None also takes null, which means the same as leaving it out,
    unless its default depends on other fields: then `spelled` says it in words.
    """

    name: str
    shape: Shape[T_co]
    default: T_co
    about: str
    is_required: bool = False
    spelled: str | None = None

    @property
    def is_nullable(self) -> bool:
        """Say whether null stands for leaving the field out."""
        return self.default is None and not self.is_required and self.spelled is None


class Reading:
    """The fields of one mapping, and the faults found in them."""

    def __init__(
        self, document: Mapping[object, object], path: str, fields: Sequence[Field[object]], faults: list[Fault]
    ) -> None:
        self.path = path
        self.faults = faults
        self._document = document
        self._refused: set[str] = set()
        known = [field.name for field in fields]
        for name in document:
            if name not in known:
                near = suggestion(name, known) or f"; known are {', '.join(known)}"
                self.faults.append(Fault(self._at(printable(str(name))), f"unknown field{near}", is_structural=True))

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def has(self, field: Field[T]) -> bool:
        """Say whether a field is given."""
        return field.name in self._document and not (field.is_nullable and self._document[field.name] is None)

    def value(self, field: Field[T]) -> T:
        """Return a field's value; what is absent or refused gives the default."""
        if not self.has(field):
            if field.is_required:
                self.refuse(field, "is missing", is_structural=True)
            return field.default
        try:
            return field.shape.read(self._document[field.name])
        except Refused as refusal:
            self.refuse(field, refusal.message, is_structural=refusal.is_structural)
            return field.default

    def raw(self, field: Field[T]) -> object:
        """Return what was written, for a field that holds further mappings."""
        return self._document.get(field.name)

    def refuse(self, field: Field[T], message: str, *, is_structural: bool = False) -> None:
        """Record a fault of one field."""
        self._refused.add(field.name)
        self.faults.append(Fault(self._at(field.name), message, is_structural))

    def contradict(self, field: Field[T], message: str, *others: Field[object]) -> None:
        """Record that fields contradict each other, unless one of them was refused already."""
        if self._refused.isdisjoint({field.name, *(other.name for other in others)}):
            self.refuse(field, message)

    def is_refused(self, field: Field[T]) -> bool:
        """Say whether a field was refused."""
        return field.name in self._refused


@dataclass(frozen=True, slots=True)
class Section:
    """A field that holds a list of mappings, each of which may have a short form as text or number."""

    name: str
    most: int
    about: str

    def items(self, value: object, path: str, faults: list[Fault]) -> list[tuple[str, object]]:
        """Return each item with its path."""
        if value is None:
            return []
        if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
            faults.append(Fault(path, f"{shown(value)} must be a list", is_structural=True))
            return []
        if len(value) > self.most:
            faults.append(Fault(path, f"has {len(value)} items; at most {self.most} are allowed", is_structural=True))
        return [(f"{path}[{index}]", item) for index, item in enumerate(value[: self.most])]
