# SPDX-License-Identifier: Apache-2.0
"""The OpenSSL commands of docs/howto/verify.md come in; they must verify the sample receipt and no changed one."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import lockgate.verify

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "howto" / "verify.md"
COMMANDS, LEAF = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


IN_A_PROGRAM = PAGE.read_text(encoding="utf-8").partition("## In a program\n")[2].partition("\n## ")[0]


@pytest.mark.clause("VF-103")
def test_the_page_names_what_a_program_is_handed() -> None:
    """Whatever is public is written there, and whatever is written there is public."""
    named = set(re.findall(r"`(\w+)`", IN_A_PROGRAM))

    assert set(lockgate.verify.__all__) - named == set()
    assert {name for name in named if re.match(r"(verify|read|is)_|Verified", name)} <= set(lockgate.verify.__all__)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the sample's files; without OpenSSL 3 it skips, which fails the lane in CI."""
    openssl = shutil.which("openssl")
    version = subprocess.run([openssl, "version"], capture_output=True, text=True, check=True).stdout if openssl else ""
    if not re.match(r"OpenSSL ([3-9]|\d\d)\.", version):
        pytest.skip(f"needs OpenSSL 3 or later, found {version or 'none'}")
    for path in (ROOT / "examples" / "receipts").iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


def typed(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands as a shell does that stops at the first failure."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.clause("RE-31")
def test_the_commands_verify_a_receipt(folder: Path) -> None:
    """OpenSSL finds the signature good, and the key's id is the one in the receipt."""
    ran = typed(COMMANDS, folder)

    said = ran.stdout.splitlines()
    assert (ran.returncode, said[0]) == (0, "Signature Verified Successfully")
    assert said[1] == said[2]
    assert len(said[1]) == 64


@pytest.mark.clause("RE-31")
@pytest.mark.parametrize("part", ["payload", "sig"])
def test_the_commands_refuse_a_changed_receipt(folder: Path, part: str) -> None:
    """One character of the statement or of the signature is enough."""
    receipt = (folder / "receipt.json").read_text(encoding="ascii")
    at = receipt.index(f'"{part}":"') + len(part) + 14
    other = "A" if receipt[at] != "A" else "B"
    (folder / "receipt.json").write_text(receipt[:at] + other + receipt[at + 1 :], encoding="ascii")

    ran = typed(COMMANDS, folder)

    assert ran.returncode != 0
    assert "Signature Verified Successfully" not in ran.stdout


@pytest.mark.clause("RE-31")
def test_the_leaf_is_one_command(folder: Path) -> None:
    """The hash of the log's leaf needs nothing but the file."""
    expected = hashlib.sha256(b"\x00" + (folder / "receipt.json").read_bytes()).hexdigest()

    assert typed(LEAF, folder).stdout.split()[0] == expected
