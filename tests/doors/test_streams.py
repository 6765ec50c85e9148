# SPDX-License-Identifier: Apache-2.0
"""Standard streams that are closed or full come in; the exit code still says what was found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "examples" / "runs"
RECEIPTS = ROOT / "examples" / "receipts"
COMPARE = f"compare -b v36 -c abc123 {RUNS}"
CALLS = {
    "clean, output closed": (f"{COMPARE}/clean.ndjson >&-", 0),
    "clean and quiet, output closed": (f"{COMPARE}/clean.ndjson -q >&-", 0),
    "clean, errors closed": (f"{COMPARE}/clean.ndjson 2>&-", 0),
    "clean, all closed": (f"{COMPARE}/clean.ndjson <&- >&- 2>&-", 0),
    "regressed, output closed": (f"{COMPARE}/regressed.csv >&-", 1),
    "no such file, errors full": ("compare -b a -c b nosuch.ndjson 2>/dev/full", 64),
    "no such file, errors closed": ("compare -b a -c b nosuch.ndjson 2>&-", 64),
    "runs from closed input": ("compare -b a -c b - <&-", 64),
    "a policy from closed input": ("policy check - <&-", 64),
    "a receipt from closed input": (f"verify --key {RECEIPTS}/receipt-key.pem - <&-", 64),
    "a policy, output closed": (f"policy check {ROOT}/examples/policy.yaml >&-", 0),
    "a receipt, output closed": (f"verify --key {RECEIPTS}/receipt-key.pem {RECEIPTS}/receipt.json >&-", 0),
    "help, output full": ("--help >/dev/full", 70),
    "an answer, output full": (f"{COMPARE}/clean.ndjson >/dev/full", 75),
}


@pytest.mark.clause("CO-49")
@pytest.mark.parametrize(("call", "code"), CALLS.values(), ids=CALLS.keys())
def test_no_stream_changes_what_was_found(call: str, code: int) -> None:
    """Only a worse candidate leaves by 1, whatever happens to the streams."""
    ran = subprocess.run(["bash", "-c", f"{sys.executable} -m lockgate {call}"], capture_output=True, check=False)

    assert ran.returncode == code
