# SPDX-License-Identifier: Apache-2.0
"""Patterns that go into folders come in; each file below is found once, and links lead nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.decoders.reading_files import GOOD, read

FILES = ("a.ndjson", "x/b.ndjson", "x/y/c.ndjson", "x/y/d.csv", ".hidden/e.ndjson", "w[1]/f.ndjson")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of files with many links to itself."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{GOOD}\n")
    for number in range(8):
        (tmp_path / f"link{number}").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.clause("BU-06")
@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("**/*.ndjson", ("a.ndjson", "w[1]/f.ndjson", "x/b.ndjson", "x/y/c.ndjson")),
        ("./**/*.ndjson", ("./a.ndjson", "./w[1]/f.ndjson", "./x/b.ndjson", "./x/y/c.ndjson")),
        ("x/**/*.ndjson", ("x/b.ndjson", "x/y/c.ndjson")),
        ("x/**/y/**/*.ndjson", ("x/y/c.ndjson",)),
        ("w*/**/*.ndjson", ("w[1]/f.ndjson",)),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_pattern_goes_through_no_link(pattern: str, names: tuple[str, ...]) -> None:
    """Folders that link to themselves have no bottom, and are entered only where they are named."""
    assert read(pattern).files == names


@pytest.mark.clause("BU-06")
def test_a_whole_path_may_hold_stars(folder: Path) -> None:
    """A pattern from the root gives names from the root."""
    assert read(f"{folder}/**/c.*").files == (f"{folder}/x/y/c.ndjson",)
