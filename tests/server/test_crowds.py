# SPDX-License-Identifier: Apache-2.0
"""More connections come in than may be open; who makes room for whom, and who is cut off, goes out."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from lockgate.core.batch import RunBatch
from lockgate.server import body
from lockgate.server.connection import Connection
from lockgate.wiring import run_batches
from tests.server.raw import answers, connect, exchange, head, kind, read, read_one
from tests.server.served import API, NDJSON, Served, served
from tests.spec.line import world

HOST, JSON = "Host: 127.0.0.1", "Content-Type: application/json"
MOST = 8
LONG = head("GET /openapi.json HTTP/1.1", HOST) * 60
TOKEN = head(f"POST {API}/oidc/token HTTP/1.1", HOST, JSON, "Content-Length: 100") + b"{"
LINE = b'{"app_id": "web", "release": "v1", "status": "ok"}\n'


@pytest.fixture
def small() -> Iterator[Served]:
    """Return a server to which few may be connected."""
    with served(world(), most=MOST) as opened:
        yield opened


def bearer(token: str) -> str:
    """Return the header that shows a key."""
    return f"Authorization: Bearer {token}"


def asked(door: Served, stack: ExitStack, sent: bytes, count: int) -> list[socket.socket]:
    """Return connections on each of which the same was sent; they are closed with the stack."""
    found = [stack.enter_context(connect(door)) for _ in range(count)]
    for each in found:
        with suppress(ConnectionError):
            each.sendall(sent)
    return found


def is_alive(opened: socket.socket) -> bool:
    """Say whether the server answers on a connection."""
    with suppress(ConnectionError):
        opened.sendall(head("GET /healthz HTTP/1.1", HOST))
        return read_one(opened).startswith(b"HTTP/1.1 200")
    return False


@pytest.mark.clause("SV-200")
def test_who_asks_and_never_reads_keeps_nobody_out(small: Served) -> None:
    """Strangers let answers pile up on every connection, and others are answered at once."""
    with ExitStack() as stack:
        piled = asked(small, stack, LONG, MOST + 2)
        select.select(piled[2:], [], [], 10)
        time.sleep(0.5)
        said = [small.http.get("/healthz").status_code for _ in range(3)]

    assert said == [200] * 3


@pytest.mark.clause("SV-200")
def test_who_shows_no_key_and_sends_slowly_keeps_nobody_out(small: Served) -> None:
    """More strangers than may be connected have each sent a byte of their bodies."""
    with ExitStack() as stack:
        asked(small, stack, TOKEN, MOST + 2)
        said = [small.http.get("/healthz").status_code for _ in range(3)]

    assert said == [200] * 3


@pytest.mark.clause("SV-200")
def test_who_has_a_key_and_sends_slowly_keeps_nobody_out(small: Served) -> None:
    """One key has begun as many calls as may be connected; a kill by another one is answered."""
    slow, admin = small.key("admin").token, small.caller("admin")
    begun = head(f"POST {API}/kill HTTP/1.1", HOST, JSON, bearer(slow), "Content-Length: 40") + b"{"
    with ExitStack() as stack:
        asked(small, stack, begun, MOST)
        time.sleep(0.3)
        answer = admin.post(f"{API}/kill", {"reason": "harm"})

    assert answer.status_code == 200


@pytest.mark.clause("SV-200")
def test_strangers_do_not_push_out_the_connections_of_callers(small: Served) -> None:
    """Idle, or asking for what needs no key: those that a proxy holds for callers stay open."""
    token = small.key("viewer").token
    with ExitStack() as stack:
        pool = asked(small, stack, head(f"GET {API}/rollouts HTTP/1.1", HOST, bearer(token)), 4)
        first = [read_one(each)[:12] for each in pool]
        asked(small, stack, b"", MOST)
        asked(small, stack, head("GET /healthz HTTP/1.1", HOST), MOST)
        asked(small, stack, TOKEN, MOST)
        alive = [is_alive(each) for each in pool]

    assert (first, alive) == ([b"HTTP/1.1 200"] * 4, [True] * 4)


@pytest.mark.clause("SV-200")
def test_of_callers_who_ask_nothing_the_one_who_asked_longest_ago_makes_room(small: Served) -> None:
    """A connection that was opened first and used last stays."""
    sent = head(f"GET {API}/rollouts HTTP/1.1", HOST, bearer(small.key("viewer").token))
    with ExitStack() as stack:
        pool, first = list[socket.socket](), list[bytes]()
        # One after another, because calls that are under way together have no order.
        for _ in range(MOST):
            pool += asked(small, stack, sent, 1)
            first.append(read_one(pool[-1])[:12])
        pool[0].sendall(sent)
        first.append(read_one(pool[0])[:12])
        small.http.get("/healthz")
        alive = [is_alive(each) for each in pool[:2]]

    assert (first, alive) == ([b"HTTP/1.1 200"] * (MOST + 1), [True, False])


class Standing:
    """Decodes runs when it is let go on."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Semaphore(0), threading.Event()
        self._usual = run_batches()
        self.read = self._usual.read

    def decode(self, body: bytes, app: str | None) -> RunBatch:
        """Return the runs of a body."""
        self.begun.release()
        assert self.go_on.wait(60)
        return self._usual.decode(body, app)


