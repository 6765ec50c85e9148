# SPDX-License-Identifier: Apache-2.0
"""Ports and shares come in; HAProxy, whose weights are moved while it runs, goes out."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lockgate.demo.router import HOST, free_port, installed, kept, started, stopped

CONFIG = """\
global
  stats socket {socket} mode 600 level admin
defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 5s
frontend door
  bind {host}:{port}
  default_backend releases
backend releases
  balance roundrobin
{servers}
"""


class Haproxy:
    """HAProxy, moved by its own commands on a socket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "haproxy.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """Return its name."""
        return "HAProxy"

    def start(self, ports: Mapping[str, int]) -> int:
        """Start it with all weight on the first release."""
        port, first = free_port(), next(iter(ports))
        servers = "\n".join(
            f"  server {name} {HOST}:{at} weight {100 if name == first else 0}" for name, at in ports.items()
        )
        config = self._folder / "haproxy.cfg"
        config.write_text(CONFIG.format(socket=self._socket, host=HOST, port=port, servers=servers), encoding="utf-8")
        command = [installed("haproxy") or "haproxy", "-db", "-f", str(config)]
        self._process = started(command, port, self._folder / "haproxy.log")
        return port

    def move(self, shares: Mapping[str, int]) -> None:
        """Set the weight of each server, of those that rise first: where all are 0 for a moment nobody is served."""
        before = self._weights()
        after = {**dict.fromkeys(before, 0), **shares}
        for name, share in sorted(after.items(), key=lambda each: before.get(each[0], 0) - each[1]):
            said = self._ask(f"set weight releases/{name} {share}")
            if said:
                raise OSError(f"HAProxy refuses the weight of {name}: {said}")

    def weight(self, release: str) -> int:
        """Return what HAProxy answers when it is asked."""
        return int(self._ask(f"get weight releases/{release}").split()[0])

    def keep(self) -> int | None:
        """Let it go on."""
        return None if self._process is None else kept(self._process)

    def stop(self) -> None:
        """End it, unless it is kept."""
        if self._process is not None:
            stopped(self._process)

    def _weights(self) -> dict[str, int]:
        rows = self._ask("show servers state releases").splitlines()
        return {name: int(weight) for name, weight in (row.split()[3:8:4] for row in rows[2:])}

    def _ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self._socket))
            link.sendall(f"{command}\n".encode("ascii"))
            return b"".join(iter(lambda: link.recv(65_536), b"")).decode("ascii").strip()
