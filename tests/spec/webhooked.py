# SPDX-License-Identifier: Apache-2.0
"""A world comes in; real receivers on this machine that its webhooks are sent to, and what they were sent, go out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lockgate.adapters.outgoing.resolving import Names
from lockgate.adapters.webhooks.secret_box import KEY_FILE, SecretBox, make_key
from lockgate.adapters.webhooks.sender import Sender
from lockgate.core.address import read_networks
from lockgate.core.webhook_url import Reach
from lockgate.operations.webhooks.webhooks import Shared, WebhookOrder, create_webhook
from lockgate.ports.webhooks import Receivers
from lockgate.testing.world import World
from tests.spec.operators import ANN

LOOPBACK = Reach(allowed=read_networks("127.0.0.0/8"))


@dataclass(frozen=True, slots=True)
class Came:
    """One request as a receiver read it."""

    path: str
    headers: dict[str, str]
    body: bytes


def _accept(came: Came) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, b"thanks"


@dataclass(slots=True)
class Listener:
    """A receiver on this machine: `answer` says what each request is answered, `came` what was sent."""

    url: str = ""
    answer: Callable[[Came], tuple[int, dict[str, str], bytes]] = _accept
    came: list[Came] = field(default_factory=list)

    def waited(self, count: int) -> list[Came]:
        """Return what came, once that is so many."""
        for _ in range(2_000):
            if len(self.came) >= count:
                return self.came
            time.sleep(0.005)
        raise AssertionError(f"{len(self.came)} came, {count} were waited for")


@contextmanager
def listening() -> Iterator[Listener]:
    """Answer on a free port of this machine until the block ends."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            came = Came(self.path, {name.lower(): text for name, text in self.headers.items()}, body)
            code, headers, said = listener.answer(came)
            # Whoever reads the answer may look at once at what came.
            listener.came.append(came)
            self.send_response(code)
            for name, text in {**headers, "content-length": str(len(said))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        listener.url = f"http://127.0.0.1:{server.server_port}/hook"
        try:
            yield listener
        finally:
            server.shutdown()
            thread.join(10)


def sender(here: World, folder: Path, reach: Reach = LOOPBACK, names: Names | None = None) -> Sender:
    """Return a sender with its key in a folder, by a world's clock."""
    if not (folder / KEY_FILE).exists():
        make_key(folder)
    return Sender(SecretBox(folder), reach, here.clock, names=names)


def hooked(here: World, receivers: Receivers, url: str, **order: Any) -> Shared:
    """Declare a webhook."""
    return create_webhook(WebhookOrder(url=url, **order), ANN, here.house, receivers)
