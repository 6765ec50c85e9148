# SPDX-License-Identifier: Apache-2.0
"""Bodies that are right but for one hostile value come in at every endpoint; none is a fault of the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lockgate.server.table import ENDPOINTS, Endpoint
from tests.server.raw import answers, exchange, head
from tests.server.rows import body_of, name_of, path_of
from tests.server.served import API, Served

# Each is the JSON of a value, as it is sent.
VALUES = {
    "a lone surrogate": r'"\ud800"',
    "a pair that is turned round": r'"\udc00\ud800"',
    "a zero": r'"\u0000"',
    "a turn of the line": r'"a\r\nX-Evil: 1"',
    "what is written from right to left": r'"\u202eabc"',
    "nothing": '""',
    "a long text": json.dumps("x" * 100_000),
    "a number that is too large": "1e400",
    "a number without end": "9" * 4_000,
    "a small number": "-1e-400",
    "a negative one": "-1",
    "a truth": "true",
    "null": "null",
    "a list": "[[[]]]",
    "an object": '{"__proto__": {"a": 1}}',
    "a depth": "[" * 900 + "]" * 900,
}
ROWS = [row for row in ENDPOINTS if row.body]


def _places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where the values of a document are."""
    if path:
        yield path
    pairs = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in pairs:
        yield from _places(value, (*path, key))


def _with(document: Any, path: tuple[Any, ...], mark: str) -> Any:
    """Return a document with a mark at a place."""
    if not path:
        return mark
    first, *rest = path
    copied = dict(document) if isinstance(document, dict) else list(document)
    copied[first] = _with(document[first], tuple(rest), mark)
    return copied


@pytest.mark.clause("SV-63")
@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_no_value_in_a_body_is_a_fault_of_the_server(shop: Served, row: Endpoint) -> None:
    """Whatever stands in a field: it is taken or refused, by a document in ASCII, and never 500."""
    admin, path, document = shop.caller("admin"), path_of(shop, row), json.loads(body_of(row))
    for place in _places(document):
        text = json.dumps(_with(document, place, "MARK"))
        for name, value in VALUES.items():
            answer = admin.call(row.method, path, {"content-type": row.body[0]}, content=text.replace('"MARK"', value))

            assert answer.status_code < 500 or answer.status_code == 503, (place, name, answer.text)
            assert answer.content.isascii(), (place, name)


HOSTILE = ("%0d%0aX-Evil:%201", "%00", "%E2%80%AE", "%ff%fe", "..%2f..%2fetc%2fpasswd", "%25%30%64", "a" * 8_000)


@pytest.mark.clause("SV-63")
@pytest.mark.parametrize("sent", HOSTILE)
def test_what_is_sent_never_becomes_a_header(shop: Served, sent: str) -> None:
    """Neither of a path, a query, nor a header; each is answered by one problem or one list."""
    key = f"Authorization: Bearer {shop.caller('admin').token}"
    host, over = "Host: 127.0.0.1", "Connection: close"
    raw = sent.encode("latin-1").decode("latin-1")
    heads = [
        head(f"GET {API}/rollouts/{sent} HTTP/1.1", host, key, over),
        head(f"GET {API}/apps/{sent} HTTP/1.1", host, key, over),
        head(f"GET {API}/rollouts?cursor={sent} HTTP/1.1", host, key, over),
        head(f"GET {API}/{sent} HTTP/1.1", host, key, over),
        head(f"POST {API}/rollouts/evaluate HTTP/1.1", host, key, over, f"Idempotency-Key: {raw}\u00ff"),
        head(f"POST {API}/rollouts/evaluate HTTP/1.1", host, f"Authorization: Bearer {raw}\u00ff", over),
        head(f"GET {API}/rollouts/x HTTP/1.1", host, key, over, f"If-None-Match: {raw}\u00ff"),
    ]
    for each in heads:
        said = exchange(shop, each)
        ((status, document),) = answers(said)

        assert 400 <= status < 500, (each, said)
        assert document["type"].startswith("urn:lockgate:problem:")
        assert b"x-evil" not in said.partition(b"\r\n\r\n")[0].lower()
