# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; a process of `lockgate serve` on the store there goes out, until the block ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """Where it answers, with which headers, and which process it is."""

    host: str
    port: int
    headers: dict[str, str]
    process: int

    def cpu_s(self) -> float:
        """Return how many seconds of processor it has taken."""
        fields = Path(f"/proc/{self.process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(home: Path, *options: str) -> Iterator[Server]:
    """Serve a folder's store on a free port of this machine, without limits of rate."""
    command = [sys.executable, "-m", "lockgate", "serve", "--port", "0", "--rate", "0", "--run-rate", "0", *options]
    state = {"LOCKGATE_HOME": str(home), "LOCKGATE_STATE": str(home / "state")}
    process = subprocess.Popen(
        command, env={**os.environ, **state}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    watch = threading.Timer(SECONDS, process.kill)
    watch.start()
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        token = process.stdout.readline().strip()
        place = None
        while place is None:
            line = process.stderr.readline()
            if not line:
                raise RuntimeError(f"the server ended with {process.wait()}")
            place = re.search(r"answers at http://([^:]+):(\d+)", line)
        watch.cancel()
        # Nobody reads on: what it says must not fill a pipe.
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield Server(place[1], int(place[2]), {"authorization": f"Bearer {token}"}, process.pid)
    finally:
        watch.cancel()
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
