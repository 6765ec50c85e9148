# SPDX-License-Identifier: Apache-2.0
"""`lockgate compare --app-id`: docs/spec.md, Decoding and reading, Kept runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.doors.line import APP, BAD, GOOD, Door, write_runs

BOTH = ("compare", "-b", "v36", "-c", "abc123")


@pytest.fixture
def call(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Door:
    """Return the command line on a store that has kept runs of two releases, one of which fails."""
    monkeypatch.setenv("COLUMNS", "200")
    assert door("ingest", write_runs(tmp_path / "runs.ndjson", {"v36": GOOD, "abc123": BAD}, runs=400)) == 0
    return door


@pytest.mark.clause("BU-70")
def test_kept_runs_are_compared_by_app(call: Door, tmp_path: Path) -> None:
    """With the exit code, the table and the document of files."""
    documents = []
    for words in (["--app-id", APP], [tmp_path / "runs.ndjson"]):
        call(*BOTH, "--json", *words)
        documents.append(json.loads(call.out))
    document, from_files = documents

    code = call(*BOTH, "--app-id", APP, "--since", "2h")

    assert code == 1
    assert f"stored buckets of {APP}, of runs from" in call.out
    assert document["gates"] == from_files["gates"]
    assert (from_files["stored"], document["stored"]["app"]) == (None, APP)


@pytest.mark.clause("BU-71")
def test_a_page_says_how_to_ask_again(call: Door, tmp_path: Path) -> None:
    """The command in it names app and window."""
    page = tmp_path / "page.html"

    call(*BOTH, "--app-id", APP, "--since", "2h", "--quiet", "--report", page)

    again = f"lockgate compare --baseline v36 --candidate abc123 --app-id {APP} --since 2h"
    assert again in page.read_text("utf-8")


@pytest.mark.clause("BU-72")
@pytest.mark.parametrize(
    ("rest", "what"),
    [
        ([], "no runs are named"),
        (["--app-id", APP, "runs.ndjson"], "runs in files and kept runs are two comparisons"),
        (["--since", "2h", "runs.ndjson"], "--since is of kept runs"),
        (["--app-id", APP, "--since", "soon"], "is not a span of time"),
        (["--app-id", "claims"], "there is no app claims"),
    ],
)
def test_files_and_kept_runs_do_not_mix(call: Door, rest: list[str], what: str) -> None:
    """Each call says where its runs are."""
    code = call(*BOTH, *rest)

    assert (code, what in call.err) == (64, True)
