# SPDX-License-Identifier: Apache-2.0
"""A pattern of a path comes in; the route of calls whose path it is, read part by part as it was sent, goes out.

A name in a path may hold a slash, sent as `%2F`: what the server in front decoded before it is split has one part more.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote, unquote

from starlette.routing import Match, Route
from starlette.types import Scope

# What such a path names at its end is the rest of it, slashes and all: a tile of the log.
REST = "{tile}"


def deep(pattern: str) -> str:
    """Return a pattern whose last name takes all that is left of a path, where it is one that does."""
    return pattern.replace(REST, f"{REST[:-1]}:path}}")


class PathRoute(Route):
    """A route whose names are the parts of the path between the slashes that were sent as such."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a call is for this route, and what its path names."""
        path = _sent_path(scope)
        if self.path_regex.match(path) is None:
            return Match.NONE, {}
        match, found = super().matches({**scope, "path": path, "root_path": ""})
        if match is not Match.NONE:
            found["path_params"] = {name: unquote(text) for name, text in found["path_params"].items()}
        return match, found


def _sent_path(scope: Scope) -> str:
    sent: bytes | None = scope.get("raw_path")
    return str(scope["path"]) if sent is None else _one_way(sent)


# Every route asks for the path of a call, one after another.
@lru_cache(maxsize=64)
def _one_way(sent: bytes) -> str:
    """Return a path with each part written in the one way, so that `%61` is an `a`."""
    return "/".join(quote(unquote(part), safe="") for part in sent.decode("latin-1").split("/"))
