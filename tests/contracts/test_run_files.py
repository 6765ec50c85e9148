# SPDX-License-Identifier: Apache-2.0
"""Every format that Lockgate reads comes in; it must keep the contract of run files, and agree with every other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lockgate.core.run import Run
from lockgate.ports.reading import RunFiles
from lockgate.testing.run_files_contract import RunFilesContract, sample_runs
from lockgate.wiring import run_files
from tests.contracts.run_writers import (
    Writer,
    write_array,
    write_crlf,
    write_csv,
    write_flat_parquet,
    write_gzip,
    write_ndjson,
    write_parquet,
    write_tsv,
)

WRITERS: dict[str, Writer] = {
    "lines of JSON": write_ndjson,
    "lines as Windows writes them": write_crlf,
    "compressed lines": write_gzip,
    "a JSON array": write_array,
    "CSV": write_csv,
    "TSV": write_tsv,
    "Parquet with struct and map": write_parquet,
    "Parquet with flat columns": write_flat_parquet,
}


@pytest.mark.clause("BU-01")
@pytest.mark.clause("BU-04")
@pytest.mark.clause("BU-06")
class TestRunFiles(RunFilesContract):
    """The reader that the doors use, in each format."""

    @pytest.fixture(autouse=True, params=list(WRITERS.values()), ids=list(WRITERS))
    def _writer(self, request: pytest.FixtureRequest) -> None:
        self.writer: Writer = request.param

    def reader(self) -> RunFiles:
        """Return the wired reader."""
        return run_files()

    def write(self, runs: Sequence[Run], path: Path) -> Path:
        """Write in the format of this round."""
        return self.writer(runs, path)


@pytest.mark.clause("BU-04")
def test_formats_mix_in_one_call(tmp_path: Path) -> None:
    """A run is known again in another format, and what is read adds up across formats."""
    runs = sample_runs()
    contract = TestRunFiles()
    thirds = [runs[start:][:80] for start in (0, 65, 130)]
    writers = (write_parquet, write_csv, write_ndjson)
    paths = [
        write(part, tmp_path / f"part{number}")
        for number, (write, part) in enumerate(zip(writers, thirds, strict=True))
    ]
    named = [run for run in runs if run.run_id]

    intake = contract.read(*paths)
    alone = contract.read(write_array([run for part in thirds for run in part], tmp_path / "all"))

    assert intake.buckets == alone.buckets
    assert intake.pairs == alone.pairs
    assert intake.duplicates == alone.duplicates > 0
    assert len(named) < len(runs)
