# SPDX-License-Identifier: Apache-2.0
"""A bundle with the receipt that put its baseline on trial comes in; audit.sh must check that one too."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.core.bundle_layout import BASELINE, BASELINE_PROOF
from tests.interop.test_audit_script import Audit, Files, sealed, tools
from tests.spec.bundles import bundled
from tests.spec.test_record_reasons import succeeded

__all__ = ["tools"]
pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def following() -> Files:
    """Return the files of a bundle whose baseline was a candidate before."""
    here, _, rollout = succeeded()
    return bundled(here.house, rollout)[0]


@pytest.mark.clause("EX-77")
def test_the_script_checks_the_receipt_of_the_baseline(tmp_path: Path, tools: Path, following: Files) -> None:
    """Its key, its place in the log, and that it is of the baseline's own trial, which began before."""
    audit = Audit(tmp_path, tools)
    own = {BASELINE: following["receipts/1.json"], BASELINE_PROOF: following["proofs/1.tlog-proof"]}

    audit.put(following)
    whole = audit.check()
    audit.put(sealed({**following, **own}))
    swapped = audit.check()
    audit.put(sealed({name: data for name, data in following.items() if name != BASELINE_PROOF}))
    unproven = audit.check()

    assert (whole.returncode, f"ok  {BASELINE}  " in whole.stdout) == (0, True), whole.stderr
    assert (swapped.returncode, swapped.stderr) == (1, f"FAIL {BASELINE}: it is of no trial of the baseline\n")
    assert (unproven.returncode, unproven.stderr) == (1, f"FAIL {BASELINE}: its proof is missing\n")
