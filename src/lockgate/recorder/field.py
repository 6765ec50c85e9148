# SPDX-License-Identifier: Apache-2.0
"""What somebody says of a run comes in; what the server takes of it goes out, or None.

The rules are those of `lockgate ingest`, which tests hold these to. They stand here once more because an application
that records runs loads the standard library only, and one bad field would have the server refuse a whole batch.
"""

from __future__ import annotations

import re
from decimal import Decimal

MAX_ABS = 1_000_000_000_000
# Of a text; a longer one would fill memory for something that no gate can look at.
MAX_TEXT = 1_000
# Of a run, each: scores, labels.
MAX_NAMES = 64
MAX_FLAGS = 32
STATUSES = ("ok", "error", "timeout", "cancelled")
# Names that were looked at are remembered, so many at most.
MAX_KNOWN = 4_096

_UNSEEN = r"\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
NAME = re.compile(rf"[^\W_][^\s{_UNSEEN}]{{0,255}}")
SCORE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}")
_DECIMAL = re.compile(r"\d{1,13}(\.\d{1,40})?", re.ASCII)
_PLACES, _SMALLEST = -12, Decimal("1e-12")
_names: set[str] = set()
_score_names: set[str] = set()


def name_of(name: object) -> str | None:
    """Return the name of an app, a release or a flag."""
    return _known(name, _names, NAME)


def score_name_of(name: object) -> str | None:
    """Return the name of a score."""
    return _known(name, _score_names, SCORE_NAME)


def _known(name: object, known: set[str], form: re.Pattern[str]) -> str | None:
    if not isinstance(name, str):
        return None
    if name not in known:
        if form.fullmatch(name) is None:
            return None
        if len(known) < MAX_KNOWN:
            known.add(name)
    return name


def score_of(value: object) -> float | bool | None:
    """Return the value of a score, which may be a number of numpy or the like."""
    found = value if type(value) in (float, bool) else plain(value)
    if isinstance(found, bool):
        return found
    number = float(found) if isinstance(found, (int, float)) else None
    # A comparison with no-number is false.
    return number if number is not None and -MAX_ABS <= number <= MAX_ABS else None


def plain(value: object) -> object:
    """Return a scalar of numpy, torch or the like as Python's own; a Decimal is a float."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (bool, int, float, str)):
        return value
    item = getattr(value, "item", None)
    return item() if callable(item) else None


def amount_of(value: object) -> float | None:
    """Return a number from 0 up."""
    found = score_of(value)
    return None if found is None or isinstance(found, bool) or found < 0 else found


def count_of(value: object) -> int | None:
    """Return a whole number from 0 up."""
    found = plain(value)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        return None
    return int(found) if 0 <= found <= MAX_ABS else None


def cost_of(value: object) -> Decimal | None:
    """Return a decimal from 0 up, of a number or of text."""
    found = value if isinstance(value, Decimal) else plain(value)
    if isinstance(found, bool):
        return None
    if isinstance(found, str):
        decimal = Decimal(found) if _DECIMAL.fullmatch(found) else None
    elif isinstance(found, (Decimal, int, float)):
        decimal = found if isinstance(found, Decimal) else Decimal(repr(found))
    else:
        decimal = None
    if decimal is None or not decimal.is_finite() or not 0 <= decimal <= MAX_ABS:
        return None
    # The server counts millionths; nought has no sign there.
    exponent = decimal.as_tuple().exponent
    return abs(decimal.quantize(_SMALLEST) if isinstance(exponent, int) and exponent < _PLACES else decimal)


def text_of(text: object) -> str | None:
    """Return a text that is not empty, has no more characters than are taken, and can be written as UTF-8."""
    if not isinstance(text, str) or not 0 < len(text) <= MAX_TEXT:
        return None
    if not text.isascii():
        text.encode("utf-8")
    return text


def id_of(name: object) -> str | None:
    """Return an id, which may be a whole number."""
    if isinstance(name, int) and not isinstance(name, bool):
        return str(name) if abs(name) <= MAX_ABS * MAX_ABS else None
    return text_of(name)


def status_of(kind: type[BaseException]) -> str:
    """Return the status of a run that an exception ended.

    What is raised to stop code and is no fault of it (KeyboardInterrupt, asyncio's CancelledError, GeneratorExit) is
    no Exception.
    """
    if issubclass(kind, TimeoutError):
        return "timeout"
    return "error" if issubclass(kind, Exception) and kind.__name__ != "CancelledError" else "cancelled"
