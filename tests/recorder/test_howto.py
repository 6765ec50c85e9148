# SPDX-License-Identifier: Apache-2.0
"""The Python of the page about recording comes in; that it runs as it stands is held here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "recorder.md"


@pytest.mark.clause("HO-08")
def test_the_page_s_examples_record_what_they_show(tmp_path: Path) -> None:
    """Each by itself, in a process with the page's variables."""
    examples = re.findall(r"```python[^\n]*\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    found = []
    for number, example in enumerate(examples):
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

    assert [run["app_id"] for run in found] == ["claims-agent"] * 3
    assert found[0]["scores"]["safe"]["evaluator"] == "guard"
    assert found[1]["labels"] == {"length": "short"}
