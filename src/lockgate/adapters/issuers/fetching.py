# SPDX-License-Identifier: Apache-2.0
"""The address of a public document comes in; its bytes go out, fetched by https and within bounds.

The name is resolved here, and what is called is the very address that was judged. No proxy is asked, and nothing is
followed. Time is bounded as a whole: a server that answers a byte at a time is cut off.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from lockgate.core.address import Address, Network, is_public, is_within, read_address
from lockgate.core.webhook_url import Target, read_url
from lockgate.errors import LockgateError, UnreachableError

SECONDS = 8.0
MAX_BYTES = 256 * 1024
ADVICE = "Private issuers are named in LOCKGATE_OIDC_ALLOW, as networks such as 10.1.0.0/16, where Lockgate runs."


class Fetch:
    """Fetches documents from the internet, and from networks that are allowed."""

    def __init__(
        self, allowed: tuple[Network, ...] = (), context: ssl.SSLContext | None = None, seconds: float = SECONDS
    ) -> None:
        self._allowed, self._context, self._seconds = allowed, context, seconds

    def __call__(self, url: str) -> bytes:
        """Return the document at an address; UnreachableError where there is none to be had."""
        try:
            target = read_url(url)
            if not target.is_secure:
                raise _failed(target, "it is not https")
            with self._answering(target) as answer:
                return _body(target, answer)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnreachableError(f"{url[:200]} did not answer: {_reason(error)}", advice="Try again.") from error
        except UnreachableError:
            raise
        except LockgateError as error:
            raise UnreachableError(f"{url[:200]} cannot be fetched: {error.message}", advice=ADVICE) from error

    @contextmanager
    def _answering(self, target: Target) -> Iterator[http.client.HTTPResponse]:
        address = self._address(target)
        plain = socket.create_connection((str(address), target.port), self._seconds)
        # Of a socket of its own, because one in TLS may be closed by its own thread alone.
        beside = plain.dup()
        watch = threading.Timer(self._seconds, _cut, [beside])
        watch.daemon = True
        watch.start()
        try:
            context = self._context or ssl.create_default_context()
            with context.wrap_socket(plain, server_hostname=target.host) as secure:
                connection = http.client.HTTPConnection(target.host, target.port)
                connection.sock = secure
                connection.request("GET", target.path, headers={"Host": target.name, "Accept": "application/json"})
                with closing(connection.getresponse()) as answer:
                    yield answer
        finally:
            watch.cancel()
            beside.close()
            plain.close()

    def _address(self, target: Target) -> Address:
        """Return where a host is; every one of its addresses must be one that may be called."""
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = [read_address(str(each[4][0])) for each in found]
        for address in addresses:
            if address is None or not (is_within(address, self._allowed) or is_public(address)):
                raise _failed(target, f"{address} is no address of the internet")
        if addresses[0] is None:
            raise _failed(target, "it has no address")
        return addresses[0]


def _body(target: Target, answer: http.client.HTTPResponse) -> bytes:
    if answer.status != http.client.OK:
        raise _failed(target, f"it answered {answer.status}")
    found = b""
    while piece := answer.read(MAX_BYTES + 1 - len(found)):
        found += piece
        if len(found) > MAX_BYTES:
            raise _failed(target, f"its document is larger than {MAX_BYTES:,} bytes")
    if answer.length:
        raise _failed(target, "its answer ended too early")
    return found


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _failed(target: Target, reason: str) -> UnreachableError:
    return UnreachableError(f"{target.name} gave no keys: {reason}", advice=ADVICE)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not verify: {error.verify_message}"
    return getattr(error, "strerror", None) or type(error).__name__
