# SPDX-License-Identifier: Apache-2.0
"""The sample of docs/howto/audit.md comes in; it must be what its tool writes, and what its story says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lockgate.core.bundle import decode

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples" / "audit"


@pytest.mark.clause("IO-18")
def test_the_sample_is_what_its_tool_writes(tmp_path: Path) -> None:
    """The documentation's bundle is current, to the byte: else run `examples/make_bundle.py examples/audit`."""
    subprocess.run([sys.executable, str(ROOT / "examples" / "make_bundle.py"), str(tmp_path)], check=True)

    found = {path.name: path.read_bytes() for path in SAMPLE.iterdir()}
    assert found == {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert found["audit.sh"] == (ROOT / "src" / "lockgate" / "report" / "templates" / "audit.sh").read_bytes()


@pytest.mark.clause("IO-18")
def test_the_sample_tells_its_story() -> None:
    """A candidate climbs, an operator pauses and resumes it, it gets worse and is rolled back."""
    record = json.loads(decode((SAMPLE / "bundle.zip").read_bytes())["release-record.json"])

    assert [action["action"] for action in record["operatorActions"]] == ["promote", "pause", "resume"]
    assert (record["decision"]["action"], record["decision"]["status"]) == ("rollback", "rolled_back")
    assert record["evaluationCard"] == "https://evaluations.example/abc123"
