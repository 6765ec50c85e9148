# SPDX-License-Identifier: Apache-2.0
"""The command of a server comes in; it runs until the block ends, and where it answers goes out."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Running:
    """A server that answers: at which URL, and the key that it printed (empty where it printed none)."""

    url: str
    key: str

    @property
    def environment(self) -> dict[str, str]:
        """Return what a client of it needs."""
        return {"LOCKGATE_URL": self.url, "LOCKGATE_API_KEY": self.key}


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Iterator[Running]:
    """Run a server on a free port; it must end by 0 when it is told to."""
    said = folder / "said.txt"
    with (folder / "key.txt").open("wb") as out, said.open("wb") as err:
        process = subprocess.Popen([*command, "--port", "0"], env={**os.environ, **environment}, stdout=out, stderr=err)
    try:
        yield Running(_address(process, said), (folder / "key.txt").read_text(encoding="ascii").strip())
    finally:
        process.terminate()
        code = process.wait(60)
    assert code == 0, said.read_text(encoding="utf-8")


def _address(process: subprocess.Popen[bytes], said: Path) -> str:
    for _ in range(600):
        found = re.search(r"answers at (http://\S+)", said.read_text(encoding="utf-8"))
        if found:
            return re.sub(r"//(0\.0\.0\.0|\[::\])", "//127.0.0.1", found[1])
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError(f"the server does not answer: {said.read_text(encoding='utf-8')}")
