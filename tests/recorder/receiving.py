# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; a real server that takes runs, or one that answers by a script, goes out, with what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lockgate.ports.house import House
from lockgate.server.app import Service, make_app
from lockgate.server.serving import address_of, listening, server_of
from lockgate.wiring import local_house, run_batches


@dataclass(frozen=True)
class Kept:
    """The address of a server, and what its store has kept."""

    url: str
    house: House

    def runs(self) -> list[dict[str, Any]]:
        """Return every run that is kept, in no order."""
        with self.house.store.reading(self.house.org) as seen:
            batches = seen.segments_before(1 << 62, (0, ""), 10_000)
            bodies = [seen.segment(digest) or b"" for _, digest in batches]
        return [json.loads(line) for body in bodies for line in body.splitlines()]

    def counted(self, app: str) -> int:
        """Return how many runs of an app count; a minute may have ended between two batches, and sealed a slot."""
        with self.house.store.reading(self.house.org) as seen:
            return sum(cell.bucket.runs for cell in seen.cells(app, 0, 1_000))


@contextmanager
def receiving(folder: Path, *, is_open: bool = True) -> Iterator[Kept]:
    """Serve a store in a folder on a free port of this machine."""
    house = local_house(folder)
    service = Service(house=house, batches=run_batches(), is_open=is_open)
    with listening("127.0.0.1", 0) as listener:
        server = server_of(make_app(service))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield Kept(address_of(listener), house)
        finally:
            server.should_exit = True
            thread.join(20)


@dataclass
class Scripted:
    """A server that answers by a script, the last of it forever; None takes the call and answers nothing."""

    script: Sequence[int | None]
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def next_status(self) -> int | None:
        """Return the status of the call that was just told."""
        return self.script[min(len(self.bodies), len(self.script)) - 1]

    def lines(self) -> list[dict[str, Any]]:
        """Return every run that was sent."""
        return [json.loads(line) for body in self.bodies for line in body.splitlines()]


@contextmanager
def answering(*script: int | None) -> Iterator[Scripted]:
    """Answer calls by a script on a free port of this machine."""
    told = Scripted(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            told.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            told.headers.append(dict(self.headers))
            status = told.next_status()
            if status is None:
                self.close_connection = True
                return
            said = json.dumps({"type": "urn:x", "detail": "line 1: it is\nwrong"}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join(20)
