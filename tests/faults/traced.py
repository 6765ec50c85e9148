# SPDX-License-Identifier: Apache-2.0
"""A function and a system call come in; a process runs the function under strace, which lets that call fail or kill."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.faults.process import started

# What a process asks of a disk that holds stores and marks.
DISK = ("pwrite64", "write", "fdatasync", "fsync", "ftruncate", "unlink", "rename")
PATIENCE_S = 120.0


def _strace() -> str:
    found = shutil.which("strace")
    assert found is not None, "the lane of faults needs strace: `apt-get install -y strace`"
    return found


def is_stopped(pid: int) -> bool:
    """Say whether a process has stopped."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return stat.rpartition(")")[2].split()[0] in ("T", "t")


def _waiting(work: Callable[..., None], *arguments: object) -> None:
    """Stop until somebody has attached, then do something."""
    os.kill(os.getpid(), signal.SIGSTOP)
    work(*arguments)


def traced(options: list[str], work: Callable[..., None], *arguments: object) -> int:
    """Return how a process ends that does something under strace with some options."""
    process = started(_waiting, work, *arguments)
    pid = process.pid
    assert pid is not None
    until = time.monotonic() + PATIENCE_S
    while not is_stopped(pid):
        assert time.monotonic() < until
        time.sleep(0.002)
    command = [_strace(), "--follow-forks", "--attach", str(pid), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        assert "attached" in said, said
        os.kill(pid, signal.SIGCONT)
        process.join(PATIENCE_S)
        tracer.stderr.read()
    code = process.exitcode
    assert code is not None
    return code


def calls(log: Path, work: Callable[..., None], *arguments: object) -> Counter[str]:
    """Return how often something asks the disk for what."""
    assert traced([f"--trace={','.join(DISK)}", "--signal=none", f"--output={log}"], work, *arguments) == 0
    named = (line.split(None, 1)[-1].partition("(")[0] for line in log.read_text(encoding="utf-8").splitlines())
    return Counter(name for name in named if name in DISK)


def injected(call: str, fault: str, nth: int, work: Callable[..., None], *arguments: object) -> int:
    """Return how something ends whose n-th call of a kind kills it, or fails; a failing disk fails on."""
    when = f"{nth}" if fault.startswith("signal") else f"{nth}+"
    options = [f"--trace={call}", f"--inject={call}:{fault}:when={when}", "--output=/dev/null"]
    return traced(options, work, *arguments)
