# SPDX-License-Identifier: Apache-2.0
"""What a terminal can show comes in; the signs and colours to draw with go out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockgate.core.finding import Outcome
from lockgate.report.text import clip, printable, to_ascii

# Narrower than this nothing fits, and wider than this no eye follows a line.
MIN_WIDTH, MAX_WIDTH = 60, 132
RESET = "\x1b[0m"
CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36"}
TONES = {
    Outcome.REGRESSED: "red",
    Outcome.UNAVAILABLE: "magenta",
    Outcome.INSUFFICIENT: "yellow",
    Outcome.CLEAN: "green",
    Outcome.PROVEN: "green",
    Outcome.NOT_APPLICABLE: "dim",
}


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of a drawing."""

    outcomes: dict[Outcome, str]
    track: str
    interval: str
    ends: tuple[str, str]
    point: str
    zero: str
    left: str
    right: str
    rule: str
    ellipsis: str


RICH_SIGNS = Signs(
    {
        Outcome.REGRESSED: "✗",
        Outcome.UNAVAILABLE: "∅",
        Outcome.INSUFFICIENT: "?",
        Outcome.CLEAN: "✓",
        Outcome.PROVEN: "✓",
        Outcome.NOT_APPLICABLE: "·",
    },
    track="┄",
    interval="━",
    ends=("┣", "┫"),
    point="●",
    zero="│",
    left="◂",
    right="▸",
    rule="─",
    ellipsis="…",
)
ASCII_SIGNS = Signs(
    {
        Outcome.REGRESSED: "x",
        Outcome.UNAVAILABLE: "!",
        Outcome.INSUFFICIENT: "?",
        Outcome.CLEAN: "+",
        Outcome.PROVEN: "+",
        Outcome.NOT_APPLICABLE: "-",
    },
    track=".",
    interval="=",
    ends=("[", "]"),
    point="O",
    zero="|",
    left="<",
    right=">",
    rule="-",
    ellipsis="...",
)


@dataclass(frozen=True, slots=True)
class Screen:
    """How wide a terminal is, and whether it shows colour and more than ASCII."""

    width: int = 80
    colour: bool = False
    unicode: bool = True

    @property
    def signs(self) -> Signs:
        """Return what to draw with."""
        return RICH_SIGNS if self.unicode else ASCII_SIGNS

    def bounded(self) -> Screen:
        """Return the screen as wide as what is drawn on it may be."""
        return replace(self, width=min(MAX_WIDTH, max(MIN_WIDTH, self.width)))

    def text(self, text: str, columns: int | None = None) -> str:
        """Return foreign text, safe here, cut to a number of columns if one is given."""
        safe = printable(text)
        safe = safe if self.unicode else to_ascii(safe)
        return safe if columns is None else clip(safe, columns, self.signs.ellipsis)

    def paint(self, text: str, *tones: str) -> str:
        """Return the text in a colour or weight, where the screen has them."""
        if not self.colour or not tones or not text:
            return text
        return f"\x1b[{';'.join(CODES[tone] for tone in tones)}m{text}{RESET}"
