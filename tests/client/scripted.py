# SPDX-License-Identifier: Apache-2.0
"""A list of answers comes in; a server that gives them one after another, and remembers what it was asked, goes out."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

# In place of a status: the connection is closed before anything is answered.
DROP = 0


@dataclass
class Script:
    """What is answered, in order, the last again and again; and what came: method, path, headers and body."""

    answers: list[tuple[int, dict[str, str], object]]
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


def _handler(script: Script) -> type[BaseHTTPRequestHandler]:
    """Return what answers by a script."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20
        told: ClassVar[Script] = script

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): text for name, text in self.headers.items()}
            self.told.asked.append((self.command, self.path, headers, body))
            status, more, document = self.told.answers[min(len(self.told.asked), len(self.told.answers)) - 1]
            if status == DROP:
                self.close_connection = True
                return
            data = json.dumps(document).encode()
            self.send_response(status)
            for name, text in {"content-type": "application/json", **more}.items():
                self.send_header(name, text)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 -- the names that the library calls

        def log_message(self, *_words: Any) -> None:
            """Say nothing."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_request: Any) -> None:
        """Say nothing: who does not trust the certificate hangs up."""


@contextmanager
def scripted(*answers: tuple[int, dict[str, str], object], tls: ssl.SSLContext | None = None) -> Iterator[Script]:
    """Serve a script on a free port of this machine."""
    script = Script(list(answers))
    server = _Server(("127.0.0.1", 0), _handler(script))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    script.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
