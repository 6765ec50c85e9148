# SPDX-License-Identifier: Apache-2.0
"""A function comes in; it runs in a process of its own, and how that ended goes out."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from lockgate import crash_point
from lockgate.cli.exit_codes import of_error
from lockgate.errors import LockgateError

# Processes come from a server that has loaded the program: it has no threads, and none of them starts anew.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.faults.steps"])
ROOT = Path(__file__).resolve().parents[2]
DONE, KILLED = 0, -signal.SIGKILL


def started(work: Callable[..., None], *arguments: object) -> BaseProcess:
    """Return a process that does something; it ends by a command's exit codes, and by 1 after what nobody explained."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if str(ROOT) not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, paths)])
    process = _CONTEXT.Process(target=_ended, args=(work, arguments))
    process.start()
    return process


def ended(work: Callable[..., None], *arguments: object) -> int:
    """Return how a process that does something ended."""
    process = started(work, *arguments)
    process.join()
    code = process.exitcode
    process.close()
    assert code is not None
    return code


def _ended(work: Callable[..., None], arguments: Sequence[Any]) -> None:
    try:
        work(*arguments)
    except LockgateError as error:
        sys.exit(of_error(error))
    except BaseException:  # noqa: BLE001 -- whatever it raises fails the test
        traceback.print_exc()
        sys.exit(1)


class Place:
    """The end of this process, when it reaches a point for the n-th time."""

    def __init__(self, name: str, nth: int) -> None:
        self._name = name
        self._left = nth

    def __call__(self, name: str) -> None:
        """Count, and end."""
        self._left -= name == self._name
        if self._left == 0 and name == self._name:
            os.kill(os.getpid(), signal.SIGKILL)


def killed_at(point: str, nth: int, work: Callable[..., None], *arguments: object) -> None:
    """Do something, and be killed when a point is reached for the n-th time."""
    crash_point.handle(Place(point, nth))
    work(*arguments)


def reached(path: Path, work: Callable[..., None], *arguments: object) -> None:
    """Do something, and write down the points that it reaches, in their order."""
    with path.open("w", encoding="utf-8") as file:
        crash_point.handle(lambda name: print(name, file=file))
        work(*arguments)
