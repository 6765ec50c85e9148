# SPDX-License-Identifier: Apache-2.0
"""Rendered text, streams and paths come in; what is written must be whole, fitting, and in its place."""

from __future__ import annotations

import errno
import io
import os
import stat
import tempfile
from pathlib import Path

import pytest

from lockgate.cli import output
from lockgate.errors import NotPermittedError, TryAgainError, UsageError


class Terminal(io.TextIOWrapper):
    """A stream that says that it is a terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        """Return true."""
        return True

    def written(self) -> bytes:
        """Return what was written."""
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue()


@pytest.mark.clause("CO-43")
@pytest.mark.parametrize(
    ("environment", "colour"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
    ],
)
def test_a_terminal_has_colour_unless_it_or_its_user_cannot(environment: dict[str, str], colour: bool) -> None:
    """NO_COLOR wins, then FORCE_COLOR, then what the terminal is."""
    assert output.screen_of(Terminal(), environment).colour is colour


@pytest.mark.clause("CO-43")
def test_what_is_piped_has_no_colour_and_a_steady_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log file reads the same wherever it was made."""
    monkeypatch.delenv("COLUMNS", raising=False)

    screen = output.screen_of(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), {"TERM": "xterm"})

    assert (screen.width, screen.colour, screen.unicode) == (output.PIPED_WIDTH, False, True)


@pytest.mark.clause("CO-43")
@pytest.mark.parametrize(("encoding", "unicode"), [("utf-8", True), ("latin-1", False), ("ascii", False)])
def test_a_stream_shows_what_it_can_encode(encoding: str, unicode: bool) -> None:
    """Anything but a full character set gets ASCII drawings."""
    assert output.screen_of(Terminal(encoding), {}).unicode is unicode


@pytest.mark.clause("CO-47")
def test_a_file_is_there_whole_with_the_usual_rights(tmp_path: Path) -> None:
    """A report is readable like any file that its user makes, and nothing else is left in the folder."""
    path = tmp_path / "report.html"

    output.save(path, "größer")

    assert path.read_text("utf-8") == "größer"
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~output._umask()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.clause("CO-47")
def test_a_failed_write_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full the old report is still there, and no half of a new one beside it."""
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(TryAgainError, match="No space left on device"):
        output.save(path, "new")

    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("report.html", "old")]


@pytest.mark.clause("CO-47")
def test_a_replaced_file_keeps_its_rights_and_a_link_stays_a_link(tmp_path: Path) -> None:
    """Writing through a link changes the file that it names."""
    path, link = tmp_path / "kept.html", tmp_path / "link.html"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)

    output.save(link, "new")

    assert link.is_symlink()
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o640)


@pytest.mark.clause("CO-41")
@pytest.mark.parametrize("name", ["missing/report.html", "."])
def test_a_place_that_cannot_be_written_is_usage(tmp_path: Path, name: str) -> None:
    """A folder that is not there, or is the path itself, is told with the path."""
    with pytest.raises(UsageError, match="cannot write"):
        output.save(tmp_path / name, "text")


@pytest.mark.clause("CO-41")
@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.EACCES, NotPermittedError), (errno.EROFS, NotPermittedError), (errno.ENOSPC, TryAgainError)],
)
def test_rights_and_room_are_told_apart(
    number: int, kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may not write needs other help than who has no room."""

    def refuse(**_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)

    with pytest.raises(kind, match=r"cannot write .*report\.html"):
        output.save(tmp_path / "report.html", "text")


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "PATIENCE_S", 0.0)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.clause("CO-50")
@pytest.mark.usefixtures("_impatient")
def test_a_long_read_draws_progress_on_a_terminal() -> None:
    """A person who waits sees how far it is, and the line goes away afterwards."""
    stream = Terminal()

    with output.progress_on(stream, wanted=True) as progress:
        progress(500, 1000)
        progress(1000, 1000)

    assert b"reading" in stream.written()


@pytest.mark.clause("CO-50")
@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize(("is_terminal", "wanted"), [(False, True), (True, False)])
def test_progress_stays_out_of_pipes_and_of_quiet_calls(is_terminal: bool, wanted: bool) -> None:
    """Nothing is drawn where nobody looks or nobody asked."""
    buffer = io.BytesIO()
    stream = Terminal() if is_terminal else io.TextIOWrapper(buffer, encoding="utf-8", write_through=True)

    with output.progress_on(stream, wanted=wanted) as progress:
        progress(500, 1000)

    assert (stream.written() if isinstance(stream, Terminal) else buffer.getvalue()) == b""
