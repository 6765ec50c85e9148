# SPDX-License-Identifier: Apache-2.0
"""Receipts of a rollout come in; where OpenSSL is missing Lockgate must verify them, and no forged one."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path

import pytest

from lockgate.demo.proof import verify_all
from lockgate.errors import LockgateError

pytestmark = pytest.mark.clause("LI-162")


def forged(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files with one letter of one statement changed."""
    before = files["receipt-2.json"]
    payload = before.split(b'"')[3]
    other = b64encode(b64decode(payload).replace(b"a test", b"a rest"))
    assert other != payload
    return {**files, "receipt-2.json": before.replace(payload, other)}


def test_without_openssl_lockgate_verifies_by_itself(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without OpenSSL 3 is told who verified instead."""
    monkeypatch.setenv("PATH", "")

    assert verify_all(files, tmp_path) == ("Lockgate's own verifier", 2)


def test_a_forged_receipt_ends_the_demonstration(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One changed letter is refused."""
    monkeypatch.setenv("PATH", "")

    with pytest.raises(LockgateError):
        verify_all(forged(files), tmp_path)
