# SPDX-License-Identifier: Apache-2.0
"""The address of a server and a key come in; calls are made, again where that is safe, and replies go out.

Redirects are not followed and proxies of the environment are not used: the key goes to the address that was named, and
nowhere else.
"""

from __future__ import annotations

import http.client
import json
import random
import select
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from lockgate import __version__
from lockgate.bearer import check_key
from lockgate.client.patience import FIRST_WAIT_S, asked_wait, last_pause, patience_with
from lockgate.errors import LockgateError, TryAgainError, UnreachableError, UsageError

AGENT = f"lockgate/{__version__}"
# By it a server refuses a key of another organisation than its caller means.
ORG_HEADER = "Lockgate-Org"
API = "/api/v1"
# What says that the same call may succeed later; of a call that is not safe only the first, by which nothing was done.
NO_KEY, TOO_MANY = 401, 429
AGAIN = frozenset({408, 425, TOO_MANY, 502, 503, 504})
MAX_WAIT_S = 10.0
# A wait that is longer is told.
QUIET_S = 1.0
# A server closes a connection that is quiet for 5 s; one that was quiet for less may still carry a call.
MAX_QUIET_S = 2.0
MAX_ANSWER, CHUNK = 1 << 28, 1 << 16
ADVICE = "Is `lockgate serve` running there? LOCKGATE_URL names it."

# What the answer to a key that has ended holds.
ENDED = b'"urn:lockgate:problem:key-expired"'


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> dict[str, object]:
        """Return the JSON object that the body is."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise UnreachableError("what answers there is no Lockgate: its answer is no JSON object", advice=ADVICE)
        return found


class ProblemError(LockgateError):
    """A server refused a call; the fields are those of its problem document (RFC 9457)."""

    def __init__(self, *, type: str, status: int, title: str, detail: str, advice: str) -> None:  # noqa: A002 -- the name of RFC 9457
        super().__init__(detail or title or f"the server answered {status}", advice=advice)
        self.type = type
        self.status = status
        self.title = title
        self.detail = detail


class Timing(NamedTuple):
    """How long one answer and the whole of a call may take; what sleeps, and what draws from 0 to 1.

    `away_s`: how long a server that gives no answer at all is tried again.
    """

    answer_s: float = 30.0
    total_s: float = 60.0
    away_s: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random


# What is asked for a key before each call, because some last for minutes only, where none is named or that has ended.
# It may wait within these bounds, which it tells.
Keys = Callable[[Timing, Callable[[str], None]], str]


class Transport:
    """Calls one server, over one connection that is kept; threads take turns."""

    def __init__(
        self,
        url: str,
        key: str | None,
        timing: Timing = Timing(),  # noqa: B008 -- it is a value
        *,
        is_insecure: bool = False,
        org: str = "",
        keys: Keys | None = None,
    ) -> None:
        self._url = _parsed(url)
        self._timing = timing
        self._is_insecure = is_insecure
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None
        self._used_at = 0.0
        self._key = self._checked(key)
        self._keys = keys
        self._org = org
        # Hears, once, that a server is away and is waited for.
        self.on_wait: Callable[[str], None] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url.geturl()!r})"

    @property
    def path(self) -> str:
        """Return the path of the address, below which calls go; mostly there is none."""
        return self._url.path.rstrip("/")

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        with self._lock:
            self._drop()

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        is_safe: bool = False,
        timing: Timing | None = None,
    ) -> Reply:
        """Return what is answered; a safe call is made again while there is time and the server is only away.

        `timing`: how long it may be away, and how long it may take, in place of what holds for all.
        """
        begun, wait, named = time.monotonic(), FIRST_WAIT_S, self._key
        bounds = timing or self._timing
        until, patience = begun + bounds.total_s, bounds.away_s
        request = _Request(method, f"{self.path}{path}", body, self._headers(headers or {}, named, bounds))
        while True:
            pause = wait * (1 + self._timing.draw()) / 2
            try:
                reply = self._tried(request, until)
            except _AwayError as away:
                if away.was_sent and not is_safe:
                    raise _unknown(self._url) from away.__cause__
                latest = min(until, begun + patience)
                pause = last_pause(pause, latest)
                if away.is_final or time.monotonic() + pause > latest:
                    raise _unreachable(self._url, away.__cause__) from away.__cause__
            else:
                if named and self._keys and reply.status == NO_KEY and ENDED in reply.body:
                    named = self._key = None
                    with suppress(ProblemError):  # A job that gets no other is told that its key has ended.
                        request = request._replace(headers=self._headers(headers or {}, None, _left(bounds, until)))
                        continue
                latest = min(until, begun + patience_with(reply.status, reply.body, patience))
                asked = asked_wait(reply.headers)
                pause = max(pause, asked) if asked else last_pause(pause, latest)
                is_again = reply.status in AGAIN and (is_safe or reply.status == TOO_MANY)
                if not is_again or time.monotonic() + pause > latest:
                    return reply
            self._say_wait(begun, pause)
            self._timing.sleep(pause)
            wait = min(MAX_WAIT_S, wait * 2)

    def _headers(self, headers: Mapping[str, str], key: str | None, bounds: Timing) -> Mapping[str, str]:
        """Return what is sent with a call: who calls, by that key or one of the job, and for which organisation."""
        sent = {"Accept": "application/json", "User-Agent": AGENT, **headers}
        if not key and self._keys is not None:
            key = self._checked(self._keys(bounds, self._say_once))
        if key:
            sent["Authorization"] = f"Bearer {key}"
        if self._org:
            sent[ORG_HEADER] = self._org
        return sent

    def _say_wait(self, begun: float, pause: float) -> None:
        """Tell once that a server is waited for, where it is for longer than a moment."""
        if self.on_wait is not None and time.monotonic() + pause - begun > QUIET_S:
            since = time.strftime("%H:%M:%S", time.localtime(time.time() - (time.monotonic() - begun)))
            self._say_once(f"{self._url.netloc} does not serve since {since}; waiting for it")

    def _say_once(self, sentence: str) -> None:
        if self.on_wait is not None:
            self.on_wait(sentence)
            self.on_wait = None

    def _checked(self, key: str | None) -> str | None:
        """Return a key that may be sent, if there is one."""
        stripped = None if key is None else key.strip()
        if stripped:
            check_key(stripped, self._url, is_insecure=self._is_insecure)
        return stripped

    def _tried(self, request: _Request, until: float) -> Reply:
        """Return what one try is answered."""
        was_sent = False
        with self._lock:
            try:
                connection = self._opened(until)
                was_sent = True
                connection.request(*request)
                answer = connection.getresponse()
                headers = {name.lower(): text for name, text in answer.getheaders()}
                reply = Reply(answer.status, headers, _read(answer, until))
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                raise _AwayError(error, was_sent=was_sent) from error
            except LockgateError:
                self._drop()
                raise
            self._used_at = time.monotonic()
            return reply

    def _opened(self, until: float) -> http.client.HTTPConnection:
        """Return the connection that is kept, or a new one."""
        left = min(self._timing.answer_s, max(0.1, until - time.monotonic()))
        if self._connection is not None and self._is_fresh(self._connection):
            self._connection.sock.settimeout(left)
            return self._connection
        self._drop()
        self._connection = _connection(self._url, left)
        self._connection.connect()
        return self._connection

    def _is_fresh(self, connection: http.client.HTTPConnection) -> bool:
        """Say whether a connection may still carry a call: what can be read there now is that it was closed."""
        is_quiet = time.monotonic() - self._used_at > MAX_QUIET_S
        if connection.sock is None or is_quiet:
            return False
        poll = select.poll()
        poll.register(connection.sock, select.POLLIN)
        return not poll.poll(0)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class _Request(NamedTuple):
    method: str
    path: str
    body: bytes | None
    headers: Mapping[str, str]


class _AwayError(Exception):
    """A try got no answer; where nothing was sent, nothing was done.

    `is_final`: another try would meet the same, because the server's certificate is not trusted.
    """

    def __init__(self, error: Exception, *, was_sent: bool) -> None:
        super().__init__("no answer")
        self.was_sent = was_sent
        # Of the errors of TLS only that one has it.
        self.is_final = hasattr(error, "verify_code")


def check(reply: Reply) -> Reply:
    """Return a reply that is an answer, or raise the problem that it is."""
    if reply.status < 300:
        return reply
    if 300 <= reply.status < 400:
        raise UnreachableError(
            f"the server answered {reply.status} and names another address, to which no key is sent",
            advice="Name the address itself with LOCKGATE_URL.",
        )
    found: object = None
    with suppress(ValueError, RecursionError):
        found = json.loads(reply.body)
    document = found if isinstance(found, dict) else {}
    texts = {name: str(document.get(name) or "") for name in ("type", "title", "detail", "advice")}
    if not texts["type"]:
        texts["detail"] = f"{reply.status} was answered, and not by Lockgate"
        texts["advice"] = "A proxy may have answered; LOCKGATE_URL names the address of `lockgate serve`."
    raise ProblemError(status=reply.status, **texts)


def _left(bounds: Timing, until: float) -> Timing:
    """Return what of a call's bounds is left until it must end."""
    left = max(0.0, until - time.monotonic())
    return bounds._replace(total_s=left, away_s=min(bounds.away_s, left))


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    # Not quoted: what is wrong with it may be that it holds a password.
    if not is_one or any(not " " < letter < "\x7f" for letter in url.strip()):
        raise UsageError("LOCKGATE_URL is no address", advice="Write http://HOST:PORT or https://HOST.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            "LOCKGATE_URL holds more than an address",
            advice="Write http://HOST:PORT or https://HOST; the key is in LOCKGATE_API_KEY.",
        )
    return parts


