# SPDX-License-Identifier: Apache-2.0
"""Releases, and the port of a router, come in; requests flow through it, and the runs that they became go out.

Services and clients share one thread and one event loop, so that the demonstration needs no more than this process.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter, deque
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import closing, suppress
from functools import partial

from lockgate.demo.scene import Behaviour
from lockgate.demo.serving import END, Answered, Connection, Serving

HOST = "127.0.0.1"
REQUEST = b"GET /claim HTTP/1.1\r\nHost: claims-agent\r\n\r\n"
CLIENTS = 64
# After a router has closed a connection, as nginx does when it reloads.
AGAIN_S = 0.02
END_S = 60.0


class Traffic:
    """Services that answer and clients that ask, until it is stopped."""

    def __init__(self, behaviours: Mapping[str, Behaviour], seed: int) -> None:
        self._answered: deque[Answered] = deque()
        self._services = {
            name: Serving(name, behaviour, seed, self._answered) for name, behaviour in behaviours.items()
        }
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._servers: list[asyncio.Server] = []
        self._open: set[Connection] = set()
        self._flow: Future[None] | None = None
        self.ports = asyncio.run_coroutine_threadsafe(self._serve(), self.loop).result()
        self.requests = 0

    def flow(self, port: int, rate: int) -> None:
        """Send so many requests a second to a port of this machine."""
        # A loop does not keep what runs in it; this does.
        self._flow = asyncio.run_coroutine_threadsafe(_flow(port, rate), self.loop)

    def take(self, app: str) -> tuple[bytes, Counter[str]]:
        """Return the runs since the last call, one a line, and how many there were of each release."""
        runs = [self._answered.popleft() for _ in range(len(self._answered))]
        self.requests += len(runs)
        body = "".join(json.dumps(run.document(app)) + "\n" for run in runs)
        return body.encode("ascii"), Counter(run.release for run in runs)

    def stop(self) -> None:
        """End all connections and the thread."""
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _serve(self) -> dict[str, int]:
        ports = {}
        for name, service in self._services.items():
            server = await self.loop.create_server(partial(Connection, service, self._open), HOST, 0)
            self._servers.append(server)
            ports[name] = int(server.sockets[0].getsockname()[1])
        return ports

    async def _end(self) -> None:
        if self._flow is not None:
            self._flow.cancel()
        # Without clients and services each relay ends by itself. It is not cancelled, and no server closes before: a
        # connection that is only just accepted would be closed by nobody.
        until = self.loop.time() + END_S
        while (self._open or len(asyncio.all_tasks()) > 1) and self.loop.time() < until:
            for connection in tuple(self._open):
                connection.end()
            await asyncio.sleep(AGAIN_S)
        for server in self._servers:
            server.close()


async def _flow(port: int, rate: int) -> None:
    begin = asyncio.get_running_loop().time()
    await asyncio.gather(*(_client(port, begin + number / rate, CLIENTS / rate) for number in range(CLIENTS)))


async def _client(port: int, due: float, pause: float) -> None:
    """Ask at even times, over one connection as long as it lasts; an answer that is late delays the next question."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            reader, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            await asyncio.sleep(AGAIN_S)
            continue
        with suppress(OSError, asyncio.IncompleteReadError), closing(writer):
            while True:
                await asyncio.sleep(max(0.0, due - loop.time()))
                # Time that was lost is not made up for in a burst.
                due = max(due, loop.time() - pause) + pause
                writer.write(REQUEST)
                await reader.readuntil(END)
