# SPDX-License-Identifier: Apache-2.0
"""Receipts of a rollout come in; the demonstration lets OpenSSL verify them, and no forged one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.demo.proof import verify_all
from lockgate.errors import LockgateError
from tests.demo.conftest import files
from tests.demo.test_proof import forged

__all__ = ["files"]
pytestmark = [pytest.mark.interop, pytest.mark.clause("LI-162")]


def test_openssl_verifies_what_was_signed(files: dict[str, bytes], tmp_path: Path) -> None:
    """No code of Lockgate's takes part, and it is said which program it was."""
    who, count = verify_all(files, tmp_path)

    assert (who.split(".")[0], count) == ("OpenSSL 3", 2)


def test_openssl_refuses_a_forged_receipt(files: dict[str, bytes], tmp_path: Path) -> None:
    """One changed letter ends the demonstration."""
    with pytest.raises(LockgateError, match="OpenSSL does not verify receipt-2"):
        verify_all(forged(files), tmp_path)
