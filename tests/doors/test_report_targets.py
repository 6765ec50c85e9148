# SPDX-License-Identifier: Apache-2.0
"""Targets of a report that are no common files come in; the page is written, or the call refused."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from lockgate.cli import main, output
from lockgate.errors import UsageError

RUNS = Path(__file__).resolve().parents[2] / "examples" / "runs" / "clean.ndjson"


@pytest.mark.clause("CO-41")
def test_a_ring_of_links_is_a_mistake_of_the_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A target that leads to itself is refused before anything is read."""
    (tmp_path / "a.html").symlink_to(tmp_path / "b.html")
    (tmp_path / "b.html").symlink_to(tmp_path / "a.html")

    code = main.run(["compare", "-q", "-b", "v36", "-c", "abc123", "--report", str(tmp_path / "a.html"), str(RUNS)])

    assert code == 64
    assert "cannot write" in capsys.readouterr().err
    with pytest.raises(UsageError):
        output.save(tmp_path / "b.html", "page")


def test_a_pipe_without_a_path_takes_the_page() -> None:
    """What a shell hands over as `>(command)` leads to no path."""
    reading, writing = os.pipe()
    got: list[bytes] = []

    def read() -> None:
        with os.fdopen(reading, "rb") as stream:
            got.append(stream.read())

    reader = threading.Thread(target=read)
    reader.start()
    output.save(Path(f"/dev/fd/{writing}"), "page")

    os.close(writing)
    reader.join()
    assert got == [b"page"]


def test_the_longest_name_is_written(tmp_path: Path) -> None:
    """A name that a folder can hold is one that a report can have."""
    path = tmp_path / f"{'n' * 250}.html"

    output.save(path, "page")

    assert path.read_text() == "page"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.clause("CO-41")
def test_a_long_name_of_a_release_is_clipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A list of releases fits a screen, whatever they are called."""
    path = tmp_path / "runs.ndjson"
    path.write_text(f'{{"release":"{"r" * 900}","status":"ok"}}\n')

    code = main.run(["compare", "-b", "v36", "-c", "abc123", str(path)])

    assert code == 65
    assert f"{'r' * 60} (1 run)" in capsys.readouterr().err
