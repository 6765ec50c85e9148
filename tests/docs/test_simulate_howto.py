# SPDX-License-Identifier: Apache-2.0
"""The Python of docs/howto/simulate.md comes in; the first block must run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_walk_runs_as_it_is_written(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A candidate that fails eight times as often is rolled back at the first weight."""
    page = (ROOT / "docs" / "howto" / "simulate.md").read_text(encoding="utf-8")
    block = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert block is not None
    monkeypatch.chdir(ROOT)

    exec(compile(block[1], "simulate.md", "exec"), {})  # noqa: S102 -- the block is the page's own

    assert capsys.readouterr().out.startswith("rolled_back 1.0 error_rate rose")
