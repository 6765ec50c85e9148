# SPDX-License-Identifier: Apache-2.0
"""Receipts of a rollout come in; OpenSSL, or Lockgate where that is missing, must verify them, and no forged one."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path

import pytest

from lockgate.demo.proof import verify_all
from lockgate.errors import LockgateError

pytestmark = pytest.mark.clause("LI-162")


def _forged(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files with one letter of one statement changed."""
    before = files["receipt-2.json"]
    payload = before.split(b'"')[3]
    forged = b64encode(b64decode(payload).replace(b"a test", b"a rest"))
    assert forged != payload
    return {**files, "receipt-2.json": before.replace(payload, forged)}


def test_openssl_verifies_what_was_signed(files: dict[str, bytes], tmp_path: Path) -> None:
    """No code of Lockgate's takes part, and it is said which program it was."""
    who, count = verify_all(files, tmp_path)

    assert (who.split(".")[0], count) == ("OpenSSL 3", 2)


def test_without_openssl_lockgate_verifies_by_itself(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without OpenSSL 3 is told who verified instead."""
    monkeypatch.setenv("PATH", "")

    assert verify_all(files, tmp_path) == ("Lockgate's own verifier", 2)


@pytest.mark.parametrize("path", [None, ""])
def test_a_forged_receipt_ends_the_demonstration(
    path: str | None, files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either verifier refuses one changed letter."""
    if path is not None:
        monkeypatch.setenv("PATH", path)

    with pytest.raises(LockgateError):
        verify_all(_forged(files), tmp_path)
