# SPDX-License-Identifier: Apache-2.0
"""A timestamp of a checkpoint comes in with it; `lockgate verify` says who stamped it, or refuses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.cli.main import run
from lockgate.core.bundle import encode
from tests.interop.test_timestamps import OpensslAuthority
from tests.spec.bundled import changed, files, keys
from tests.spec.signed import KEYS, VAULT
from tests.spec.test_verify_keys import cosigned

pytestmark = pytest.mark.interop


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to work in, with checkpoints and keys."""
    monkeypatch.chdir(tmp_path)
    written = {
        "checkpoint.txt": VAULT.checkpoint(),
        "older.txt": VAULT.checkpoint(3),
        "cosigned.txt": cosigned(VAULT.checkpoint(), "x"),
        "log.txt": f"{KEYS.log[0].text}\n".encode(),
        "bundle.pem": keys().receipt[0].pem,
        "bundle.txt": f"{keys().log[0].text}\n".encode(),
    }
    for name, data in written.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def stamped(authority: OpensslAuthority, data: bytes) -> bytes:
    """Return the authority's answer over some bytes."""
    (authority.folder / "data").write_bytes(data)
    authority.openssl("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "asked")
    return authority.answer((authority.folder / "asked").read_bytes())[2]


@pytest.mark.clause("VF-63")
def test_who_stamped_a_checkpoint_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Stamped is what the log signed, whatever witnesses signed later; another checkpoint is refused."""
    authority = OpensslAuthority(folder / "tsa")
    (folder / "stamp").write_bytes(stamped(authority, VAULT.checkpoint()))
    by = ["--log-key", "log.txt", "--timestamp", "stamp", "--tsa-ca", str(authority.certificates)]

    codes = [run(["verify", name, *by]) for name in ("checkpoint.txt", "cosigned.txt", "older.txt")]

    said = capsys.readouterr()
    assert codes == [0, 0, 65]
    assert said.out.count("the timestamp authority") == 2
    assert "this is no timestamp of these bytes" in said.err


@pytest.mark.clause("VF-63")
def test_a_bundle_brings_its_own_timestamp(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It counts for who knows the authority's certificates, and says nothing to anybody else."""
    authority = OpensslAuthority(folder / "tsa")
    stamp = stamped(authority, files()["checkpoint.txt"])
    (folder / "bundle.zip").write_bytes(encode(changed({"checkpoint.tsr": stamp})))
    (folder / "other.zip").write_bytes(encode(changed({"checkpoint.tsr": stamped(authority, b"something else")})))
    trust = ["--key", "bundle.pem", "--log-key", "bundle.txt"]
    by = ["--tsa-ca", str(authority.certificates)]

    codes = [run(["verify", name, *trust, *by]) for name in ("bundle.zip", "other.zip")]

    assert codes == [0, 65]
    assert capsys.readouterr().out.count("the timestamp authority") == 1
    assert run(["verify", "other.zip", *trust]) == 0
    assert "the timestamp authority" not in capsys.readouterr().out
