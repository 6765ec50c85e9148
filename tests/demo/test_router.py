# SPDX-License-Identifier: Apache-2.0
"""Programs that do not serve come in; starting them must end, say why, and leave nothing running."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from lockgate.demo import router
from lockgate.demo.router import free_port, kept, started, stopped
from lockgate.errors import UnreachableError


@pytest.mark.clause("LI-161")
def test_a_router_that_does_not_start_is_told(tmp_path: Path) -> None:
    """What it said itself is in the message, and the advice is the router that needs no other program."""
    program = [sys.executable, "-c", "import sys; sys.exit('no such option')"]

    with pytest.raises(UnreachableError, match="does not listen: no such option") as caught:
        started(program, free_port(), tmp_path / "log")

    assert "--router own" in caught.value.advice


@pytest.mark.clause("LI-630")
def test_a_port_that_is_free_is_given_to_nobody_else() -> None:
    """Whoever asks the system for any port gets another one, so that it is free still when it is listened on."""
    ports = [free_port() for _ in range(20)]
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])

    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", port))) for port in set(ports)]
        beyond = [free_port() for _ in range(20)]

    assert len(held) > 1
    assert not {*beyond} & {*ports}
    assert max(*ports, *beyond) < low


# Says where it serves and by which process, and does not end when it is asked to, as a busy router may not.
SERVES = """
import os, signal, socket, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN if "--deaf" in sys.argv else signal.SIG_DFL)
with open(sys.argv[2], "w") as place:
    place.write(str(os.getpid()))
served = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    served.accept()
"""
STARTS = """
import sys, time
from pathlib import Path
from lockgate.demo.router import started
port, name = int(sys.argv[1]), sys.argv[2]
started([sys.executable, "-c", sys.argv[3], str(port), name], port, Path(name + ".log"))
print("started", flush=True)
time.sleep(60)
"""


def is_running(process: int) -> bool:
    """Say whether there is a process of a number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def is_gone(process: int) -> bool:
    """Wait until a process has ended, for a bounded time."""
    until = time.monotonic() + 60
    while is_running(process) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_running(process)


@pytest.mark.clause("LI-336")
def test_a_router_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """Also when that is killed and can say nothing to anybody."""
    place = tmp_path / "served"
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTS, str(free_port()), str(place), SERVES], stdout=subprocess.PIPE
    )
    assert starter.stdout is not None
    assert starter.stdout.readline() == b"started\n"
    router = int(place.read_text(encoding="ascii"))

    starter.send_signal(signal.SIGKILL)
    starter.communicate()

    assert is_gone(router)


@pytest.mark.clause("LI-336")
@pytest.mark.parametrize("words", [(), ("--deaf",)])
def test_a_router_that_is_stopped_has_ended(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Whether it ends when asked, or must be made to."""
    port, place = free_port(), tmp_path / "served"
    process = started([sys.executable, "-c", SERVES, str(port), str(place), *words], port, tmp_path / "log")

    stopped(process)

    assert process.returncode is not None
    assert is_gone(int(place.read_text(encoding="ascii")))


KEEPS = """
import sys
from pathlib import Path
from lockgate.demo.router import kept, started
port, name = int(sys.argv[1]), sys.argv[2]
print(kept(started([sys.executable, "-c", sys.argv[3], str(port), name], port, Path(name + ".log"))))
"""


@pytest.mark.clause("LC-62")
def test_a_program_that_is_kept_goes_on_until_it_is_told_to_end(tmp_path: Path) -> None:
    """Whoever started it has ended by then; one number ends it and what attends it."""
    place = tmp_path / "served"
    words = [sys.executable, "-c", KEEPS, str(free_port()), str(place), SERVES]
    number = int(subprocess.run(words, capture_output=True, check=True).stdout)
    served = int(place.read_text(encoding="ascii"))
    was_running = is_running(served)

    os.kill(number, signal.SIGTERM)

    assert (was_running, is_gone(served), is_gone(number)) == (True, True, True)


def test_a_program_that_is_kept_is_not_stopped(tmp_path: Path) -> None:
    """What stops everything at the end leaves it be."""
    port, place = free_port(), tmp_path / "served"
    process = started([sys.executable, "-c", SERVES, str(port), str(place)], port, tmp_path / "log")

    number = kept(process)
    stopped(process)

    assert process.poll() is None
    os.kill(number, signal.SIGTERM)
    process.wait(60)
    assert is_gone(int(place.read_text(encoding="ascii")))


@pytest.mark.clause("LC-67")
def test_a_router_is_found_where_only_administrators_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian keeps HAProxy and nginx in a folder that ordinary users do not have on their path."""
    program = tmp_path / "haproxy"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(router, "ADMINISTRATORS", str(tmp_path))

    assert router.installed("haproxy") == str(program)
    assert router.installed("no-such-router") is None
