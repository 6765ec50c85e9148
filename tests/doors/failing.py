# SPDX-License-Identifier: Apache-2.0
"""A word comes in; a command that ends in that way goes out, for the tests of the door itself."""

from __future__ import annotations

import click

from lockgate import errors

HOSTILE_LINE = "runs.ndjson line 3: \x1b[2Jgone\u202e"


@click.command()
@click.argument("word")
def fail(word: str) -> int:
    """End as told."""
    if word.isdigit():
        return int(word)
    if word == "bug":
        raise ZeroDivisionError("a fault of our own")
    if word == "stop":
        raise KeyboardInterrupt
    if word == "hostile":
        raise errors.DataError(HOSTILE_LINE)
    raise getattr(errors, word)("what happened", advice="what to do")
