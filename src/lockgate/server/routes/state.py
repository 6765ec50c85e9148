# SPDX-License-Identifier: Apache-2.0
"""Questions about the server itself come in; whether it lives, and whether it can serve, goes out."""

from __future__ import annotations

from lockgate import __version__
from lockgate.core.canonical import Json
from lockgate.server.call import Answer, Call


def alive(_call: Call) -> Answer:
    """Say that the process answers."""
    return Answer(document={"status": "ok", "version": __version__})


def ready(call: Call) -> Answer:
    """Say that the store can be read, and whether this server takes turns of the loop; else a problem."""
    with call.house.store.reading(call.house.org) as seen:
        seen.last_ticks()
    said: dict[str, Json] = {"status": "ready", "version": __version__, "store": "readable", "ticks": call.is_ticking}
    return Answer(document=said)
