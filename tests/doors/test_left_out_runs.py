# SPDX-License-Identifier: Apache-2.0
"""Runs under known ids as somebody sends and sees them: docs/spec.md, The line, Runs."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.doors.line import APP, Door


@pytest.mark.clause("LI-464")
def test_a_file_that_hardly_counts_is_a_warning(door: Door, tmp_path: Path) -> None:
    """It says whose runs they were, and `runs`, `show` and `explain` say it again."""
    for name, status in (("first", "ok"), ("second", "error")):
        runs = [{"release": "v2", "run_id": str(number), "status": status} for number in range(20)]
        (tmp_path / f"{name}.ndjson").write_text("\n".join(map(json.dumps, runs)), encoding="utf-8")
    door("ingest", "--app-id", APP, tmp_path / "first.ndjson")
    rollout = door.read("create", "--app-id", APP, "--baseline", "v1", "--candidate", "v2", "--json")["id"]

    code = door("ingest", "--app-id", APP, tmp_path / "second.ndjson")

    assert (code, "20 runs left out" in door.out) == (0, True)
    assert (
        f"warning: 20 of 20 runs did not count, because other runs came before under their ids ({APP} v2 20)"
        in door.err
    )
    door("runs", "--app-id", APP, "--status", "error")
    assert door.out.count("[not counted: another run had its id]") == 20
    assert door.read("runs", "--app-id", APP, "--status", "error", "--json")["runs"][0]["counted"] is False
    door("show", rollout)
    assert "20 of v2, whose ids other runs had" in door.out
    door("explain", rollout)
    assert "20 runs of v2 came under ids that other runs had, and did not count" in door.out


@pytest.mark.clause("LI-550")
def test_a_log_that_grew_is_no_warning(door: Door, tmp_path: Path) -> None:
    """Its runs that came before are known again, and nothing says that they were lost."""
    log = tmp_path / "day.ndjson"
    lines = [
        json.dumps({"release": f"v{number % 2 + 1}", "run_id": str(number), "status": "ok", "flags": {"dark": "on"}})
        for number in range(40)
    ]
    log.write_text("\n".join(lines[:36]), encoding="utf-8")
    door("ingest", "--app-id", APP, log)
    rollout = door.read("create", "--app-id", APP, "--baseline", "v1", "--candidate", "v2", "--json")["id"]
    log.write_text("\n".join(reversed(lines)), encoding="utf-8")

    code = door("ingest", "--app-id", APP, log)

    assert (code, "Kept 4 runs" in door.out, "36 runs left out" in door.out, door.err) == (0, True, True, "")
    door("runs", "--app-id", APP, "--limit", "300")
    assert (len(door.out.splitlines()), "not counted" in door.out) == (40, False)
    door("show", rollout)
    assert "not counted" not in door.out
    door("explain", rollout)
    assert "did not count" not in door.out
    assert door("fsck") == 0


@pytest.mark.clause("LI-550")
def test_raw_runs_that_cannot_be_read_keep_none_from_being_kept(home: Path, door: Door) -> None:
    """What cannot be found among them did not come before, so that its runs are told as lost."""
    runs = [json.dumps({"release": "v1", "run_id": str(number), "status": "ok"}) for number in range(10)]
    (home / "day.ndjson").write_text("\n".join(runs[:9]), encoding="utf-8")
    door("ingest", "--app-id", APP, home / "day.ndjson")
    with closing(sqlite3.connect(home / "home" / "lockgate.db")) as file, file:
        assert file.execute("UPDATE held_segments SET body = x'00'").rowcount > 0
    (home / "day.ndjson").write_text("\n".join(runs), encoding="utf-8")

    code = door("ingest", "--app-id", APP, home / "day.ndjson")

    assert (code, "Kept 1 run" in door.out, "9 of 10 runs did not count" in door.err) == (0, True, True)


@pytest.mark.clause("LI-602")
def test_a_line_that_names_its_app_is_the_same_run_by_any_call(door: Door, tmp_path: Path) -> None:
    """It came once with an app named beside it and then without; one that names none is another app's there."""
    named = [json.dumps({"app_id": APP, "release": "v2", "run_id": str(each), "status": "ok"}) for each in range(20)]
    unnamed = [json.dumps({"release": "v2", "run_id": f"u{each}", "status": "ok"}) for each in range(20)]
    log, rest = tmp_path / "log.ndjson", tmp_path / "rest.ndjson"
    log.write_text("\n".join(named), encoding="utf-8")
    door("ingest", "--app-id", "other", log)
    log.write_text("\n".join(named[1:]), encoding="utf-8")

    code = door("ingest", log)

    assert (code, "18 runs left out" in door.out, door.err) == (0, True, "")

    # Under these ids the app has other runs; the same lines came, as runs of another app, beside one of its own.
    log.write_text("\n".join(unnamed).replace("ok", "error"), encoding="utf-8")
    door("ingest", "--app-id", APP, log)
    log.write_text("\n".join([*unnamed, named[0].replace('"0"', '"x"')]), encoding="utf-8")
    door("ingest", "--app-id", "other", log)
    rest.write_text("\n".join(unnamed), encoding="utf-8")
    door("ingest", "--app-id", APP, rest)
    assert "20 of 20 runs did not count" in door.err
