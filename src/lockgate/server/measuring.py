# SPDX-License-Identifier: Apache-2.0
"""An application comes in; one that counts each call by its route, and how long it took, goes out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lockgate.server.metrics import Metrics


def nobody() -> None:
    """Stand for who answers where there is no such path."""


# What a call is counted by that nobody was answered to.
NOT_ANSWERED = 499


class Measuring:
    """Middleware: `routes` are the patterns of paths by the function that answers them."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Mapping[Callable[..., object], str]) -> None:
        self._app, self._metrics, self._routes = app, metrics, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call, and count it however it ends."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), NOT_ANSWERED

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            # The router has put there who answers; nobody, where there is no such path.
            route = self._routes.get(scope.get("endpoint", nobody))
            self._metrics.answered(scope["method"], route, status, time.perf_counter() - began)
