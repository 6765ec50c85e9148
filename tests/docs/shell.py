# SPDX-License-Identifier: Apache-2.0
"""Commands come in as one person types them into one shell; how each ended and what it printed goes out."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from lockgate.demo.router import free_port

ROOT = Path(__file__).resolve().parents[2]
# Longer than a command of a page waits by itself.
SECONDS = 180
# Pages name ports of this range; each shell puts free ones in their place, so that two may type a page at once.
PORT = re.compile(r"\b73[01]\d\b")
# Where a machine has no curl, one stands in that does what the pages ask of it.
CURL = f'#!/bin/sh\nexec {sys.executable} {ROOT / "tests" / "docs" / "curl.py"} "$@"\n'


def with_curl(path: str, folder: Path) -> str:
    """Return where programs are looked for, with curl, or what stands in for it, in a folder that is made."""
    folder.mkdir()
    if shutil.which("curl", path=path) is None:
        (folder / "curl").write_text(CURL, encoding="utf-8")
        (folder / "curl").chmod(0o700)
    return f"{path}{os.pathsep}{folder}"


class Shell:
    """One bash with nothing in its environment but what it is given; all that it began ends with it."""

    def __init__(self, folder: Path, path: str, given: Mapping[str, str]) -> None:
        self._folder, self._count = folder, 0
        self._ports: dict[str, str] = {}
        (folder / "home").mkdir()
        environment = {"HOME": str(folder / "home"), **given, "PATH": with_curl(path, folder / "bin")}
        self._codes, theirs = os.pipe()
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-s", str(theirs)],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            text=True,
            pass_fds=(theirs,),
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.wait()
        os.close(self._codes)
        assert self._bash.stdin is not None
        with suppress(BrokenPipeError):
            self._bash.stdin.close()

    def typed(self, text: str) -> tuple[int, str]:
        """Type a command, wait until the prompt is back, and return its exit code and what it printed."""
        self._count += 1
        printed = self._folder / f"printed-{self._count}"
        assert self._bash.stdin is not None
        self._bash.stdin.write(f"{{ {self.ported(text)}\n}} > {printed} 2>&1 < /dev/null; echo $? >&$1\n")
        self._bash.stdin.flush()
        code = self._code(time.monotonic() + SECONDS)
        output = printed.read_text(encoding="utf-8") if printed.exists() else ""
        assert code is not None, f"$ {text}\ndid not end, or ended the shell:\n{output}"
        return code, output

    def ported(self, text: str) -> str:
        """Return a text with a free port in place of each that it names."""
        return PORT.sub(lambda found: self._port(found[0]), text)

    def _port(self, name: str) -> str:
        while name not in self._ports:
            port = str(free_port())
            # A server that was told to end may still answer at its port when the next one begins.
            if port not in self._ports.values():
                self._ports[name] = port
        return self._ports[name]

    def _code(self, until: float) -> int | None:
        told = b""
        while not told.endswith(b"\n"):
            if not select.select([self._codes], [], [], max(0.0, until - time.monotonic()))[0]:
                return None
            told += os.read(self._codes, 16) or b"?\n"
        return int(told) if told[:-1].isdigit() else None
