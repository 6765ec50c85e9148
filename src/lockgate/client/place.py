# SPDX-License-Identifier: Apache-2.0
"""A name comes in; it goes out as the one part of a path that stands for it."""

from __future__ import annotations

from urllib.parse import quote

from lockgate.errors import UsageError


def place_of(name: str) -> str:
    """Return a name as one part of a path.

    What a proxy on the way may take for no part at all is refused: the path would be that of everything.
    """
    if name in ("", ".", ".."):
        raise UsageError(f"{name!r} is no name", advice="Is a variable of the script empty?")
    return quote(name, safe="")
