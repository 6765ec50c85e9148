# SPDX-License-Identifier: Apache-2.0
"""A check that takes long shows how far it is, to a person only: docs/spec.md, Soundness."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.doors.line import APP, Door
from tests.doors.terminal import show_at_once, watch_progress


@pytest.fixture
def kept(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Door:
    """Return a door to a store with a batch in it, where every count is shown."""
    file = tmp_path / "runs.ndjson"
    file.write_text('{"release": "v1", "status": "ok"}\n', encoding="utf-8")
    door("ingest", "--app-id", APP, file)
    show_at_once(monkeypatch)
    return door


@pytest.mark.clause("LI-576")
def test_a_check_on_a_terminal_counts_what_it_has_looked_at(kept: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line that is taken away when the check is over; the answer is on standard output as ever."""
    watch_progress(monkeypatch)

    code = kept("fsck")

    shown = re.findall(r"checking ([a-z ]+): (\d+)", kept.err)
    assert code == 0
    assert {("buckets", "1"), ("batches", "1")} <= set(shown)
    assert kept.err.endswith("\r\x1b[K")
    assert "\n" not in kept.err
    assert "checking" not in kept.out


@pytest.mark.clause("LI-576")
@pytest.mark.parametrize(("is_terminal", "words"), [(False, ()), (True, ("--json",))])
def test_a_program_is_shown_no_progress(
    kept: Door, monkeypatch: pytest.MonkeyPatch, is_terminal: bool, words: tuple[str, ...]
) -> None:
    """Neither where standard error is a file, nor where JSON was asked for."""
    watch_progress(monkeypatch, is_terminal=is_terminal)

    kept("fsck", *words)

    assert kept.err == ""
