# SPDX-License-Identifier: Apache-2.0
"""A program with its arguments comes in; it runs until it ends, or whoever started it does, and its exit code goes out.

It is run as `python -m lockgate.demo.lifeline PROGRAM ARGUMENT...` with a pipe as standard input, which ends when the
process at its other end does, also by SIGKILL: neither HAProxy nor nginx would notice. What it cannot survive is to be
killed by force itself. Whoever writes `keep` before the end lets the program go on, until this process is told to end.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

STOP_S = 5.0
KEEP = b"keep"


def main(command: Sequence[str]) -> int:
    """Run a program for as long as standard input is open."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 -- a router of this machine
    # A terminal interrupts everything in it; here the end of the pipe decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    threading.Thread(target=_end_with_input, args=(process,), daemon=True).start()
    return process.wait()


def _end_with_input(process: subprocess.Popen[bytes]) -> None:
    if sys.stdin.buffer.read() == KEEP:
        return
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
