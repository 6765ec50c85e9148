# SPDX-License-Identifier: Apache-2.0
"""The Python of the page about recording comes in; that it runs as it stands is held here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "recorder.md"


def _examples() -> list[str]:
    return [dedent(each) for each in re.findall(r"```python[^\n]*\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)]


@pytest.mark.clause("HO-08")
def test_the_page_s_examples_record_what_they_show(tmp_path: Path) -> None:
    """Each by itself, in a process with the page's variables."""
    found = []
    for number, example in enumerate(_examples()):
        call = "\nimport asyncio\nasyncio.run(answer('why?'))\n" if "def answer" in example else ""
        path = tmp_path / str(number)
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", example + call],
            env={"LOCKGATE_RUNS_FILE": str(path), "LOCKGATE_RELEASE": "v36"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert ran.stderr == ""
        found += [json.loads(line) for line in path.read_bytes().splitlines()]

    assert [run["app_id"] for run in found] == ["claims-agent"] * 4
    assert found[0]["scores"]["safe"]["evaluator"] == "guard"
    assert found[1]["labels"] == {"length": "short"}


@pytest.mark.clause("WH-310")
@pytest.mark.parametrize(("is_handled", "code", "kept"), [(True, 143, 1), (False, -15, 0)])
def test_the_page_s_handler_sends_what_waits_when_a_process_is_told_to_end(
    tmp_path: Path, *, is_handled: bool, code: int, kept: int
) -> None:
    """As Kubernetes and systemd tell it; without the handler the system ends it, and what waits is lost."""
    (example,) = (each for each in _examples() if "SIGTERM" in each)
    lines = [each for each in example.splitlines() if is_handled or not each.startswith("signal.")]
    told = "import os\nos.kill(os.getpid(), signal.SIGTERM)\nsignal.pause()\n"
    path = tmp_path / "runs"
    path.touch()

    ran = subprocess.run(
        [sys.executable, "-c", "\n".join([*lines, told])],
        env={"LOCKGATE_RUNS_FILE": str(path), "LOCKGATE_RELEASE": "v36"},
        check=False,
        timeout=60,
    )

    assert (ran.returncode, len(path.read_bytes().splitlines())) == (code, kept)
