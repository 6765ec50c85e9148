# SPDX-License-Identifier: Apache-2.0
"""A value of several parts comes in (a margin, labels, a range, a sum of money); it goes out typed, or refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lockgate.core.declaration.nearest import suggestion
from lockgate.core.declaration.shape import PERCENT_PATTERN, Flag, Number, Refused, Schema, Text, shown
from lockgate.core.policy.decimal_text import number_from
from lockgate.core.policy.gate import Margin
from lockgate.core.policy.margin_text import (
    ABSOLUTE_PATTERN,
    MARGIN_PATTERN,
    RELATIVE_PATTERN,
    StatedMargin,
    absolute_from,
    relative_from,
    stated_margin,
)

# What a sum in micro-units may reach: 1e12 in the metric's own unit.
MAX_VALUE = 1e12
# 10,000 %: a hundred times the baseline on top of it.
MAX_RELATIVE = 100.0
MAX_LABELS = 8
MAX_MARGIN_TEXT = 120
NOTHING = "none"
ALL = "all"
SPEND_PATTERN = r"^[0-9]{1,12}(?:\.[0-9]{1,6})? [A-Z]{3}$(?!\n)"
_MARGIN_WORDS = "must be a margin: 5% of the baseline, 1pp, an amount such as 100, or 5% + 100"
_AMOUNT = Number(least=0.0, most=MAX_VALUE)


@dataclass(frozen=True, slots=True)
class MarginShape:
    """How much worse: text, an amount, or a mapping of both parts."""

    def read(self, value: object) -> StatedMargin:
        """Return the margin as stated."""
        if isinstance(value, Mapping):
            return _within(_parts(value), value)
        if isinstance(value, str) and re.search(MARGIN_PATTERN, value) and len(value) <= MAX_MARGIN_TEXT:
            return _within(stated_margin(value), value)
        if isinstance(value, str) or value is None or isinstance(value, bool | Sequence):
            raise Refused(f"{shown(value)} {_MARGIN_WORDS}")
        return StatedMargin(Margin(0.0, _AMOUNT.read(value)))

    def schema(self) -> Schema:
        """Return the rule as JSON Schema."""
        amount = _AMOUNT.schema()
        parts: Schema = {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "relative": {"description": "A percentage of the baseline's value."} | _text(RELATIVE_PATTERN),
                "absolute": {
                    "description": "An amount in the metric's own unit, or percentage points.",
                    "anyOf": [amount, _text(ABSOLUTE_PATTERN)],
                },
                "mirrored": {
                    "description": "The percentage is of what the baseline's share lacks to 100 %.",
                    "type": "boolean",
                },
            },
        }
        return {"anyOf": [amount, _text(MARGIN_PATTERN), parts]}


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern, "maxLength": MAX_MARGIN_TEXT}


def _parts(value: Mapping[object, object]) -> StatedMargin:
    for name in value:
        if name not in ("relative", "absolute", "mirrored"):
            known = ("relative", "absolute", "mirrored")
            raise Refused(f"{shown(name)} is no part of a margin{suggestion(name, known)}")
    relative, absolute = value.get("relative", "0%"), value.get("absolute", 0)
    if not _is_text(relative, RELATIVE_PATTERN):
        raise Refused(f"relative: {shown(relative)} must be a percentage such as 5%")
    if isinstance(absolute, str) and not _is_text(absolute, ABSOLUTE_PATTERN):
        raise Refused(f"absolute: {shown(absolute)} must be an amount such as 100 or 1pp")
    amount, in_points = absolute_from(absolute if isinstance(absolute, str) else _AMOUNT.read(absolute))
    is_mirrored = Flag().read(value.get("mirrored", False))
    share = relative_from(str(relative))
    return StatedMargin(Margin(share, amount, is_mirrored and share > 0.0), in_points)


def _is_text(value: object, pattern: str) -> bool:
    return isinstance(value, str) and len(value) <= MAX_MARGIN_TEXT and re.search(pattern, value) is not None


def _within(stated: StatedMargin, value: object) -> StatedMargin:
    if stated.margin.relative > MAX_RELATIVE or stated.margin.absolute > MAX_VALUE:
        raise Refused(f"{shown(value)} must be at most {MAX_RELATIVE * 100:g}% and {MAX_VALUE:g}", is_structural=False)
    return stated


@dataclass(frozen=True, slots=True)
class DetectShape:
    """A margin, or `none`, which promises nothing."""

    def read(self, value: object) -> StatedMargin | None:
        """Return the margin as stated, None for `none`."""
        if value == NOTHING:
            return None
        if value is None:
            raise Refused("must be a margin, or the word none, or be left out for the default")
        return MarginShape().read(value)

    def schema(self) -> Schema:
        """Return the rule as JSON Schema."""
        return {"anyOf": [{"const": NOTHING}, MarginShape().schema()]}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in the metric's own unit, or a percentage of a share; the flag says which."""

    def read(self, value: object) -> tuple[float, bool]:
        """Return the number, and whether it was stated in percent."""
        if isinstance(value, str) and re.search(PERCENT_PATTERN, value):
            return number_from(value.removesuffix("%"), hundredths=True), True
        return Number(least=-MAX_VALUE, most=MAX_VALUE).read(value), False

    def schema(self) -> Schema:
        """Return the rule as JSON Schema."""
        return Number(least=-MAX_VALUE, most=MAX_VALUE, pattern=PERCENT_PATTERN).schema()


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels and their values: the runs of one slice."""

    def read(self, value: object) -> tuple[tuple[str, str], ...]:
        """Return the pairs in the order of their labels."""
        if not isinstance(value, Mapping) or len(value) > MAX_LABELS:
            raise Refused(f"{shown(value)} must be at most {MAX_LABELS} labels, such as {{intent: medical}}")
        pairs = []
        for label, text in value.items():
            try:
                pairs.append((Text().read(label), Text().read(text)))
            except Refused as refusal:
                raise Refused(f"{shown(label)}: {refusal.message}", is_structural=refusal.is_structural) from None
        return tuple(sorted(pairs))

    def schema(self) -> Schema:
        """Return the rule as JSON Schema."""
        text = Text().schema()
        return {"type": "object", "maxProperties": MAX_LABELS, "propertyNames": text, "additionalProperties": text}


@dataclass(frozen=True, slots=True)
class Extent:
    """The range of a mean's values: [low, high]."""

    def read(self, value: object) -> tuple[float, float]:
        """Return both ends."""
        number = Number(least=-MAX_VALUE, most=MAX_VALUE)
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
            raise Refused(f"{shown(value)} must be a range of two numbers, such as [0, 10]")
        low, high = number.read(value[0]), number.read(value[1])
        if low >= high:
            raise Refused(f"[{low:g}, {high:g}] must rise: the first number is the least value", is_structural=False)
        return low, high

    def schema(self) -> Schema:
        """Return the rule as JSON Schema."""
        number = Number(least=-MAX_VALUE, most=MAX_VALUE).schema()
        return {"type": "array", "items": number, "minItems": 2, "maxItems": 2}


