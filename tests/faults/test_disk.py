# SPDX-License-Identifier: Apache-2.0
"""Every request to the disk that one tick and one ingest make comes in; each may kill the process, fail, or be full."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from tests.faults import steps
from tests.faults.process import DONE, KILLED, ended
from tests.faults.traced import calls, injected

pytestmark = pytest.mark.faults
FAULTS = ("signal=SIGKILL", "error=EIO", "error=ENOSPC")
TOLD = {exit_codes.UNREACHABLE.code, exit_codes.TRY_AGAIN.code}
# In the short form so many of the requests of each kind are tried, evenly spread, the first and the last among them.
SAMPLE = 3


def _places(number: int, *, is_all: bool) -> list[int]:
    if is_all or number <= SAMPLE:
        return list(range(1, number + 1))
    return sorted({round(1 + part * (number - 1) / (SAMPLE - 1)) for part in range(SAMPLE)})


@pytest.fixture(scope="module", params=["promote", "ingest first"])
def step(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Return a step, and the folder of the store that it is done to."""
    home = tmp_path_factory.mktemp("home")
    for each in steps.LIFE:
        if each.name == request.param:
            break
        assert ended(steps.do, home, each.name) == DONE
    yield request.param, home
    shutil.rmtree(home)


@pytest.mark.clause("LI-132")
def test_a_disk_that_fails_at_any_request_loses_nothing_that_was_told(
    step: tuple[str, Path], tmp_path: Path, seconds: Callable[[float, float], float], count: Callable[[str, int], None]
) -> None:
    """What was answered is on disk, what was not is whole or absent, what fails says so, and a retry mends it."""
    name, home = step
    shutil.copytree(home, tmp_path / "whole")
    before = steps.standing(shutil.copytree(home, tmp_path / "before"))
    asked = calls(tmp_path / "log", steps.do, tmp_path / "whole", name)
    after = steps.standing(tmp_path / "whole")
    assert {"pwrite64", "fdatasync"} <= set(asked)

    ends = set()
    for call, number in asked.items():
        for fault in FAULTS:
            for nth in _places(number, is_all=seconds(0, 1) > 0):
                moment = f"{name}: {call} {nth} of {number}: {fault}"
                copy = tmp_path / "copy"
                shutil.copytree(home, copy)

                code = injected(call, fault, nth, steps.do, copy, name)

                ends.add(code)
                assert code in ({KILLED} if fault.startswith("signal") else {DONE, *TOLD}), moment
                assert steps.flaws(copy) == [], moment
                left = steps.standing(copy)
                assert left == after if code == DONE else left in (before, after), moment
                assert ended(steps.do, copy, name) == DONE, moment
                assert (steps.flaws(copy), steps.standing(copy)) == ([], after), moment
                shutil.rmtree(copy)
                count("requests to the disk that killed or failed", 1)
    assert {KILLED, exit_codes.UNREACHABLE.code} <= ends
