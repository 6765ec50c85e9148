# SPDX-License-Identifier: Apache-2.0
"""Requests over real HTTP come in; the router is moved by signed webhooks only, and 2xx says that it has been."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from lockgate.errors import UnreachableError, UsageError
from lockgate.webhooks import Applied, Event, SecretError
from lockgate.webhooks import receiver as module
from lockgate.webhooks.event import MAX_BODY
from lockgate.webhooks.receiver import Receiver, Shift, listening
from tests.receiver.signed import OLD_SECRET, SECRET, body, headers

SECONDS = 20.0


@contextmanager
def receiving(folder: Path, shift: Shift, said: list[str] | None = None) -> Iterator[int]:
    """Run a receiver and yield its port."""
    tell = (said if said is not None else []).append
    server = listening(Receiver([SECRET], Applied(folder / "applied.json"), shift, tell), "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(SECONDS)


def post(port: int, sent: bytes, given: dict[str, str] | None = None, method: str = "POST") -> tuple[int, bytes]:
    """Send a request, signed now unless its headers are given."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        link.request(method, "/hook", sent, headers(sent, at=time.time()) if given is None else given)
        answer = link.getresponse()
        return answer.status, answer.read()
    finally:
        link.close()


class Router:
    """Keeps the weights that it was moved to; what it then says it has can be given."""

    def __init__(self, *says: float | Exception | None) -> None:
        self.weights: list[float | None] = []
        self._says = list(says)

    def __call__(self, event: Event) -> float | None:
        """Move."""
        says = self._says.pop(0) if self._says else event.weight
        if isinstance(says, Exception):
            raise says
        self.weights.append(event.weight)
        return says


@pytest.mark.clause("WH-66")
def test_a_webhook_is_answered_when_the_router_has_moved(tmp_path: Path) -> None:
    """The weight is live and on record by then, and a router that does not say what it has is believed."""
    router = Router(25.0, None)
    with receiving(tmp_path, router) as port:
        first = post(port, body(log_index=7))
        second = post(port, body(log_index=8, weight=50))
        shown = post(port, b"", {}, "GET")

    assert (first[0], second[0], router.weights) == (200, 200, [25.0, 50.0])
    assert shown == (200, b'{"apps": 1}\n')


@pytest.mark.clause("WH-66")
@pytest.mark.parametrize(
    ("given", "status"),
    [
        (headers(body(), OLD_SECRET, at=time.time()), 401),
        (headers(body(weight=100), at=time.time()), 401),
        (headers(body(), at=time.time() - 3_600), 401),
        ({}, 400),
    ],
)
def test_what_is_not_rightly_signed_moves_nothing(given: dict[str, str], status: int, tmp_path: Path) -> None:
    """Another secret, another body, another time, or no signature."""
    router, said = Router(), list[str]()
    with receiving(tmp_path, router, said) as port:
        answered = post(port, body(), given)

    assert (answered[0], router.weights) == (status, [])
    assert said[0].startswith(str(status))
    assert not (tmp_path / "applied.json").exists()


@pytest.mark.clause("WH-66")
@pytest.mark.parametrize(
    "says",
    [24.0, 0.0, UnreachableError("no route"), OSError("no socket"), ValueError("what it said is no number")],
    ids=str,
)
def test_a_router_that_was_not_moved_is_asked_again(says: float | Exception, tmp_path: Path) -> None:
    """503, nothing on record, and the same webhook is carried out when it comes again."""
    router = Router(says)
    with receiving(tmp_path, router) as port:
        first = post(port, body())
        kept = (tmp_path / "applied.json").exists()
        again = post(port, body())

    assert (first[0], kept, again[0]) == (503, False, 200)
    assert router.weights[-1] == 25.0


@pytest.mark.clause("WH-66")
def test_a_late_promote_is_answered_and_not_carried_out(tmp_path: Path) -> None:
    """Otherwise it would come for three days; the newest one may be carried out again."""
    router = Router()
    back = body("rollout.rollback", log_index=8, weight=0)
    with receiving(tmp_path, router) as port:
        answers = [post(port, sent)[0] for sent in (back, body(log_index=7), back)]

    assert (answers, router.weights) == ([200, 200, 200], [0.0, 0.0])


