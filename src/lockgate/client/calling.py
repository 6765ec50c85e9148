# SPDX-License-Identifier: Apache-2.0
"""Paths and documents come in; they are sent by a transport, and the documents that a server answers go out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from lockgate.client.transport import Transport, check

Query = Mapping[str, str | None]


class Calling:
    """Calls by which methods are made: those that change something send a key of their own, and may go again."""

    _transport: Transport
    _new_key: Callable[[], str]

    def _get(self, path: str) -> dict[str, Any]:
        return check(self._transport.call("GET", path, is_safe=True)).document()

    def _post(self, path: str, document: Mapping[str, object], seen: int | None = None) -> dict[str, Any]:
        return self._change("POST", path, document, seen)

    def _change(
        self, method: str, path: str, document: Mapping[str, object], seen: int | None = None
    ) -> dict[str, Any]:
        """Return what a change came to; `seen` is the number that the server's tag must still have."""
        condition = {} if seen is None else {"If-Match": f'"{seen}"'}
        sent = as_json({"Idempotency-Key": self._new_key(), **condition})
        return check(self._transport.call(method, path, json.dumps(document).encode(), sent, is_safe=True)).document()

    def _ask(self, path: str, document: Mapping[str, object], *, is_safe: bool) -> dict[str, Any]:
        """Return the answer of a call that takes no key; `is_safe`: it may be made again all the same."""
        reply = self._transport.call("POST", path, json.dumps(document).encode(), as_json({}), is_safe=is_safe)
        return check(reply).document()

    def _pages(self, path: str, name: str, query: Query) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            page = self._get(f"{path}{as_query({**query, 'cursor': cursor})}")
            yield from page[name]
            before, cursor = cursor, page["cursor"]
            if cursor is None or cursor == before:
                return


def as_json(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers of a call that sends a document."""
    return {"Content-Type": "application/json", **headers}


def as_query(fields: Query) -> str:
    """Return the query of the fields that say something."""
    told = said(fields)
    return f"?{urlencode(told)}" if told else ""


def said(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that say something."""
    return {name: value for name, value in fields.items() if value is not None}
