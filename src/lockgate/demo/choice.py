# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; the best router that this machine has goes out, and later the one that was chosen there."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lockgate.demo.haproxy import Haproxy
from lockgate.demo.nginx import Nginx
from lockgate.demo.own_router import OwnRouter
from lockgate.demo.router import Router, installed

CHOICE = "router"
# The folder of the router in that of the demonstration.
ROUTER = "router"
# The best first; our own is always there.
KINDS = ("haproxy", "nginx", "own")


def choose(folder: Path, loop: asyncio.AbstractEventLoop, kind: str | None = None) -> Router:
    """Return a router of a kind, or the first that is installed, and note in its folder which that was."""
    chosen = kind or next((each for each in KINDS if installed(each)), KINDS[-1])
    (folder / CHOICE).write_text(chosen, encoding="ascii")
    return OwnRouter(folder, loop) if chosen == "own" else chosen_in(folder)


def chosen_in(folder: Path) -> Router:
    """Return the router of a folder, to be moved and not to be started."""
    match (folder / CHOICE).read_text(encoding="ascii"):
        case "haproxy":
            return Haproxy(folder)
        case "nginx":
            return Nginx(folder)
        case _:
            return OwnRouter(folder)
