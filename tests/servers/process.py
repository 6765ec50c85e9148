# SPDX-License-Identifier: Apache-2.0
"""A folder and a port come in; a real `lockgate serve` goes out, to be killed, frozen and begun again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from lockgate.demo.router import HOST

# A start takes seconds, and many times as long where both processors are busy.
START_S, END_S = 180.0, 60.0


@dataclass
class Server:
    """One server; `home` holds its keys, and its store where `settings` name no other."""

    home: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    tick_every: str | None = "1s"
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Return where it answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of everything that is done on its machine."""
        own = {"LOCKGATE_HOME": str(self.home), "LOCKGATE_STATE": f"{self.home}-state", "HOME": str(self.home)}
        return {**os.environ, **own, **self.settings}

    def begin(self) -> None:
        """Start it and wait until it answers."""
        words = [] if self.tick_every is None else ["--tick-every", self.tick_every]
        self.home.mkdir(exist_ok=True, mode=0o700)
        with Path(f"{self.home}.log").open("ab") as log, Path(f"{self.home}.out").open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lockgate", "serve", "--host", HOST, "--port", str(self.port), *words],
                env=self.environment,
                stdout=out,
                stderr=log,
            )

    def wait(self) -> None:
        """Wait until it can serve; a server that ends instead fails here, by what it said."""
        ends = time.monotonic() + START_S
        while time.monotonic() < ends:
            assert self.process is not None
            assert self.process.poll() is None, self.said
            try:
                if httpx.get(f"{self.address}/readyz", timeout=10, trust_env=False).status_code == httpx.codes.OK:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{self.address} does not answer: {self.said}")

    @property
    def said(self) -> str:
        """Return what it said on standard error, over all its lives."""
        return Path(f"{self.home}.log").read_text(encoding="utf-8", errors="replace")

    @property
    def token(self) -> str:
        """Return the first key, which the server that was first printed."""
        return Path(f"{self.home}.out").read_text(encoding="utf-8").split("\n")[0]

    @property
    def is_running(self) -> bool:
        """Say whether the process is there, also when it is frozen."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End it by force, and wait until it is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(END_S)

    def freeze(self) -> None:
        """Let it do nothing until it is thawed."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """Ask it to end, and return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(END_S)

    def lockgate(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Call the command line on its machine."""
        call = [sys.executable, "-m", "lockgate", *map(str, words)]
        return subprocess.run(call, env=self.environment, capture_output=True, text=True, check=False, timeout=120)
