# SPDX-License-Identifier: Apache-2.0
"""Keys are followed by others, or lost; what is saved beside receipts must still verify all that they signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.core.envelope import signer_of
from lockgate.core.listed_key import Use
from lockgate.core.public_key import read_public_key
from lockgate.operations.bundle.bundle import Wanted, bundle
from lockgate.operations.bundle.saved_receipts import LOG_KEY, RECEIPT_KEY, saved_receipts
from lockgate.operations.create import create
from lockgate.operations.steering.pause import pause
from lockgate.report.bundle_pages import bundle_pages
from tests.spec.line import order
from tests.spec.test_rotation import WHO, line, rotated


@pytest.mark.clause("LG-40")
def test_every_key_of_before_is_saved_with_receipts(tmp_path: Path) -> None:
    """A bundle has receipts of the organisation by keys that signed none of the rollout's, and checkpoints are kept."""
    here = line(tmp_path)
    rollout = create(order(), here.house).rollout.id
    kept = saved_receipts(rollout, here.house)
    rotated(here, Use.RECEIPT)
    rotated(here, Use.LOG)
    rotated(here, Use.RECEIPT)
    pause(rollout, WHO, here.house)
    saved = saved_receipts(rollout, here.house)
    with bundle(Wanted(rollout_id=rollout, pages=bundle_pages), here.house) as made:
        names = [name for name in made.files if name.startswith(("receipts/", "related/")) and name.endswith(".json")]
        receipts = [made.files[name] for name in names]

    pems = [data for name, data in saved.items() if name.startswith("receipt-key")]
    log_keys = saved[LOG_KEY].splitlines()

    assert {signer_of(each) for each in receipts} <= {read_public_key(pem).key_id for pem in pems}
    assert saved[RECEIPT_KEY] == here.house.signers.receipt.public_key_pem
    assert len(log_keys) == 2
    assert kept[LOG_KEY].strip() in log_keys
