# SPDX-License-Identifier: Apache-2.0
"""Real receivers that answer, refuse, dawdle or lie come in; what is sent to them is bounded and kept: docs/spec.md."""

from __future__ import annotations

import datetime as dt
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path

import pytest

from lockgate.adapters.outgoing.exchange import MAX_KEPT, MAX_READ, ExchangeError, Request
from lockgate.adapters.outgoing.resolving import Asking, Names, Need
from lockgate.core.address import Address
from lockgate.core.delivery import Carried, State
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.instant import SECOND
from lockgate.core.outbox import Message
from lockgate.core.transition import Event
from lockgate.core.webhook_url import Reach, read_url
from lockgate.operations.webhooks.deliver import deliver
from lockgate.operations.webhooks.webhooks import WebhookOrder, create_webhook, find_webhook, part_of
from lockgate.testing.recipients import Recipients
from lockgate.testing.world import World
from tests.spec.line import created, world
from tests.spec.operators import ANN
from tests.spec.routing import EVERYTHING, kept_deliveries
from tests.spec.webhooked import LOOPBACK, hooked, listening, sender

pytestmark = pytest.mark.usefixtures("each_store")
MESSAGE = Message(
    id="evt_1_promote",
    app="web",
    rollout_id="rol_1",
    seq=2,
    event=Event.PROMOTE,
    at=7,
    body=b'{"data":{"org":"default"},"event":"rollout.promote"}',
)
URL = "https://hooks.example.com/"


@contextmanager
def saying(*parts: bytes, pause: float = 0.0, is_open: bool = False) -> Iterator[str]:
    """Answer each connection by some bytes, with pauses between them, and return where."""
    is_over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(65_536)
            for part in parts:
                try:
                    connection.sendall(part)
                except OSError:
                    return
                if is_over.wait(pause):
                    return
            if is_open:
                is_over.wait(30)

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        finally:
            is_over.set()
            listener.shutdown(socket.SHUT_RDWR)


def told(folder: Path, url: str, timeout_s: float = 60.0) -> Carried:
    """Send a message to a URL, and return what that comes to."""
    here = world()
    receivers = sender(here, folder)
    endpoint = hooked(here, receivers, url).endpoint
    return receivers.carry_out(replace(endpoint, timeout_s=timeout_s), MESSAGE)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.clause("WH-30")
