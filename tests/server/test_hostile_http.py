# SPDX-License-Identifier: Apache-2.0
"""Bytes that no client of HTTP sends come in; each connection ends by a problem, and nobody else is kept waiting."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from lockgate.operations.asking.overview import overview
from lockgate.server import body
from lockgate.server.connection import MAX_HEAD, Connection
from lockgate.server.rooms import SIZES
from tests.server.raw import answers, connect, exchange, head, kind, read
from tests.server.served import API, Served, served
from tests.spec.line import world

HOST = "Host: 127.0.0.1"
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
NOT_HTTP: dict[str, bytes] = {
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a blank in the method": b"GE T / HTTP/1.1\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "HTTP/2 in the clear": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "two lengths": head("POST /x HTTP/1.1", HOST, "Content-Length: 5", "Content-Length: 6") + b"hello",
    "a length and chunks": head("POST /x HTTP/1.1", HOST, "Content-Length: 4", "Transfer-Encoding: chunked") + HIDDEN,
    "chunks and a length": head("POST /x HTTP/1.1", HOST, "Transfer-Encoding: chunked", "Content-Length: 4") + HIDDEN,
    "a signed length": head("POST /x HTTP/1.1", HOST, "Content-Length: +5") + b"hello",
    "a negative length": head("POST /x HTTP/1.1", HOST, "Content-Length: -5"),
    "a length of another base": head("POST /x HTTP/1.1", HOST, "Content-Length: 0x5") + b"hello",
    "a length without end": head("POST /x HTTP/1.1", HOST, f"Content-Length: {'9' * 40}"),
    "chunks that are no last coding": head("POST /x HTTP/1.1", HOST, "Transfer-Encoding: chunked, identity"),
    "a coding that looks alike": head("POST /x HTTP/1.1", HOST, "Transfer-Encoding: xchunked"),
    "a blank before the colon": head("GET /healthz HTTP/1.1", HOST, "Content-Length : 0"),
    "a folded header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n",
    "a line feed alone": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "a carriage return within": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: b\rContent-Length: 9\r\n\r\n",
    "a zero byte in a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: b\0c\r\n\r\n",
    "a header without a name": b"GET /healthz HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n",
    "a path that is no ASCII": "GET /\u00e9 HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "a tunnel": head("CONNECT example.org:443 HTTP/1.1", "Host: example.org:443"),
    "no host": head("GET /healthz HTTP/1.1"),
    "two hosts": head("GET /healthz HTTP/1.1", HOST, "Host: localhost"),
}
TORN_CHUNKS: dict[str, bytes] = {
    "a size without end": b"f" * 40 + b"\r\n",
    "no size": b"xyz\r\nabc\r\n0\r\n\r\n",
    "a negative size": b"-1\r\nabc\r\n0\r\n\r\n",
    "more than its size": b"3\r\nabcdef\r\n0\r\n\r\n",
    "a line feed alone": b"3\nabc\n0\n\n",
}


@pytest.fixture(scope="module")
def open_door() -> Iterator[Served]:
    """Return a server that needs no key, so that whatever is let through would be done."""
    with served(world(), is_open=True) as opened:
        yield opened


@pytest.mark.clause("SV-64")
@pytest.mark.parametrize("sent", NOT_HTTP.values(), ids=NOT_HTTP.keys())
def test_what_is_no_request_is_answered_once_and_closed(open_door: Served, sent: bytes) -> None:
    """One problem, and what is hidden behind it is never read as a request of its own."""
    assert kind(exchange(open_door, sent)) == (400, "invalid-http")


@pytest.mark.clause("SV-64")
@pytest.mark.parametrize("chunks", TORN_CHUNKS.values(), ids=TORN_CHUNKS.keys())
def test_a_body_of_torn_chunks_does_nothing(open_door: Served, chunks: bytes) -> None:
    """It is no request any more, and nothing of it is stored."""
    line = f"POST {API}/kill HTTP/1.1"
    said = exchange(
        open_door, head(line, HOST, "Transfer-Encoding: chunked", "Content-Type: application/json") + chunks
    )

    assert b"200 OK" not in said
    assert said == b"" or kind(said) == (400, "invalid-http")
    assert overview(open_door.world.house) == ()


@pytest.mark.clause("SV-64")
def test_a_head_without_end_is_refused_before_it_is_held(open_door: Served) -> None:
    """As one header, as many, as a path, at once or in pieces."""
    long = "x" * MAX_HEAD
    heads = {
        "a header": [head("GET /healthz HTTP/1.1", HOST, f"X-A: {long}")],
        "headers": [head("GET /healthz HTTP/1.1", HOST, *(f"X-{n}: {n}" for n in range(4_000)))],
        "a path": [head(f"GET /{long} HTTP/1.1", HOST)],
        "pieces": [b"GET /healthz HTTP/1.1\r\nX-A: ", *[b"x" * 1_024] * 40],
    }

    found = {name: kind(exchange(open_door, *pieces)) for name, pieces in heads.items()}

    assert set(found.values()) == {(431, "head-too-large")}


@pytest.mark.clause("SV-64")
def test_what_comes_twice_is_meant_by_nobody(open_door: Served) -> None:
    """A header of which two readers could take another one each is refused."""
    twice = [
        "Authorization: Bearer a",
        "Content-Type: a/b",
        "Content-Encoding: gzip",
        "Idempotency-Key: a",
        "Origin: a",
    ]
    said = {
        each: kind(exchange(open_door, head(f"GET {API}/rollouts HTTP/1.1", HOST, each, each, "Connection: close")))
        for each in twice
    }

    assert set(said.values()) == {(400, "invalid-call")}


@pytest.mark.clause("SV-64")
def test_requests_that_come_together_are_answered_in_their_order(open_door: Served) -> None:
    """Each by itself, and one that asks for another protocol is answered and is the last."""
    one = head("GET /healthz HTTP/1.1", HOST)
    upgrade = head("GET /readyz HTTP/1.1", HOST, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")
    said = answers(exchange(open_door, one + one + upgrade + one))

    assert [(status, document["status"]) for status, document in said] == [(200, "ok"), (200, "ok"), (200, "ready")]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Return a server that waits for a head for a moment only."""
    monkeypatch.setattr(Connection, "head_seconds", 0.3)
    with served(world(), is_open=True) as opened:
        yield opened


