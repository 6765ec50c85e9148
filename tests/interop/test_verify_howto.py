# SPDX-License-Identifier: Apache-2.0
"""The OpenSSL commands of docs/howto/verify.md come in; they must verify the sample receipt and no changed one."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "howto" / "verify.md"
COMMANDS, LEAF = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
pytestmark = [pytest.mark.interop, pytest.mark.clause("RE-31")]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return a folder with the sample's files."""
    for path in (ROOT / "examples" / "receipts").iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


def typed(commands: str, saved: Path) -> subprocess.CompletedProcess[str]:
    """Run commands as a shell does that stops at the first failure."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=saved, capture_output=True, text=True, check=False
    )


def test_the_commands_verify_a_receipt(saved: Path) -> None:
    """OpenSSL finds the signature good, and the key's id is the one in the receipt."""
    ran = typed(COMMANDS, saved)

    said = ran.stdout.splitlines()
    assert (ran.returncode, said[0]) == (0, "Signature Verified Successfully")
    assert said[1] == said[2]
    assert len(said[1]) == 64


@pytest.mark.parametrize("part", ["payload", "sig"])
def test_the_commands_refuse_a_changed_receipt(saved: Path, part: str) -> None:
    """One character of the statement or of the signature is enough."""
    receipt = (saved / "receipt.json").read_text(encoding="ascii")
    at = receipt.index(f'"{part}":"') + len(part) + 14
    other = "A" if receipt[at] != "A" else "B"
    (saved / "receipt.json").write_text(receipt[:at] + other + receipt[at + 1 :], encoding="ascii")

    ran = typed(COMMANDS, saved)

    assert ran.returncode != 0
    assert "Signature Verified Successfully" not in ran.stdout


def test_the_leaf_is_one_command(saved: Path) -> None:
    """The hash of the log's leaf needs nothing but the file."""
    expected = hashlib.sha256(b"\x00" + (saved / "receipt.json").read_bytes()).hexdigest()

    assert typed(LEAF, saved).stdout.split()[0] == expected
