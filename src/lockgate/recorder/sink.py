# SPDX-License-Identifier: Apache-2.0
"""Lines of runs come in; they are sent to a server or appended to a file, and what became of them goes out."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, urlsplit

from lockgate.bearer import INSECURE, check_key
from lockgate.errors import UsageError

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

RUNS = "/api/v1/runs"
SECONDS = 10.0
MAX_ANSWER = 1 << 16
MAX_REASON = 300
MAX_WAIT_S = 60.0
# Answers of a server, or of a proxy before it, that may be another one later.
_LATER = (408, 425, 429)
# Answers that are about what is in the lines.
_OF_LINES = (400, 413, 422)
_OF_APP = "urn:lockgate:problem:app-not-of-key"


class Fate(Enum):
    """What became of lines: taken, refused for good, refused for one of them or their size, or not taken yet."""

    TAKEN = "taken"
    REFUSED = "refused"
    PARTLY = "partly"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What became of lines, why, and after how many seconds to ask again where somebody said so."""

    fate: Fate
    reason: str = ""
    wait_s: float = 0.0


TAKEN = SendOutcome(Fate.TAKEN)


class Sink(Protocol):
    """Takes lines; the same lines again count once."""

    def send(self, body: bytes) -> SendOutcome:
        """Send lines."""

    def close(self) -> None:
        """Let go of what is open."""


class ServerSink:
    """Sends lines to `POST /api/v1/runs`, over one connection that is kept."""

    def __init__(self, url: str, api_key: str | None, seconds: float = SECONDS) -> None:
        # Not by the thread that sends: a process that forks in the midst of an import has a child that waits for ever.
        from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415 -- 20 ms that a file does without

        self._url = _checked(url)
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        self._open = partial(kind, self._url.hostname or "", self._url.port, timeout=seconds)
        self._headers = {"Content-Type": "application/x-ndjson", "Accept": "application/json"}
        if api_key:
            # What the standard library says of a header that it refuses holds the header.
            check_key(api_key, self._url, is_insecure=os.environ.get(INSECURE) == "1")
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._connection: HTTPConnection | None = None

    def send(self, body: bytes) -> SendOutcome:
        """Send lines."""
        if self._connection is not None:
            # What was idle for long may have been closed at the other end.
            with suppress(Exception):
                return self._answer_of(body)
            self.close()
        try:
            return self._answer_of(body)
        except Exception as error:  # noqa: BLE001 -- a name that is no name, a torn answer, TLS: it did not arrive
            self.close()
            return SendOutcome(Fate.LATER, f"{self._url.hostname} did not answer: {type(error).__name__}")

    def _answer_of(self, body: bytes) -> SendOutcome:
        if self._connection is None:
            self._connection = self._open()
        self._connection.request("POST", f"{self._url.path.rstrip('/')}{RUNS}", body, self._headers)
        answer = self._connection.getresponse()
        said = answer.read(MAX_ANSWER)
        if answer.read(1) or answer.will_close:
            self.close()
        return _outcome(answer, said)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _checked(url: str) -> SplitResult:
    """Return the parts of an address, which is not told where it is refused: it may hold a password."""
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme in ("http", "https") and parts.hostname and not (parts.username or parts.password)
        _ = parts.port
    except ValueError:
        is_plain = False
    if not is_plain or parts.query or parts.fragment or any(char <= " " or char > "~" for char in url):
        raise UsageError(
            "the server's address is not one", advice="LOCKGATE_URL is like https://lockgate.example, without a user."
        )
    return parts


def _outcome(answer: HTTPResponse, said: bytes) -> SendOutcome:
    status = answer.status
    if 200 <= status < 300:
        return TAKEN
    kind, reason = _problem(status, said)
    if status >= 500 or status in _LATER:
        return SendOutcome(Fate.LATER, reason, _seconds(answer.getheader("retry-after")))
    is_partly = status in _OF_LINES or kind == _OF_APP
    return SendOutcome(Fate.PARTLY if is_partly else Fate.REFUSED, reason)


def _problem(status: int, said: bytes) -> tuple[str, str]:
    """Return the type of a problem document and what it says, as one line that can be logged."""
    try:
        document = json.loads(said)
        parts = (str(document.get(name) or "").strip() for name in ("detail", "advice"))
        kind, told = str(document.get("type")), ". ".join(each.removesuffix(".") for each in parts if each)
    except (ValueError, RecursionError, AttributeError):
        kind, told = "", ""
    shown = "".join(char if char.isprintable() else " " for char in told)[:MAX_REASON].strip()
    return kind, f"the server answered {status}{': ' if shown else ''}{shown}"


def _seconds(text: str | None) -> float:
    return min(float(text), MAX_WAIT_S) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0.0


class FileSink:
    """Appends lines to a file that `lockgate ingest` takes; several processes may append to one."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def send(self, body: bytes) -> SendOutcome:
        """Append lines, all or none."""
        try:
            # Opened anew each time, so that a file that was moved away is not written to.
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            return SendOutcome(Fate.LATER, f"{self._path.name} cannot be opened: {error.strerror}")
        try:
            _lock(descriptor)
            _append(descriptor, body)
        except OSError as error:
            return SendOutcome(Fate.LATER, f"{self._path.name} cannot be written: {error.strerror}")
        finally:
            os.close(descriptor)
        return TAKEN

    def close(self) -> None:
        """Nothing is open."""


def _append(descriptor: int, body: bytes) -> None:
    """Write all bytes, or leave the file as it was: half a line would spoil it."""
    before = os.fstat(descriptor).st_size
    rest = memoryview(body)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, before)
        raise


def _lock(descriptor: int) -> None:
    """Keep other processes from appending meanwhile; Windows has no such lock, and there a file is of one process."""
    if sys.platform != "win32":
        # A lock of flock would be its child's as well where the process forks meanwhile, and end with neither.
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
