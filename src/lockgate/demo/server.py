# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; a server on a store there, which takes turns by itself, and what is asked of it go out."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lockgate.client import Client
from lockgate.client.environment import transport
from lockgate.client.transport import check
from lockgate.core.canonical import canonicalize
from lockgate.demo import scene
from lockgate.demo.mover import command_of
from lockgate.demo.router import HOST, free_port, kept, started, stopped
from lockgate.operations.bundle.saved_receipts import LOG_KEY, RECEIPT_KEY
from lockgate.report.screen import Screen

JSON = {"content-type": "application/json"}
# What the caller works with elsewhere is no business of this server, and an open server asks for no key.
NOTHING = {"LOCKGATE_URL": "", "LOCKGATE_STORE": "", "LOCKGATE_API_KEY": "", "LOCKGATE_ORG": ""}
NO_KEY = "none"
SECRET, APPLIED = "secret", "applied.json"


class Server:
    """`lockgate serve`, the example receiver of its webhooks, and a client of it; all is done over HTTP."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        port = free_port()
        self.url = f"http://{HOST}:{port}"
        command = [sys.executable, "-m", "lockgate", "serve", "--dev", "--port", str(port), "--tick-every", scene.TURN]
        places = {"LOCKGATE_HOME": str(folder / "home"), "LOCKGATE_STATE": str(folder / "state")}
        self._processes = [started(command, port, folder / "server.log", {**NOTHING, **places})]
        self.client = Client(self.url, NO_KEY, org="")
        self._transport = transport(self.url, NO_KEY, org="")

    def receive(self) -> None:
        """Declare a receiver of webhooks, and start it with the secret that is shown then."""
        port = free_port()
        made = self.client.create_webhook(f"http://{HOST}:{port}/", app_id=scene.APP)
        assert made["secret"] is not None  # the first answer has it
        secret = self._folder / SECRET
        secret.touch(mode=0o600)
        secret.write_text(made["secret"], encoding="ascii")
        files = ["--secret-file", str(secret), "--applied", str(self._folder / APPLIED)]
        called = [sys.executable, "-m", "lockgate.demo.receiver", "--host", HOST, "--port", str(port), *files]
        command = [*called, "--", *command_of(self._folder)]
        given = {"LOCKGATE_URL": self.url, "LOCKGATE_API_KEY": NO_KEY, "LOCKGATE_ORG": ""}
        self._processes.append(started(command, port, self._folder / "receiver.log", given))

    def receipts(self, rollout_id: str, after: int = 0) -> list[dict[str, Any]]:
        """Return the signed receipts after one, with their proofs."""
        found = [each["seq"] for each in self.client.receipts(rollout_id)]
        return [dict(self.client.receipt(rollout_id, seq)) for seq in found if seq > after]

    def look(self, rollout_id: str) -> dict[str, Any]:
        """Return where a rollout stands."""
        return dict(self.client.rollout(rollout_id))

    def view(self, rollout_id: str, screen: Screen) -> str:
        """Return a rollout as `lockgate show` draws it."""
        shown: dict[str, object] = {"width": screen.width, "colour": screen.colour, "unicode": screen.unicode}
        return str(self._post(f"/api/v1/rollouts/{rollout_id}/screens/show", {"screen": shown})["out"])

    def keep(self) -> list[int]:
        """Let both go on, and return the numbers of what ends them."""
        return [kept(each) for each in self._processes]

    def stop(self) -> None:
        """End both, unless they are kept."""
        self.client.close()
        self._transport.close()
        for each in reversed(self._processes):
            stopped(each)

    def _post(self, path: str, document: Mapping[str, object]) -> dict[str, Any]:
        return check(self._transport.call("POST", path, json.dumps(document).encode(), JSON)).document()


def files_of(receipts: list[dict[str, Any]]) -> dict[str, bytes]:
    """Return the files that `lockgate receipts --save` would write of what a server answered."""
    files: dict[str, bytes] = {}
    for each in receipts:
        name = f"receipt-{each['seq']}"
        # The envelope is one canonical text, so its bytes are those that were logged.
        files[f"{name}.json"] = canonicalize(each["receipt"])
        files[f"{name}.tlog-proof"] = each["proof"].encode()
        files[RECEIPT_KEY], files[LOG_KEY] = each["receipt_key"].encode(), each["log_key"].encode()
    return files
