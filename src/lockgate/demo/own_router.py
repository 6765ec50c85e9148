# SPDX-License-Identifier: Apache-2.0
"""Ports and shares come in; a small router of our own, for machines that have none, goes out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from lockgate.demo.router import HOST, WEIGHTS
from lockgate.demo.serving import END
from lockgate.demo.shares import asked_weights

SHARES, PORT = "shares.json", "port"
ASKED = f"GET {WEIGHTS} ".encode("ascii")
FRESH_S = 0.05
Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class OwnRouter:
    """Routes each request by itself; its shares are a file that it reads again while it runs."""

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._file, self._port = folder / SHARES, folder / PORT
        self._loop = loop
        self._server: asyncio.Server | None = None
        self._ports: dict[str, int] = {}
        self._shares: dict[str, int] = {}
        self._owed: dict[str, int] = {}
        self._read_at = 0.0

    @property
    def name(self) -> str:
        """Return its name."""
        return "its own small router"

    def start(self, ports: Mapping[str, int]) -> int:
        """Listen in the loop that traffic runs in."""
        assert self._loop is not None
        self._ports = dict(ports)
        self.move({next(iter(ports)): 100})
        self._server = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result()
        port = int(self._server.sockets[0].getsockname()[1])
        self._port.write_text(str(port), encoding="ascii")
        return port

    def move(self, shares: Mapping[str, int]) -> None:
        """Write the shares into the file."""
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(dict(shares)), encoding="utf-8")
        draft.replace(self._file)

    def weight(self, release: str) -> int:
        """Return what it answers, which it reads from the file at that moment and routes by from then on."""
        return asked_weights(int(self._port.read_text(encoding="ascii"))).get(release, 0)

    def keep(self) -> int | None:
        """Return nothing: it ends with the loop that traffic runs in."""
        return None

    def stop(self) -> None:
        """Take no more connections; those that are open end with the loop."""
        if self._server is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._server.close)

    async def _serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._relay, HOST, 0)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        links: dict[str, Link] = {}
        # Cancelled at the end: asyncio would print a trace of that for each connection.
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                request = await reader.readuntil(END)
                if request.startswith(ASKED):
                    writer.write(self._said())
                    break
                release = self._next()
                if release not in links:
                    links[release] = await asyncio.open_connection(HOST, self._ports[release])
                links[release][1].write(request)
                writer.write(await links[release][0].readuntil(END))
        for other in (writer, *(link[1] for link in links.values())):
            other.close()

    def _said(self) -> bytes:
        self._read()
        text = json.dumps(self._shares).encode("ascii")
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)

    def _next(self) -> str:
        """Return who is owed most, so that every hundred requests are split exactly."""
        if asyncio.get_running_loop().time() - self._read_at > FRESH_S:
            self._read()
        self._owed = {name: self._owed.get(name, 0) + share for name, share in self._shares.items()}
        release = max(self._owed, key=lambda name: self._owed[name])
        self._owed[release] -= sum(self._shares.values())
        return release

    def _read(self) -> None:
        self._read_at = asyncio.get_running_loop().time()
        self._shares = json.loads(self._file.read_text(encoding="utf-8"))
