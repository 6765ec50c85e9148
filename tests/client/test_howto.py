# SPDX-License-Identifier: Apache-2.0
"""The example of the how-to comes in; it runs as it is printed, against a server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lockgate.cli.main import COMMANDS
from tests.server.served import served
from tests.spec.line import world

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "remote.md"


@pytest.mark.clause("CL-01")
def test_the_example_of_the_how_to_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs, a rollout, a turn and a rollback: nothing raises, and the reason is printed."""
    block = re.search(r"```python file=\S+\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    with served(world()) as shop:
        monkeypatch.setenv("LOCKGATE_URL", str(shop.http.base_url))
        monkeypatch.setenv("LOCKGATE_API_KEY", shop.key("admin").token)

        exec(block[1], {})  # noqa: S102 -- it is the project's own page

    printed = capsys.readouterr().out
    assert printed.endswith(" False\n")
    assert len(printed.split()) > 3


@pytest.mark.clause("LG-41")
def test_the_how_to_says_of_every_command_where_it_happens() -> None:
    """Whoever sets LOCKGATE_URL finds each command in the table, and none that is not there."""
    rows = re.findall(r"^\| (`.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    named = set(re.findall(r"`([a-z-]+)", "\n".join(rows)))

    assert named == set(COMMANDS)
