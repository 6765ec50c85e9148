# SPDX-License-Identifier: Apache-2.0
"""The ports of servers come in; a real HAProxy in front of them goes out, by the configuration that the docs show."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lockgate.demo.router import HOST, free_port, started, stopped

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto" / "high-availability.md"
BLOCK = re.compile(r"^```haproxy\n(.*?)^```", re.MULTILINE | re.DOTALL)
BIND, SERVER = re.compile(r"^  bind .*$", re.MULTILINE), re.compile(r"^(  server \w+) \S+$", re.MULTILINE)


def configuration(front: int, ports: Sequence[int]) -> str:
    """Return what the docs show, on this machine's ports and without the certificate that is not here."""
    blocks = BLOCK.findall(HOWTO.read_text(encoding="utf-8"))
    assert len(blocks) == 1
    shown, binds = BIND.subn(f"  bind {HOST}:{front}", blocks[0])
    left = iter(ports)
    there, servers = SERVER.subn(lambda found: f"{found[1]} {HOST}:{next(left)}", shown)
    assert (binds, servers) == (1, len(ports))
    return there


@contextmanager
def balanced(folder: Path, ports: Sequence[int]) -> Iterator[str]:
    """Give the address at which HAProxy answers for servers, until the block ends."""
    program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.fail("HAProxy is not installed; see `apt-get install haproxy`", pytrace=False)
    front, config = free_port(), folder / "haproxy.cfg"
    config.write_text(configuration(front, ports), encoding="utf-8")
    process = started([program, "-db", "-f", str(config)], front, folder / "haproxy.log")
    try:
        yield f"http://{HOST}:{front}"
    finally:
        stopped(process)
