# SPDX-License-Identifier: Apache-2.0
"""The same files come in on machines that are set up differently; the same bytes must go out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lockgate.testing.run_files_contract import sample_runs
from tests.contracts.run_writers import write_csv, write_ndjson, write_parquet
from tests.environments import ELSEWHERE, HERE

SCRIPT = """
import sys
from lockgate.core.canonical import canonicalize
from lockgate.testing.run_files_contract import QUESTION
from lockgate.wiring import run_files

for paths in (*([path] for path in sys.argv[1:]), sys.argv[1:]):
    intake = run_files().read(paths, QUESTION, lambda done, total: None)
    document = {
        "buckets": [[release, list(part), bucket.document()] for (release, part), bucket in intake.buckets.items()],
        "pairs": [[name, list(part), pairs.document()] for (name, part), pairs in intake.pairs.items()],
        "releases": dict(intake.releases),
        "duplicates": intake.duplicates,
    }
    print(canonicalize(document).decode())
"""


def _documents(paths: list[Path], setting: dict[str, str]) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, *map(str, paths)],
        env=os.environ | setting,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return ran.stdout.splitlines()


@pytest.mark.clause("BU-01")
def test_the_same_files_give_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    """Hash seed, language, time zone and processor change nothing, in any format or all at once."""
    writers = {"lines": write_ndjson, "table": write_csv, "columns": write_parquet}
    paths = [write(sample_runs(), tmp_path / name) for name, write in writers.items()]

    here, elsewhere = _documents(paths, HERE), _documents(paths, ELSEWHERE)

    assert here == elsewhere
    assert here[0] == here[1] == here[2] != here[3]
