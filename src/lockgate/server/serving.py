# SPDX-License-Identifier: Apache-2.0
"""A host, a port and an application come in; they are served until the process is asked to end."""

from __future__ import annotations

import ipaddress
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from lockgate.errors import UsageError
from lockgate.server.connection import MOST, Connection

BACKLOG = 2_048
END_S = 10
# Longer than proxies keep idle connections, so that none sends a call into one that is just being closed.
IDLE_S = 75
# Files that are open beside connections.
OTHER_FILES = 200


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Open a socket that listens; who is first on a port has it."""
    try:
        opened = _opened(host, port)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"nothing can listen at {host} port {port}: {reason}", advice="Name another --host or --port."
        ) from error
    with opened:
        yield opened


def _opened(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    # Only of a socket that names its protocol does asyncio send small packets at once; else an answer takes 40 ms more.
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def address_of(listener: socket.socket) -> str:
    """Return the address at which a socket answers."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def is_loopback(listener: socket.socket) -> bool:
    """Say whether only this machine reaches a socket."""
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def server_of(app: Starlette, most: int | None = None) -> uvicorn.Server:
    """Return the server of an application, which ends calls that have begun before itself.

    At most so many connections are open; unless it is said, as many as the process may have beside its files.
    """
    config = uvicorn.Config(
        app,
        http=_bounded(most or _most()),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=END_S,
        timeout_keep_alive=IDLE_S,
    )
    return uvicorn.Server(config)


def _bounded(at_most: int) -> type[Connection]:
    class Bounded(Connection):
        most = at_most

    return Bounded


def _most() -> int:
    return max(OTHER_FILES // 2, min(MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - OTHER_FILES))


def serve(app: Starlette, listener: socket.socket) -> None:
    """Answer until the process is told to end by SIGINT or SIGTERM."""
    server = server_of(app)

    def end(*_: object) -> None:
        server.should_exit = True

    # uvicorn raises the signal once more when it has ended; that this was asked for is no failure.
    _on_end(end)
    server.run(sockets=[listener])


def end_when_asked() -> None:
    """Let SIGINT and SIGTERM end the process by 0 from now on, also while it is not serving yet."""

    def end(*_: object) -> None:
        raise SystemExit(0)

    _on_end(end)


def _on_end(handle: Callable[..., None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