@pytest.mark.clause("WH-66")
@pytest.mark.parametrize("sent", [body("rollout.pause"), body("endpoint.ping", app=None), body(mode="shadow")])
def test_what_asks_for_nothing_is_answered(sent: bytes, tmp_path: Path) -> None:
    """And moves nothing."""
    router = Router()
    with receiving(tmp_path, router) as port:
        answered = post(port, sent)

    assert (answered[0], router.weights) == (200, [])


@pytest.mark.clause("WH-67")
def test_webhooks_at_once_are_carried_out_one_after_the_other(tmp_path: Path) -> None:
    """However slow the router is, it is never moved by two, and what it was moved to only grows newer."""
    inside, most, moved = [0], [0], list[int]()

    def slow(event: Event) -> float | None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.01)
        moved.append(event.log_index or 0)
        inside[0] -= 1
        return event.weight

    with receiving(tmp_path, slow) as port:
        sent = [body(log_index=index, weight=index) for index in range(1, 21)]
        threads = [threading.Thread(target=post, args=(port, each)) for each in sent * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)

    assert most == [1]
    assert moved == sorted(moved)
    assert moved[-1] == 20


@pytest.mark.clause("WH-67")
def test_who_waits_too_long_is_told_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender has given up by then; nothing waits behind it without end."""
    monkeypatch.setattr(module, "TURN_S", 0.05)
    go_on, is_moving = threading.Event(), threading.Event()

    def stuck(event: Event) -> float | None:
        is_moving.set()
        go_on.wait(SECONDS)
        return event.weight

    with receiving(tmp_path, stuck) as port:
        first = threading.Thread(target=post, args=(port, body(log_index=7)))
        first.start()
        is_moving.wait(SECONDS)
        answered = post(port, body(log_index=8))
        go_on.set()
        first.join(SECONDS)

    assert answered[0] == 503


def _raw(port: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as link:
        answer = b""
        # Whoever was let go while still sending finds the connection broken, and not ended.
        with suppress(ConnectionError):
            link.sendall(sent)
            while chunk := link.recv(65_536):
                answer += chunk
        return answer


@pytest.mark.clause("WH-68")
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), b"413"),
        (b"DELETE / HTTP/1.1\r\n\r\n", b"501"),
        (b"POST / HTTP/1.1\r\n" + b"x: y\r\n" * 200 + b"\r\n", b"431"),
        (b"\x16\x03\x01\r\n\r\n", b"400"),
    ],
)
def test_what_is_no_request_for_a_webhook_moves_nothing(sent: bytes, status: bytes, tmp_path: Path) -> None:
    """A length is needed and bounded; nothing else is read."""
    router = Router()
    with receiving(tmp_path, router) as port:
        answer = _raw(port, sent)

    assert status in answer.split(b"\r\n")[0]
    assert router.weights == []


@pytest.mark.clause("WH-68")
@pytest.mark.parametrize("sent", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"])
def test_who_sends_half_a_request_is_let_go(sent: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a bounded time, and without an answer to what was not asked."""
    monkeypatch.setattr(module, "REQUEST_S", 0.1)
    monkeypatch.setattr(module._Handler, "timeout", 0.1)
    router = Router()
    with receiving(tmp_path, router) as port:
        answer = _raw(port, sent)

    assert (answer, router.weights) == (b"", [])


