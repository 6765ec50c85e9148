# SPDX-License-Identifier: Apache-2.0
"""The generated page of messages comes in; what commands say when they fail must stand on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lockgate.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "messages.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+?) \| (.*?) \|$", PAGE, re.MULTILINE)


@pytest.mark.clause("LI-169")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["create", "--app-id", "a b", "-b", "v1", "-c", "v2"], 64),
        (["create", "--app-id", "a", "-b", "v1", "-c", "v1"], 64),
        (["show", "rol_x"], 64),
        (["tick"], 64),
        (["ingest", "nothing.ndjson"], 64),
        (["compare", "-b", "v1", "-c", "v2", "--json", "--quiet", "runs.ndjson"], 64),
    ],
)
def test_a_message_stands_on_the_page_under_its_code(
    words: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever looks a message up finds what it means for a script, and what to do."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    answered = main.run(words)

    said = capsys.readouterr().err.splitlines()[0].removeprefix("error: ")
    section = PAGE.split(f"## {code} ")[1].split("\n## ")[0]
    found = [text for text, _ in ROWS if re.fullmatch(".+".join(map(re.escape, text.split("…"))), said)]
    assert answered == code
    assert found
    assert f"| {found[0]} |" in section
