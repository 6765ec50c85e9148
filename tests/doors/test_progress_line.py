# SPDX-License-Identifier: Apache-2.0
"""Something that takes long tells how far it is; a person must see of how many, in one line that fits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lockgate.cli.progress_line import ProgressLine
from tests.doors.line import Door
from tests.doors.terminal import bundle, rollout, show_at_once, watch_progress

__all__ = ["bundle", "rollout"]

pytestmark = pytest.mark.clause("LI-617")
RECEIPTS = 2


@pytest.mark.parametrize("command", ["export", "fsck", "verify", "verify files", "replay", "replay stored"])
def test_it_is_shown_of_how_many(
    door: Door, rollout: str, bundle: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """From the first one on up to the last."""
    watch_progress(monkeypatch)
    show_at_once(monkeypatch)
    saved = tmp_path / "saved"
    called: dict[str, list[object]] = {
        "export": ["--rollout", rollout, "-o", tmp_path / "again.zip"],
        "fsck": [],
        "verify": bundle,
        "verify files": [saved, *bundle[1:]],
        "replay": bundle[:1],
        "replay stored": [rollout],
    }

    assert door(command.split(maxsplit=1)[0], *called[command]) == 0, door.err

    shown = re.findall(r"(?:receipts|decisions): (\d+) of (\d+)", door.err)
    assert (shown[0], shown[-1]) == (("1", str(RECEIPTS)), (str(RECEIPTS), str(RECEIPTS)))


def test_what_was_not_shown_at_once_is_shown_together(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line has all that went on since the last; what is more than was expected is no share of it."""
    monkeypatch.setenv("COLUMNS", "80")
    watch_progress(monkeypatch)
    line = ProgressLine("checking", is_wanted=True)
    line.expect("receipts", 5_000)
    line.expect("buckets", 3)
    line.tell("decisions", 749)
    line.tell("buckets", 4)
    monkeypatch.setattr(line, "_next", 0.0)

    line.tell("receipts", 1_401)

    assert capsys.readouterr().err == "\r\x1b[Kchecking decisions: 749, buckets: 4, receipts: 1,401 of 5,000"


def test_a_narrow_terminal_has_one_line_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes on in a second one could not be taken away again."""
    monkeypatch.setenv("COLUMNS", "20")
    watch_progress(monkeypatch)
    show_at_once(monkeypatch)

    ProgressLine("checking", is_wanted=True).tell("decisions made again", 1_000)

    assert len(capsys.readouterr().err.removeprefix("\r\x1b[K")) < 20