@pytest.mark.clause("WH-68")
def test_who_drips_its_request_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often another byte comes, a connection has its time and no more."""
    monkeypatch.setattr(module, "CONNECTION_S", 0.1)
    with receiving(tmp_path, Router()) as port, socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(b"POST / HTTP/1.1\r\nx: ")
        dripped = 0
        with suppress(OSError):
            while dripped < SECONDS / 0.02:
                link.sendall(b"y")
                dripped += 1
                time.sleep(0.02)

    assert dripped < SECONDS / 0.02


@pytest.mark.clause("WH-68")
def test_strangers_keep_no_webhook_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of idle connections takes so many threads and no more; the oldest of them makes room for who comes."""
    monkeypatch.setattr(module, "AT_ONCE", 2)
    monkeypatch.setattr(module, "GOING_S", SECONDS)
    monkeypatch.setattr(module._Handler, "timeout", SECONDS)
    router = Router()
    with receiving(tmp_path, router) as port:
        idle = [socket.create_connection(("127.0.0.1", port), timeout=SECONDS) for _ in range(2)]
        for each in idle:
            each.sendall(b"POST")
        answered = post(port, body())[0]
        oldest = idle[0].recv(1)
        idle[1].settimeout(0.2)
        with pytest.raises(TimeoutError):
            idle[1].recv(1)
        for each in idle:
            each.close()

    assert (answered, oldest, router.weights) == (200, b"", [25.0])


@pytest.mark.clause("WH-68")
def test_who_is_known_is_not_let_go_for_who_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a router is moved by signed webhooks in all the room that there is, others are closed."""
    monkeypatch.setattr(module, "AT_ONCE", 1)
    is_moving, may_end = threading.Event(), threading.Event()

    def move(_event: Event) -> None:
        is_moving.set()
        assert may_end.wait(SECONDS)

    answers: list[int] = []
    with receiving(tmp_path, move) as port:
        sender = threading.Thread(target=lambda: answers.append(post(port, body())[0]))
        sender.start()
        assert is_moving.wait(SECONDS)
        beyond = _until_closed(port)
        may_end.set()
        sender.join(SECONDS)
        again = _until_answered(port)

    assert (beyond, answers, again) == (b"", [200], 200)


def _until_closed(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as link:
        return link.recv(1)


def _until_answered(port: int) -> int:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            return post(port, body())[0]
        except (ConnectionError, http.client.HTTPException):
            time.sleep(0.02)
    raise AssertionError("no room came back")


@pytest.mark.clause("WH-68")
def test_a_client_that_goes_away_ends_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The router was moved all the same, and the next webhook is answered."""
    router = Router()
    with receiving(tmp_path, router) as port:
        sent, link = body(), socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        lines = [f"{name}: {text}" for name, text in headers(sent, at=time.time()).items()]
        head = "\r\n".join(["POST / HTTP/1.1", f"Content-Length: {len(sent)}", *lines, "", ""])
        link.sendall(head.encode() + sent)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        link.close()
        answered = post(port, body(log_index=8))

    assert answered[0] == 200
    assert capsys.readouterr().err == ""


@pytest.mark.clause("WH-62")
@pytest.mark.parametrize("secrets", [[], ["hunter2"], [SECRET, ""]])
def test_a_receiver_without_a_secret_does_not_begin(secrets: list[str], tmp_path: Path) -> None:
    """Its owner is told at once, and not when the first webhook is refused."""
    with pytest.raises(SecretError):
        Receiver(secrets, Applied(tmp_path / "applied.json"), Router())


def test_a_receiver_tells_on_standard_error_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each request, with the id of the webhook and what became of it."""
    sent: Any = body()

    Receiver([SECRET], Applied(tmp_path / "applied.json"), Router()).receive(headers(sent, at=time.time()), sent)

    assert capsys.readouterr().err == "200 evt_01 (claims-agent rol_01 3): abc123 has 25 %\n"


@pytest.mark.clause("LC-66")
def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """Whoever starts a receiver beside another reads where it could not listen, and what to change."""
    router = Router()
    with receiving(tmp_path, router) as port:
        receiver = Receiver([SECRET], Applied(tmp_path / "other.json"), router)

        with pytest.raises(UsageError, match=rf"nothing can listen at 127\.0\.0\.1 port {port}: ") as refused:
            listening(receiver, "127.0.0.1", port)

    assert "--port" in refused.value.advice
