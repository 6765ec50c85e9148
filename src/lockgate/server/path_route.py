# SPDX-License-Identifier: Apache-2.0
"""A pattern of a path comes in; the route of calls whose path it is, read part by part as it was sent, goes out.

A name in a path may hold a slash, sent as `%2F`: what the server in front decoded before it is split has one part more.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from starlette.routing import Match, Route
from starlette.types import Scope


class PathRoute(Route):
    """A route whose names are the parts of the path between the slashes that were sent as such."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a call is for this route, and what its path names."""
        match, found = super().matches({**scope, "path": _sent_path(scope), "root_path": ""})
        if match is not Match.NONE:
            found["path_params"] = {name: unquote(text) for name, text in found["path_params"].items()}
        return match, found


def _sent_path(scope: Scope) -> str:
    """Return the path with each part written in the one way, so that `%61` is an `a`."""
    sent: bytes | None = scope.get("raw_path")
    if sent is None:
        return str(scope["path"])
    return "/".join(quote(unquote(part), safe="") for part in sent.decode("latin-1").split("/"))
