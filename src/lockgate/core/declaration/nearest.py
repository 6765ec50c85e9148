# SPDX-License-Identifier: Apache-2.0
"""An unknown word and the known ones come in; a question that names the nearest goes out."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean 'X'?`, or nothing when no known word is near."""
    if not isinstance(word, str):
        return ""
    near = get_close_matches(word.lower()[:80], list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def question(word: str, known: Iterable[str]) -> str:
    """Return `Did you mean 'X'? ` to begin an advice with, or nothing when no known word is near."""
    near = suggestion(word, known).removeprefix("; ")
    return f"{near[:1].upper()}{near[1:]} " if near else ""
