# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; a receiver of webhooks goes out, which verifies each and carries out what is not older.

What it carried out stands in the journal of its app.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lockgate.demo.router import HOST
from lockgate.webhooks import Applied, Order, WebhookError, verify

# Every so many-th answer says that it failed, after it was heard.
FAILING = 15


@dataclass
class Receiver:
    """What was carried out, by app; `secrets` are those of the webhooks that call it, `late` what came too late."""

    folder: Path
    suffix: str
    applied: Applied
    port: int = 0
    secrets: dict[str, str] = field(default_factory=dict)
    forged: list[str] = field(default_factory=list)
    heard: int = 0
    late: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, app: str) -> str:
        """Return where the messages of an app are sent."""
        return f"http://{HOST}:{self.port}/{app}"

    def hear(self, app: str, request: BaseHTTPRequestHandler) -> int:
        """Write a message down, and return the status of the answer."""
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        with self.lock:
            try:
                event = verify(request.headers, body, self.secrets[app])
            except WebhookError as error:
                self.forged.append(str(error))
                return 401
            self.heard += 1
            if self.applied.order_of(event) is Order.OLDER:
                self.late += 1
                return 204
            self.applied.record(event)
            with (self.folder / f"{app}.{self.suffix}").open("ab") as journal:
                journal.write(body + b"\n")
            return 500 if self.heard % FAILING == 0 else 204


@contextmanager
def receiving(folder: Path, suffix: str) -> Iterator[Receiver]:
    """Give a receiver that answers until the block ends."""
    receiver = Receiver(folder, suffix, Applied(folder / "applied.json"))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(receiver.hear(self.path.strip("/"), self))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library names it
            """Say nothing."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        server.daemon_threads = True
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