@pytest.mark.clause("SV-64")
@pytest.mark.parametrize("begun", [b"", b"\r\n", b"G", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_a_head_that_does_not_come_is_not_waited_for(hasty: Served, begun: bytes) -> None:
    """Nothing, a blank line, or a part: the connection ends by itself."""
    with connect(hasty) as opened:
        opened.sendall(begun)

        assert kind(read(opened)) == (408, "head-too-slow")


@pytest.mark.clause("SV-64")
def test_a_connection_is_not_held_by_what_follows_an_answer(open_door: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that nobody reads, byte by byte, does not keep it open."""
    with connect(open_door) as opened:
        opened.sendall(head("POST /nowhere HTTP/1.1", HOST, "Content-Length: 100000"))
        first = opened.recv(1)
        # Not before: whoever stands still between connecting and asking would be let go without an answer.
        monkeypatch.setattr(Connection, "head_seconds", 0.3)
        opened.sendall(b"x")
        said = answers(first + read(opened))

    assert [status for status, _ in said] == [404, 408]


@pytest.mark.clause("SV-65")
def test_who_holds_connections_without_asking_keeps_nobody_out() -> None:
    """The oldest of those makes room for who comes, and calls are answered meanwhile."""
    with served(world(), is_open=True, most=8) as door:
        idle: list[socket.socket] = [connect(door) for _ in range(30)]
        try:
            for each in idle[:-8]:
                assert read(each) == b""
            said = [door.http.get("/healthz").status_code for _ in range(3)]
        finally:
            for each in idle:
                each.close()

    assert said == [200, 200, 200]


@pytest.mark.clause("SV-65")
def test_who_sends_small_bodies_slowly_takes_no_room_of_others(open_door: Served) -> None:
    """More calls than are carried out at once have sent half of their bodies, and a kill is answered all the same."""
    begun = head(f"POST {API}/kill HTTP/1.1", HOST, "Content-Type: application/json", "Content-Length: 40") + b"{"
    slow = [connect(open_door) for _ in range(SIZES["stops"].places + 4)]
    try:
        for each in slow:
            each.sendall(begun)
        answer = open_door.http.post(f"{API}/kill", json={"reason": "harm"})
    finally:
        for each in slow:
            each.close()

    assert answer.status_code == 200


@pytest.mark.clause("SV-65")
def test_a_large_body_that_hardly_comes_is_given_up(open_door: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a grace, by a problem, and nothing of it is kept."""
    monkeypatch.setattr(body, "GRACE_SECONDS", 0.3)
    kept = overview(open_door.world.house)
    begun = head(
        f"POST {API}/runs?app_id=slow HTTP/1.1", HOST, "Content-Type: application/x-ndjson", "Content-Length: 999"
    )

    assert kind(exchange(open_door, begun, b'{"release": "v1", "status": "ok"}\n')) == (408, "body-too-slow")
    assert overview(open_door.world.house) == kept