@pytest.mark.parametrize(
    ("answer", "code", "output"),
    [
        (OK, 200, "ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (b"HTTP/1.0 202 Accepted\r\n\r\nuntil the end", 202, "until the end"),
        (b"HTTP/1.1 299 Odd\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 299, "ok"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, 200, "ok"),
    ],
)
def test_an_answer_of_200_to_299_is_carried_out(answer: bytes, code: int, output: str, tmp_path: Path) -> None:
    """However it ends, once it is whole."""
    with saying(answer) as url:
        carried = told(tmp_path, url)

    assert (carried.fault, carried.code, carried.output) == (None, code, output)


@pytest.mark.clause("WH-30")
@pytest.mark.parametrize("code", [301, 302, 307, 308, 400, 401, 404, 410, 422, 500, 502, 503])
def test_any_other_answer_is_a_fault_that_names_it(code: int, tmp_path: Path) -> None:
    """A redirect is not followed, to wherever it leads."""
    with listening() as elsewhere:
        where = elsewhere.url.encode()
        with saying(b"HTTP/1.1 %d X\r\nLocation: %s\r\nContent-Length: 4\r\n\r\nwhy\n" % (code, where)) as url:
            carried = told(tmp_path, url)

    assert carried.code == code
    assert f"answered {code}" in (carried.fault or "")
    assert "/hook" not in (carried.fault or "")
    assert elsewhere.came == []


@pytest.mark.clause("WH-31")
@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"],
        [b"SSH-2.0-OpenSSH_9.2\r\n"],
        [b"HTTP/1.1 200 OK\r\nX: " + b"a" * MAX_READ],
        [b"\x00" * 100],
        [b"HTTP/1.1 200 OK\r\n"],
        [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"],
    ],
)
def test_what_is_no_whole_answer_is_a_fault_in_one_sentence(parts: list[bytes], tmp_path: Path) -> None:
    """Whatever else was understood of it."""
    with saying(*parts) as url:
        carried = told(tmp_path, url)

    assert carried.fault
    assert "\n" not in carried.fault


@pytest.mark.clause("WH-31")
@pytest.mark.parametrize(
    ("first", "drip"),
    [
        (b"HTTP/1.1 200 ", b"O"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"a"),
    ],
)
def test_who_answers_slowly_is_not_waited_for_any_longer(first: bytes, drip: bytes, tmp_path: Path) -> None:
    """The time is for the whole exchange, and not for each part of it."""
    with saying(first, *[drip] * 200, pause=0.05) as url:
        carried = told(tmp_path, url, timeout_s=0.5)

    assert "in time" in (carried.fault or "")


@pytest.mark.clause("WH-31")
def test_no_more_is_read_than_is_needed(tmp_path: Path) -> None:
    """Of an endless answer the beginning is kept, and its status counts."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    with saying(head, *[b"x" * 65_536] * 64) as url:
        carried = told(tmp_path, url)

    assert (carried.fault, carried.output) == (None, "x" * MAX_KEPT)


@pytest.mark.clause("WH-31")
def test_nobody_there_is_a_fault(tmp_path: Path) -> None:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    carried = told(tmp_path, f"http://127.0.0.1:{port}/")

    assert f"127.0.0.1:{port}: the connection failed" in (carried.fault or "")


@pytest.mark.clause("WH-31")
def test_tls_is_verified(tmp_path: Path) -> None:
    """A receiver that speaks none, or whose certificate nobody vouches for, is sent nothing."""
    with listening() as listener:
        carried = told(tmp_path, listener.url.replace("http:", "https:"))

    assert "no TLS" in (carried.fault or "")
    assert listener.came == []


@pytest.mark.clause("WH-23")
@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_a_name_is_looked_up_at_each_attempt(address: str, tmp_path: Path) -> None:
    """One that leads elsewhere at the second is not called, whatever it was at the first."""
    here = world()
    found = [ip_address("8.8.8.8"), ip_address(address)]
    receivers = sender(here, tmp_path, Reach(), Names(lambda _host: (found.pop(0),)))
    endpoint = hooked(here, receivers, URL).endpoint

    carried = receivers.carry_out(endpoint, MESSAGE)

    assert carried.fault == (
        f"hooks.example.com: it was not called: hooks.example.com is at {ip_address(address)}, "
        "which is no address of the internet"
    )
    assert found == []


@pytest.mark.clause("WH-23")
def test_the_address_that_was_judged_is_the_one_that_is_called(tmp_path: Path) -> None:
    """The name itself is not looked up a second time, and is what the receiver is called by."""
    here, looked_up = world(), list[str]()

    def once(host: str) -> Sequence[Address]:
        looked_up.append(host)
        return (ip_address("127.0.0.1"),)

    with listening() as listener:
        url = listener.url.replace("127.0.0.1", "receiver.invalid")
        receivers = sender(here, tmp_path, LOOPBACK, Names(once))
        carried = receivers.carry_out(hooked(here, receivers, url).endpoint, MESSAGE)

    assert carried.fault is None
    assert looked_up == ["receiver.invalid"] * 2
    assert listener.came[0].headers["host"] == read_url(url).name


@pytest.mark.clause("WH-23")
def test_a_name_that_nobody_knows_is_a_fault(tmp_path: Path) -> None:
    """Also one that is no name, and one whose resolver does not answer."""
    here = world()
    receivers = sender(here, tmp_path)
    endpoint = hooked(here, Recipients(), URL).endpoint
    assert endpoint.webhook is not None
    sealed = replace(endpoint.webhook, secret=receivers.seal(b"s" * 32, endpoint.id))

    for host in ("nobody.invalid", "a" * 300):
        there = replace(endpoint, webhook=replace(sealed, url=f"https://{host}/"))
        assert "cannot be found" in (receivers.carry_out(there, MESSAGE).fault or "")
    is_over = threading.Event()

    def silent(_host: str) -> tuple[()]:
        is_over.wait(30)
        return ()

    with pytest.raises(OSError, match="in time"):
        Names(silent).addresses("nobody.invalid", 0.0, Asking("default", Need.CHECK))
    is_over.set()


@pytest.mark.clause("WH-24")
def test_no_header_can_be_made_of_what_is_sent() -> None:
    """Should anything get so far, nothing is sent."""
    target = read_url("https://example.com/")

    for text in ("a\r\nX-Evil: 1", "a\nb", "\x00", "\u00e9"):
        with pytest.raises(ExchangeError):
            Request(target=target, headers=(("webhook-id", text),), body=b"").encoded()


@pytest.mark.clause("WH-24")
def test_neither_proxy_nor_cookie_nor_key_of_the_sender_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment says; the headers are these and no others."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    with listening() as listener:
        carried = told(tmp_path, listener.url)

    assert carried.fault is None
    assert sorted(listener.came[0].headers) == [
        "connection",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    ]
    assert listener.came[0].body == MESSAGE.body


def _attempted(here: World, *answers: Carried) -> Endpoint:
    """Let one message be answered so, an attempt after another, and return its webhook."""
    receivers = Recipients(answers=list(answers))
    endpoint = create_webhook(WebhookOrder(url=URL, events=(Event.CREATED,)), ANN, here.house, receivers).endpoint
    created(here)
    for _ in answers:
        (left,) = kept_deliveries(here)
        here.clock.advance(max(0, left.due_at - here.clock.now()) / 1_000)
        deliver(here.house, {Kind.WEBHOOK: receivers}, EVERYTHING)
    return find_webhook(endpoint.id, here.house)


@pytest.mark.clause("WH-32")
@pytest.mark.parametrize(("code", "asked_s", "least_s"), [(429, 120.0, 120), (503, 10_000.0, 3_600), (429, 0.0, 4)])
def test_who_says_when_to_come_back_is_obeyed_for_an_hour_at_most(code: int, asked_s: float, least_s: int) -> None:
    """A newer message does not hasten it."""
    here = world()
    _attempted(here, Carried(fault="busy", code=code, retry_after_s=asked_s))
    created(here, app="claims-agent", candidate="other", policy={"mode": "shadow"})

    (left,) = kept_deliveries(here)

    assert least_s * 1_000 <= left.due_at - here.clock.now() <= max(least_s, 6) * 1_000
    assert (left.held_until > 0) is (asked_s > 0)


@pytest.mark.clause("WH-32")
def test_seconds_or_a_date_are_read_from_the_answer(tmp_path: Path) -> None:
    """Of 429 and 503 alone; a date that has passed, or what is neither, asks for nothing."""
    read = []
    soon = dt.datetime.fromtimestamp(world().clock.now() / SECOND + 90, dt.UTC)
    for code, text in (
        (503, format_datetime(soon, usegmt=True).encode()),
        (429, soon.strftime("%a %b %d %H:%M:%S %Y").encode()),
        (429, b"17"),
        (503, b" 5 "),
        (500, b"17"),
        (429, b"Fri, 31 Dec 1999 23:59:59 GMT"),
        (429, b"-1"),
        (429, b"1" * 40),
        (429, b"Fri, 31 Dec 99999999999 23:59:59 GMT"),
        (429, b""),
    ):
        head = b"HTTP/1.1 %d X\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n" % (code, text)
        with saying(head) as url:
            read.append(told(tmp_path, url).retry_after_s)

    assert read == [90.0, 90.0, 17.0, 5.0, *[None] * 6]


@pytest.mark.clause("WH-33")
def test_a_receiver_that_is_gone_is_disabled() -> None:
    """By its own word, with a receipt and in words."""
    here = world()

    endpoint = _attempted(here, Carried(fault="gone", code=410))

    assert part_of(endpoint).disabled.startswith("it answered 410")
    with here.house.store.reading() as seen:
        latest = seen.latest_receipt()
    assert latest is not None
    assert latest.action == "set_webhook"


@pytest.mark.clause("WH-33")
def test_five_days_of_failures_disable_a_receiver_and_one_success_begins_them_anew() -> None:
    """Not the first failure, however late the next one is."""
    here, day = world(), 86_400
    receivers = Recipients()
    identity = create_webhook(WebhookOrder(url=URL), ANN, here.house, receivers).endpoint.id
    disabled = []
    for fault in ("x", None, "x", "x", "x"):
        receivers.answers = [Carried(fault=fault)] * 9
        created(here, candidate=f"c{here.clock.now()}", app=f"app-{here.clock.now()}")
        deliver(here.house, {Kind.WEBHOOK: receivers}, EVERYTHING)
        disabled.append(bool(part_of(find_webhook(identity, here.house)).disabled))
        here.clock.advance(3 * day)

    assert disabled == [False, False, False, False, True]


@pytest.mark.clause("WH-33")
def test_two_failures_that_are_days_apart_disable_nobody() -> None:
    """Between them the receiver may have been there all the time."""
    here = world()
    _attempted(here, Carried(fault="x"), Carried(fault="x"))
    with here.house.store.reading() as seen:
        (endpoint,) = seen.endpoints()
    webhook = part_of(endpoint)

    late = webhook.failing_since + 6 * 86_400_000

    assert (webhook.failures, webhook.is_silent(late)) == (2, False)
    assert replace(webhook, failures=5).is_silent(late)


@pytest.mark.clause("WH-34")
def test_attempts_are_listed_with_what_each_came_to() -> None:
    """The latest ten of them, and the message is given up after about three days."""
    here = world()
    _attempted(here, *[Carried(fault=f"fault {number}", code=500 + number) for number in range(10)])

    (left,) = kept_deliveries(here)

    assert (left.state, left.attempts) == (State.DEAD, 10)
    assert [(each.code, each.error) for each in left.tries] == [(500 + at, f"fault {at}") for at in range(10)]
    waits = [(later.at - one.at) / 1_000 for one, later in zip(left.tries, left.tries[1:], strict=False)]
    usual = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert all(0.79 * usual[at] <= wait <= 1.21 * usual[at] for at, wait in enumerate(waits))
    assert len({round(wait / usual[at], 3) for at, wait in enumerate(waits)}) > 5


@pytest.mark.clause("WH-34")
def test_the_same_bytes_are_sent_again_under_the_same_id(tmp_path: Path) -> None:
    """With the time and the signature of the attempt."""
    here = world()
    with listening() as listener:
        receivers = sender(here, tmp_path)
        hooked(here, receivers, listener.url, events=(Event.CREATED,))
        codes = [500, 200]
        listener.answer = lambda _: (codes.pop(0), {}, b"")
        created(here)
        for _ in range(2):
            deliver(here.house, {Kind.WEBHOOK: receivers}, EVERYTHING)
            here.clock.advance(10)

    first, second = listener.came
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert json.loads(first.body)["type"] == "rollout.created"
