# SPDX-License-Identifier: Apache-2.0
"""Every actuator comes in; it must keep the contract of actuators."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lockgate.core.endpoint import Endpoint, Kind
from lockgate.ports.actuator import Actuator
from lockgate.testing.actuator_contract import ActuatorContract, Behaviour
from lockgate.wiring import actuators

KEEPS = """
import sys, pathlib
count = len(list(pathlib.Path().glob("*.told")))
pathlib.Path(f"{count:03d}.told").write_bytes(sys.stdin.buffer.read())
"""
PROGRAMS = {
    Behaviour.CARRIES_OUT: KEEPS,
    Behaviour.READS_BACK: KEEPS + """print('shifted\\n{"weight": 25}')\n""",
    Behaviour.REFUSES: "import sys\nsys.exit('no such backend')\n",
    Behaviour.IS_SILENT: "import time\ntime.sleep(60)\n",
    Behaviour.IS_NOT_THERE: "",
    Behaviour.TALKS: KEEPS + "print('x' * 10_000_000)\nprint('y' * 10_000_000, file=sys.stderr)\n",
    Behaviour.READS_GARBAGE: KEEPS + """print('{"weight": 250}')\n""",
}


@pytest.mark.clause("LI-93")
class TestCommand(ActuatorContract):
    """Programs of this machine."""

    def actuator(self) -> Actuator:
        """Return the runner of programs."""
        return actuators()[Kind.COMMAND]

    def endpoint(self, behaviour: Behaviour, folder: Path) -> Endpoint:
        """Return a program that behaves in one way."""
        argv = (sys.executable, "-c", PROGRAMS[behaviour])
        if behaviour is Behaviour.IS_NOT_THERE:
            argv = (str(folder / "nothing.sh"), "", "")
        return Endpoint(id="end_1", app="web", kind=Kind.COMMAND, argv=argv, folder=str(folder), since=0)

    def received(self, folder: Path) -> list[bytes]:
        """Return what the program was given."""
        return [path.read_bytes() for path in sorted(folder.glob("*.told"))]