def _connection(url: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    assert url.hostname is not None
    if url.scheme == "http":
        return http.client.HTTPConnection(url.hostname, url.port, timeout=timeout_s)
    import ssl  # noqa: PLC0415 -- only where it is spoken

    # It trusts what the machine trusts, and what SSL_CERT_FILE names.
    trust = ssl.create_default_context()
    return http.client.HTTPSConnection(url.hostname, url.port, timeout=timeout_s, context=trust)


def _read(answer: http.client.HTTPResponse, until: float) -> bytes:
    """Return a body; one that comes too slowly is no answer, and one that is too long is none of Lockgate."""
    chunks, size = [], 0
    while chunk := answer.read(CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER:
            raise UnreachableError(f"what answers there sends more than {MAX_ANSWER:,} bytes", advice=ADVICE)
        if time.monotonic() > until:
            raise TimeoutError("the answer came too slowly")
    return b"".join(chunks)


def _unknown(url: SplitResult) -> TryAgainError:
    return TryAgainError(
        f"the connection to {url.netloc} broke before the answer came, and nobody knows whether the call was done",
        advice="Look, and call again where it was not.",
    )


def _unreachable(url: SplitResult, error: BaseException | None) -> UnreachableError:
    reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
    is_plain = url.scheme == "https" and hasattr(error, "library") and not hasattr(error, "verify_code")
    advice = "Does it speak https there? `lockgate serve` itself speaks http." if is_plain else ADVICE
    return UnreachableError(f"no answer from {url.netloc}: {reason}", advice=advice)
