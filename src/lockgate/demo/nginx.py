# SPDX-License-Identifier: Apache-2.0
"""Ports and shares come in; nginx, which reads its configuration again for every move, goes out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lockgate.demo.router import HOST, WEIGHTS, free_port, installed, kept, started, stopped
from lockgate.demo.shares import asked_weights
from lockgate.errors import UnreachableError

CONFIG = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000;
  upstream releases {{
{servers}
    keepalive 64;
  }}
  server {{
    listen {host}:{port};
    location = {place} {{ default_type application/json; return 200 '{shares}'; }}
    location / {{
      proxy_pass http://releases;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream off;
    }}
  }}
}}
"""
PORTS = "nginx.json"
MOVE_S, AGAIN_S = 5.0, 0.01
# For a moment workers of both configurations accept connections.
ANSWERS = 10


class Nginx:
    """Nginx, moved by a new configuration and a signal."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._config = folder / "nginx.conf"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """Return its name."""
        return "nginx"

    def start(self, ports: Mapping[str, int]) -> int:
        """Start it with all weight on the first release."""
        port = free_port()
        (self._folder / PORTS).write_text(json.dumps({"port": port, "releases": dict(ports)}), encoding="utf-8")
        self._write({next(iter(ports)): 100})
        log = self._folder / "nginx.log"
        command = [installed("nginx") or "nginx", "-p", str(self._folder), "-e", str(log), "-c", str(self._config)]
        self._process = started(command, port, self._folder / "nginx.out")
        return port

    def move(self, shares: Mapping[str, int]) -> None:
        """Write the shares, have them read, and wait until they are answered by."""
        self._write(shares)
        os.kill(int((self._folder / "nginx.pid").read_text(encoding="ascii")), signal.SIGHUP)
        until, answers = time.monotonic() + MOVE_S, 0
        while answers < ANSWERS:
            is_read = asked_weights(self._known()["port"]) == dict(shares)
            answers = answers + 1 if is_read else 0
            if time.monotonic() > until:
                raise UnreachableError(f"nginx has not read its configuration within {MOVE_S:g} s")
            time.sleep(AGAIN_S)

    def weight(self, release: str) -> int:
        """Return what its configuration makes it answer."""
        return asked_weights(self._known()["port"]).get(release, 0)

    def keep(self) -> int | None:
        """Let it go on."""
        return None if self._process is None else kept(self._process)

    def stop(self) -> None:
        """End it, unless it is kept."""
        if self._process is not None:
            stopped(self._process)

    def _known(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self._folder / PORTS).read_text(encoding="utf-8"))
        return found

    def _write(self, shares: Mapping[str, int]) -> None:
        known = self._known()
        servers = "\n".join(
            f"    server {HOST}:{at} {f'weight={shares[name]}' if shares.get(name) else 'down'};"
            for name, at in known["releases"].items()
        )
        said, places = json.dumps(dict(shares)), {"folder": self._folder, "host": HOST, "place": WEIGHTS}
        text = CONFIG.format(**places, port=known["port"], servers=servers, shares=said)
        draft = self._config.with_suffix(".new")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._config)
