# SPDX-License-Identifier: Apache-2.0
"""Hostile and foreign text comes in; it must stay in its place on any screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.report.text import clip, pad, printable, to_ascii, width, wrap


@given(st.text())
def test_nothing_printed_commands_a_terminal(text: str) -> None:
    """No control, direction or unassigned character is left."""
    shown = printable(text)

    assert all(char.isprintable() or char == "\N{NO-BREAK SPACE}" for char in shown)


@given(st.text(), st.integers(3, 40))
def test_a_clipped_text_fits(text: str, columns: int) -> None:
    """Whatever is clipped takes no more columns than it is given, and says that something is missing."""
    safe = printable(text)

    clipped = clip(safe, columns)

    assert width(clipped) <= columns
    assert clipped == safe or clipped.endswith("…")


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Mn"])), st.integers(2, 40))
def test_wrapping_loses_nothing(text: str, columns: int) -> None:
    """Every line fits, and all lines together are the text."""
    lines = wrap(text, columns)

    assert all(width(line) <= columns for line in lines)
    assert "".join("".join(lines).split(" ")) == "".join(text.split(" "))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb", "a\\nb"),
        ("\u202eabc", "\\u202eabc"),
        ("v36 – größer", "v36 – größer"),
        ("\ud800", "\\ud800"),
    ],
)
def test_a_commanding_character_is_spelled_out(text: str, shown: str) -> None:
    """What a terminal would obey is shown as an escape; letters of any script stay."""
    assert printable(text) == shown


def test_ascii_keeps_the_meaning_of_known_signs() -> None:
    """Signs of arithmetic have a stand-in; a letter becomes an escape."""
    assert to_ascii("−2 → 3 ≥ ü") == "-2 -> 3 >= \\xfc"


def test_wide_characters_take_two_columns() -> None:
    """A Chinese name is padded by what it takes, not by how many characters it has."""
    assert pad("版本", 6) == "版本  "