@dataclass(frozen=True, slots=True)
class Names:
    """A list of names, or `all` of them (None)."""

    most: int

    def read(self, value: object) -> tuple[str, ...] | None:
        """Return the names, None for `all`."""
        if value == ALL:
            return None
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) > self.most:
            raise Refused(f"{shown(value)} must be `all` or a list of at most {self.most} names")
        return tuple(MAX_NAME.read(name) for name in value)

    def schema(self) -> Schema:
        """Return the rule as JSON Schema."""
        return {"anyOf": [{"const": ALL}, {"type": "array", "maxItems": self.most, "items": MAX_NAME.schema()}]}


# An id may spell out a metric and the slice of eight labels.
MAX_NAME = Text(4_000)


@dataclass(frozen=True, slots=True)
class Spend:
    """A sum of money with its currency, as exact decimal text."""

    def read(self, value: object) -> tuple[str, str]:
        """Return the amount without needless zeros, and the currency."""
        if not isinstance(value, str) or re.search(SPEND_PATTERN, value) is None:
            raise Refused(f"{shown(value)} must be an amount and a currency, such as 200 EUR")
        amount, currency = value.split(" ")
        if Decimal(amount) == 0:
            raise Refused(f"{shown(value)} must be above 0", is_structural=False)
        return f"{Decimal(amount).normalize():f}", currency

    def schema(self) -> Schema:
        """Return the rule as JSON Schema."""
        return {"type": "string", "pattern": SPEND_PATTERN}
