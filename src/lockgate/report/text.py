# SPDX-License-Identifier: Apache-2.0
"""Text of any origin comes in; text that is safe and measured for a screen goes out.

Release names, labels and reasons may carry terminal commands, line breaks or direction marks:
they are shown, never obeyed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

NAME_COLUMNS = 40
NO_BREAK = "\N{NO-BREAK SPACE}"
# No text is made narrower, however narrow a terminal is.
MIN_COLUMNS = 20
# A command, between backticks or to the end of its line, and a number with its unit: neither is broken.
_WHOLE = re.compile(r"`[^`]*`|(?:^|(?<=: ))lockgate .*$|(?<=[\d∞]) (?=(?:%|pp|ms)(?!\w))")
_PAINT = re.compile(r"\x1b\[[\d;]*m")

# What the tables draw with, and what stands for it where only ASCII can be shown.
_ASCII = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "-",
        "…": "...",
        "→": "->",
        "≤": "<=",
        "≥": ">=",
        "×": "x",
        "±": "+/-",
        "·": "-",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        NO_BREAK: " ",
    }
)


def printable(text: str) -> str:
    """Return the text with every invisible or commanding character spelled out as an escape."""
    return "".join(char if char.isprintable() or char == NO_BREAK else _escape(char) for char in text)


def to_ascii(text: str) -> str:
    """Return the text in ASCII: known signs by their usual stand-in, everything else as an escape."""
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def width(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    return sum(_char_width(char) for char in text)


def clip(text: str, columns: int, ellipsis: str = "…") -> str:
    """Return the text cut to fit, with a mark where something is missing."""
    if width(text) <= columns:
        return text
    kept = ""
    for char in text:
        if width(kept) + _char_width(char) > columns - width(ellipsis):
            break
        kept += char
    return kept + ellipsis


def shorten(text: str, columns: int, ellipsis: str = "…") -> str:
    """Return the text cut in the middle, because names of one family differ at their ends."""
    if width(text) <= columns:
        return text
    room = columns - width(ellipsis)
    head = clip(text, room - room // 2, "")
    tail = clip(text[::-1], room // 2, "")[::-1]
    return f"{head}{ellipsis}{tail}"


def short_name(name: str) -> str:
    """Return the name of an app or release, safe to show and not longer than a sentence can bear."""
    return shorten(printable(name), NAME_COLUMNS)


def printed(lines: Iterable[str]) -> str:
    """Return lines of any origin as text that is safe to print."""
    return "".join(f"{printable(line)}\n" for line in lines)


def fitted(text: str, columns: int) -> str:
    """Return printed text, painted or not, with lines that fit: what goes on is indented, and no word is broken.

    A word that is wider than the screen, as a path or a token may be, stays whole for who copies it.
    """
    return "\n".join(_fitted(line, max(MIN_COLUMNS, columns)) for line in text.split("\n"))


def _fitted(line: str, columns: int) -> str:
    if _seen(line) <= columns:
        return line
    indent = " " * (len(line) - len(line.lstrip(" ")))
    lines: list[str] = []
    begun = indent
    for word in _WHOLE.sub(_unbroken, line[len(indent) :]).split(" "):
        joined = f"{begun} {word}" if begun.strip(" ") else begun + word
        if _seen(joined) <= columns or not begun.strip(" "):
            begun = joined
            continue
        lines.append(begun.rstrip(" "))
        begun = f"{indent}  {word}"
    return "\n".join([*lines, begun.rstrip(" ")]).replace(NO_BREAK, " ")


def _seen(line: str) -> int:
    return width(_PAINT.sub("", line))


def _unbroken(whole: re.Match[str]) -> str:
    return whole[0].replace(" ", NO_BREAK)


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Return the text filled with spaces to a width; `right` puts it at the right edge."""
    space = " " * max(0, columns - width(text))
    return space + text if right else text + space


def wrap(text: str, columns: int) -> list[str]:
    """Return the text as lines that fit, broken at spaces where possible."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if width(joined) <= columns:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, columns)
        lines += full
    return [*lines, line] if line or not lines else lines


def _pieces(word: str, columns: int) -> list[str]:
    pieces = [""]
    for char in word:
        if pieces[-1] and width(pieces[-1]) + _char_width(char) > columns:
            pieces.append("")
        pieces[-1] += char
    return pieces


def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
