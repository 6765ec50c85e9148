# SPDX-License-Identifier: Apache-2.0
"""One value of a JSON-like document comes in; it goes out typed, or refused with what to write instead.

A shape also states itself as JSON Schema, so that the published schema and the reading cannot part.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from lockgate.core.canonical import Json
from lockgate.core.declaration.nearest import suggestion
from lockgate.core.policy.decimal_text import NUMBER_PATTERN, number_from
from lockgate.core.policy.duration import DURATION_PATTERN, MAX_DURATION_S, duration_seconds

T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=StrEnum)
Schema = dict[str, Json]

MAX_TEXT = 200
MAX_SHOWN = 60
MAX_BITS = 128
PERCENT_PATTERN = rf"^{NUMBER_PATTERN} ?%$(?!\n)"
WEIGHT_PATTERN = rf"^{NUMBER_PATTERN} ?%?$(?!\n)"


class Refused(ValueError):  # noqa: N818 -- what happened to the value, not to the program
    """A value that a shape does not take, in words that follow the field's path."""

    def __init__(self, message: str, *, is_structural: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.is_structural = is_structural


class Shape(Protocol[T_co]):
    """What one field may hold."""

    def read(self, value: object) -> T_co:
        """Return the value typed, or raise Refused."""
        ...

    def schema(self) -> Schema:
        """Return the same rule as JSON Schema."""
        ...


def shown(value: object) -> str:
    """Return a value as a message quotes it, short and in JSON's words."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "a list"
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return "a number of many digits"
    return f"'{printable(value)}'" if isinstance(value, str) else printable(f"{value}")


def printable(text: str) -> str:
    """Return a text shortened, and harmless to a terminal."""
    short = text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in short)


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text."""

    most: int = MAX_TEXT

    def read(self, value: object) -> str:
        """Return the text."""
        if not isinstance(value, str):
            quoted = " in quotes" if isinstance(value, int | float) else ""
            raise Refused(f"{shown(value)} must be text{quoted}")
        if not 1 <= len(value) <= self.most:
            raise Refused(f"{shown(value)} must have 1 to {self.most} characters")
        if not value.isprintable():
            raise Refused("must be one line of printable text", is_structural=False)
        return value

    def schema(self) -> Schema:
        """Return the rule as JSON Schema."""
        return {"type": "string", "minLength": 1, "maxLength": self.most}


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false, in these words only."""

    def read(self, value: object) -> bool:
        """Return the flag."""
        if not isinstance(value, bool):
            raise Refused(f"{shown(value)} must be true or false")
        return value

    def schema(self) -> Schema:
        """Return the rule as JSON Schema."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Choice(Generic[E]):
    """One word of a closed set."""

    words: type[E]

    def read(self, value: object) -> E:
        """Return the member that the word names."""
        known = [word.value for word in self.words]
        if not isinstance(value, str) or value not in known:
            raise Refused(f"{shown(value)} must be {_either(known)}{suggestion(value, known)}")
        return self.words(value)

    def schema(self) -> Schema:
        """Return the rule as JSON Schema."""
        return {"enum": [word.value for word in self.words]}


def _either(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number within bounds; `pattern` lets text such as `25%` state it, `hundredths` as a part of one."""

    most: float
    least: float | None = None
    above: float | None = None
    pattern: str | None = None
    hundredths: bool = False

    def read(self, value: object) -> float:
        """Return the number."""
        if isinstance(value, str) and self.pattern is not None and re.search(self.pattern, value):
            number = number_from(value.rstrip(" %"), hundredths=self.hundredths)
            return self._within(number, value, is_structural=False)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(f"{shown(value)} must be {self.words()}")
        if isinstance(value, float) and not math.isfinite(value):
            raise Refused(f"{shown(value)} must be {self.words()}", is_structural=False)
        return self._within(value, value, is_structural=True)

    def _within(self, number: float, value: object, *, is_structural: bool) -> float:
        too_small = number < self.least if self.least is not None else self.above is not None and number <= self.above
        if too_small or number > self.most:
            # Whoever writes 5 for an error rate means 5%.
            is_percent = self.hundredths and not isinstance(value, str) and self.most < number <= self.most * 100.0
            meant = f"; did you mean {shown(value)}%?" if is_percent else ""
            raise Refused(f"{shown(value)} must be {self.words()}{meant}", is_structural=is_structural)
        return float(number) + 0.0

    def words(self) -> str:
        """Return the rule as words that follow `must be`."""
        low = f"from {self.least:g} to" if self.least is not None else f"above {self.above:g} and at most"
        return f"a number {low} {self.most:g}"

    def schema(self) -> Schema:
        """Return the rule as JSON Schema."""
        number: Schema = {"type": "number", "maximum": self.most}
        if self.least is not None:
            number["minimum"] = self.least
        elif self.above is not None:
            number["exclusiveMinimum"] = self.above
        return number if self.pattern is None else {"anyOf": [number, {"type": "string", "pattern": self.pattern}]}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds."""

    least: int
    most: int

    def read(self, value: object) -> int:
        """Return the number."""
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        if number is None or not self.least <= number <= self.most or number != int(number):
            raise Refused(f"{shown(value)} must be a whole number from {self.least} to {self.most}")
        return int(number)

    def schema(self) -> Schema:
        """Return the rule as JSON Schema."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of time, in whole seconds."""

    least: int = 0
    most: int = MAX_DURATION_S

    def read(self, value: object) -> int:
        """Return the seconds."""
        if isinstance(value, str) and re.search(DURATION_PATTERN, value):
            seconds = duration_seconds(value)
            if seconds is None or not self.least <= seconds <= self.most:
                raise Refused(self._message(value), is_structural=False)
            return seconds
        try:
            return Whole(self.least, self.most).read(value)
        except Refused:
            raise Refused(self._message(value)) from None

    def _message(self, value: object) -> str:
        return f"{shown(value)} must be a duration such as 90s, 30m, 1h or 2d, from {self.least} s to {self.most} s"

    def schema(self) -> Schema:
        """Return the rule as JSON Schema."""
        whole = Whole(self.least, self.most).schema()
        return {"anyOf": [whole, {"type": "string", "pattern": DURATION_PATTERN}]}
