# SPDX-License-Identifier: Apache-2.0
"""The ports of releases come in; a router on this machine, which splits requests over them by weight, goes out.

Weights are moved by another process, so all that moving needs stands in the router's folder.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from lockgate.demo.lifeline import KEEP
from lockgate.errors import UnreachableError

HOST = "127.0.0.1"
# Asked for this, a router answers the weights that it has, as JSON, by itself.
WEIGHTS = "/.weights"
START_S = 60.0
# A program that is asked to end is ended by what attends it, after STOP_S: whoever kills that leaves the program there.
END_S = 60.0
# Linux gives ports from 32768 on, others from 49152.
PORTS, TRIES = range(20_000, 32_768), 100
ADMINISTRATORS = os.pathsep.join(("/usr/local/sbin", "/usr/sbin"))


class Router(Protocol):
    """Something that routes requests."""

    @property
    def name(self) -> str:
        """Return what it is, for people."""
        ...

    def start(self, ports: Mapping[str, int]) -> int:
        """Begin to route to the ports of releases, everything to the first, and return the port to ask."""
        ...

    def move(self, shares: Mapping[str, int]) -> None:
        """Send each release its share, in percent; those without a share get nothing."""
        ...

    def weight(self, release: str) -> int:
        """Return the weight that it says itself a release has."""
        ...

    def keep(self) -> int | None:
        """Let it go on when this process ends, and return the number of the process that ends it, if it has one."""
        ...

    def stop(self) -> None:
        """End it, unless it is kept."""
        ...


def installed(name: str) -> str | None:
    """Return where a program of this machine is, also where only administrators look, as Debian has its routers."""
    return shutil.which(name) or shutil.which(name, path=ADMINISTRATORS)


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    # One that the system gives whoever asks for any may be given to somebody else before it is listened on.
    for port in (*random.SystemRandom().sample(PORTS, TRIES), 0):
        with suppress(OSError), socket.socket() as taken:
            taken.bind((HOST, port))
            return int(taken.getsockname()[1])
    raise UnreachableError(f"{HOST} has no port left", advice="End a program that holds many.")


def started(
    command: list[str], port: int, log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a program that ends when this process does, and return it when it listens."""
    attended = [sys.executable, "-m", "lockgate.demo.lifeline", *command]
    with log.open("wb") as told:
        process = subprocess.Popen(  # noqa: S603 -- a program of this machine
            attended,
            stdin=subprocess.PIPE,
            stdout=told,
            stderr=told,
            env={**os.environ, **(environment or {})},
            # A terminal that interrupts or closes reaches this process, whose end ends the program.
            start_new_session=True,
        )
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=START_S).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return process
    stopped(process)
    said = log.read_text(encoding="utf-8", errors="replace").strip()
    raise UnreachableError(
        f"{command[0]} does not listen: {said[-500:]}",
        advice="Where it is the router, `lockgate demo --router own` needs no other program.",
    )


def kept(process: subprocess.Popen[bytes]) -> int:
    """Let a program that was started go on when this process ends; SIGTERM to the number that is returned ends it."""
    assert process.stdin is not None
    process.stdin.write(KEEP)
    process.stdin.close()
    return process.pid


def stopped(process: subprocess.Popen[bytes]) -> None:
    """End a program that was started and is not kept, by force when it does not end when asked."""
    assert process.stdin is not None
    if process.stdin.closed:
        return
    process.stdin.close()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