@pytest.mark.clause("SV-200")
def test_who_is_being_answered_makes_room_for_nobody() -> None:
    """Where all calls are at work, who comes is told that as many are connected as may be."""
    standing = Standing()
    with served(world(), most=2, batches=standing) as door, ThreadPoolExecutor(2) as pool:
        sdk = door.caller("sdk", apps=["web"])
        calls = [pool.submit(sdk.call, "POST", f"{API}/imports/runs", NDJSON, content=LINE)]
        assert standing.begun.acquire(timeout=60)
        calls.append(pool.submit(sdk.call, "POST", f"{API}/runs", NDJSON, content=LINE))
        assert standing.begun.acquire(timeout=60)
        refused = exchange(door)
        standing.go_on.set()
        codes = [call.result().status_code for call in calls]

    assert kind(refused) == (503, "too-many-connections")
    assert codes == [200, 200]


@pytest.mark.clause("SV-201")
def test_an_answer_that_nobody_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection ends, and what was asked for behind it is not answered."""
    lost, usual = threading.Event(), Connection.connection_lost

    def losing(connection: Connection, exc: Exception | None) -> None:
        usual(connection, exc)
        lost.set()

    monkeypatch.setattr(Connection, "unread_seconds", 0.3)
    monkeypatch.setattr(Connection, "connection_lost", losing)
    with served(world()) as door:
        with connect(door) as opened:
            opened.sendall(LONG)
            # Who read on before would read it all.
            is_lost = lost.wait(60)
            said = b""
            with suppress(ConnectionError):
                said = read(opened)
        one = len(door.http.get("/openapi.json").content)

    assert is_lost
    assert len(said) < 60 * one


@pytest.mark.clause("SV-201")
def test_a_stranger_who_sends_slowly_is_not_waited_for_long(small: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """By less than whoever has shown a key."""
    assert body.STRANGER_SECONDS < body.SMALL_BODY_SECONDS
    monkeypatch.setattr(body, "STRANGER_SECONDS", 0.3)

    assert kind(exchange(small, TOKEN)) == (408, "body-too-slow")


TORN = {
    "an extension that is torn": b"2;a\n{}\r\n0\r\n\r\n",
    "a size that is no number": b"2\r\n{}\r\nxyz\r\n",
    "a size without end": b"FFFFFFFFFFFFFFFFF\r\n{}",
}


@pytest.mark.clause("SV-202")
@pytest.mark.parametrize("chunks", TORN.values(), ids=TORN.keys())
@pytest.mark.parametrize("apart", [False, True], ids=["at once", "in pieces"])
def test_a_body_that_is_torn_is_answered_by_a_problem(small: Served, chunks: bytes, *, apart: bool) -> None:
    """With the head or after it, and nothing is done."""
    token = small.key("admin").token
    begun = head(f"POST {API}/kill HTTP/1.1", HOST, JSON, bearer(token), "Transfer-Encoding: chunked")
    with connect(small) as opened:
        opened.sendall(begun if apart else begun + chunks)
        if apart:
            time.sleep(0.2)
            opened.sendall(chunks)
        said = read(opened)

    assert kind(said) == (400, "invalid-http")


@pytest.mark.clause("SV-202")
def test_a_torn_body_behind_a_call_takes_no_answer_from_it(small: Served) -> None:
    """What was asked before it is answered or not, and never by the problem of what came behind."""
    torn = head(f"POST {API}/kill HTTP/1.1", HOST, JSON, "Transfer-Encoding: chunked") + b"xyz\r\n"
    said = answers(exchange(small, head("GET /healthz HTTP/1.1", HOST) + torn))

    assert [status for status, _ in said[:1]] in ([], [200])
