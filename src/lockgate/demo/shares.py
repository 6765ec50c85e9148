# SPDX-License-Identifier: Apache-2.0
"""The port of a router comes in; the weights that it answers with, by release, go out."""

from __future__ import annotations

import http.client
import json

from lockgate.demo.router import HOST, WEIGHTS

ASK_S = 5.0


def asked_weights(port: int) -> dict[str, int]:
    """Return which weights a router says that it has, on a connection of its own."""
    link = http.client.HTTPConnection(HOST, port, timeout=ASK_S)
    try:
        link.request("GET", WEIGHTS, headers={"connection": "close"})
        found: dict[str, int] = json.loads(link.getresponse().read())
    except http.client.HTTPException as error:
        raise ConnectionError(f"the router does not say its weights: {error}") from error
    finally:
        link.close()
    return found
