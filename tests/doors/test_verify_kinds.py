# SPDX-License-Identifier: Apache-2.0
"""`lockgate verify` is handed everything that it verifies, in files, folders and streams, and what it does not."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.cli.main import run
from lockgate.core.checkpoint import LogGrowth
from lockgate.core.cosignature import WitnessKey
from lockgate.core.key_manifest import SignedManifest
from lockgate.core.merkle import plan_consistency
from tests.spec.bundled import files, keys, packed
from tests.spec.signed import KEYS, RECEIPTS, VAULT
from tests.spec.test_verify_keys import ROOT, ROOT_KEY, cosigned, manifest, witness
from tests.spec.test_verify_log_export import ALL, portion

TRUST = ["--key", "key.pem", "--log-key", "log.txt"]
BY_ROOT = ["--manifest", "manifest.json", "--root", "root.pem"]
OF_BUNDLE = ["--key", "bundle.pem", "--log-key", "bundle.txt"]

# Lockgate, cryptography with what it is compiled to, and the writer of canonical JSON.
LIGHT = {"lockgate", "cryptography", "_openssl", "_cffi_backend", "rfc8785"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to work in, with everything that is verified, and keys."""
    monkeypatch.chdir(tmp_path)
    saved = tmp_path / "saved"
    saved.mkdir()
    for seq, envelope in enumerate(VAULT.entries, start=1):
        (saved / f"receipt-{seq}.json").write_bytes(envelope)
        (saved / f"receipt-{seq}.tlog-proof").write_bytes(VAULT.proof(seq - 1))
    (saved / "checkpoint.txt").write_bytes(VAULT.checkpoint())
    (saved / "receipt-key.pem").write_bytes(RECEIPTS.public_key_pem)
    first = manifest_of_version_1()
    written = {
        "key.pem": RECEIPTS.public_key_pem,
        "log.txt": f"{KEYS.log[0].text}\n".encode(),
        "root.pem": ROOT_KEY.pem,
        "manifest.json": first.encode(),
        "log.ndjson": b"".join(ALL),
        "checkpoint.txt": VAULT.checkpoint(),
        "older.txt": VAULT.checkpoint(3),
        "cosigned.txt": cosigned(VAULT.checkpoint(), "x", "y"),
        "x.txt": f"{witness('x').key.text}\n".encode(),
        "z.txt": f"{witness('z').key.text}\n".encode(),
        "twice.txt": f"{witness('x').key.text}\n".encode() * 2,
        "alias.txt": f"{WitnessKey('alias.example/x', witness('x').key.raw).text}\n".encode(),
        "policy.txt": f"witness x {witness('x').key.text}\nquorum x\n".encode(),
        "bundle.zip": packed(),
        "bundle.pem": keys().receipt[0].pem,
        "bundle.txt": f"{keys().log[0].text}\n".encode(),
    }
    for name, data in written.items():
        (tmp_path / name).write_bytes(data)
    for name, data in files().items():
        path = tmp_path / "unpacked" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path


def manifest_of_version_1() -> SignedManifest:
    """Return a manifest that a root key signed."""
    first = replace(manifest(), version=1, previous=None)
    return SignedManifest(first, ((ROOT_KEY.key_id, ROOT.sign(first.signed_bytes())),))


@pytest.mark.parametrize(
    ("arguments", "kind", "head"),
    [
        (["saved/receipt-1.json", *TRUST], "receipt", "verified: rcp_"),
        (["saved/receipt-1.json", *BY_ROOT, "--proof", "saved/receipt-1.tlog-proof"], "receipt", "verified: rcp_"),
        (["saved", *TRUST], "rollout", "verified: rollout rol_1, 5 receipts, rolled_back"),
        (["saved", *BY_ROOT], "rollout", "verified: rollout rol_1, 5 receipts, rolled_back"),
        (["saved", *TRUST, "--checkpoint", "checkpoint.txt"], "rollout", "verified: rollout rol_1, 5 receipts"),
        (["saved/receipt-2.json", "saved/receipt-1.json", "--key", "key.pem"], "rollout", "verified: rollout rol_1, 2"),
        (["bundle.zip", *OF_BUNDLE], "bundle", "verified: bundle of rollout "),
        (["unpacked", *OF_BUNDLE], "bundle", "verified: bundle of rollout "),
        (["unpacked", *OF_BUNDLE, "--checkpoint", "unpacked/checkpoint.txt"], "bundle", "verified: bundle of"),
        (["log.ndjson", *TRUST], "log", "verified: 5 entries of the log lockgate.example/default"),
        (["log.ndjson", *BY_ROOT], "log", "verified: 5 entries of the log lockgate.example/default"),
        (["log.ndjson", *TRUST, "--checkpoint", "older.txt"], "log", "verified: 5 entries"),
        (["manifest.json", "--root", "root.pem"], "manifest", "verified: version 1 of the key manifest of default"),
        (["checkpoint.txt", "--log-key", "log.txt"], "checkpoint", "verified: checkpoint of the log lockgate.example"),
        (["checkpoint.txt", *BY_ROOT], "checkpoint", "verified: checkpoint of the log lockgate.example/default"),
        (["cosigned.txt", *TRUST, "--witness", "x.txt"], "checkpoint", "verified: checkpoint of the log"),
        (["cosigned.txt", *TRUST, "--witness-policy", "policy.txt"], "checkpoint", "verified: checkpoint"),
        (
            ["cosigned.txt", *TRUST, "--witness", "x.txt", "--witness", "z.txt", "--quorum", "1"],
            "checkpoint",
            "verified: checkpoint",
        ),
    ],
)
@pytest.mark.clause("VF-60")
def test_everything_is_known_by_what_it_holds(
    arguments: list[str], kind: str, head: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One command verifies all of it, says in words what is proven and what is not, and the same as JSON."""
    code = run(["verify", *arguments])
    said = capsys.readouterr().out.splitlines()
    again = run(["verify", *arguments, "--json"])
    document = json.loads(capsys.readouterr().out)

    assert (code, again) == (0, 0)
    assert said[0].startswith(head)
    assert said.index("Proven:") < said.index("Not proven:")
    assert (document["valid"], document["kind"]) == (True, kind)
    assert document["proven"]
    assert document["unproven"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["bundle.zip"], 65),
        (["bundle.zip", "--key", "bundle.pem"], 64),
        (["bundle.zip", *TRUST], 65),
        (["bundle.zip", *OF_BUNDLE, "--root", "root.pem"], 65),
        (["saved"], 64),
        (["saved", "--key", "key.pem"], 64),
        (["saved/receipt-1.tlog-proof", *TRUST], 64),
        (["saved/receipt-1.json", "saved/receipt-2.tlog-proof", *TRUST], 64),
        (["saved", "--as", "bundle", *TRUST], 65),
        (["saved", "--as", "log", *TRUST], 64),
        (["saved", *TRUST, "--proof", "saved/receipt-1.tlog-proof"], 64),
        (["key.pem", *TRUST], 64),
        (["nothing-there", *TRUST], 64),
        (["log.ndjson", "--key", "key.pem"], 64),
        (["log.ndjson", *OF_BUNDLE], 65),
        (["manifest.json"], 64),
        (["manifest.json", "--root", "key.pem"], 65),
        (["manifest.json", "--root", "root.pem", "--root-threshold", "2"], 65),
        (["saved/receipt-1.json", "--manifest", "manifest.json"], 64),
        (["saved/receipt-1.json", "--root", "root.pem"], 64),
        (["checkpoint.txt", "--key", "key.pem"], 64),
        (["saved/receipt-1.json", *TRUST, "--checkpoint", "older.txt"], 64),
        (["saved/receipt-1.json", "saved/receipt-2.json", *TRUST, "--checkpoint", "older.txt"], 64),
        (["checkpoint.txt", *TRUST, "--checkpoint", "older.txt"], 65),
        (["cosigned.txt", *TRUST, "--witness", "z.txt"], 65),
        (["cosigned.txt", *TRUST, "--witness", "x.txt", "--quorum", "2"], 64),
        (["cosigned.txt", *TRUST, "--quorum", "1"], 64),
        (["cosigned.txt", *TRUST, "--witness", "x.txt", "--witness", "x.txt", "--quorum", "1"], 64),
        (["cosigned.txt", *TRUST, "--witness", "twice.txt", "--quorum", "1"], 64),
        (["cosigned.txt", *TRUST, "--witness", "x.txt", "--witness", "alias.txt", "--quorum", "1"], 64),
        (["cosigned.txt", *TRUST, "--witness", "x.txt", "--witness-policy", "policy.txt"], 64),
        (["checkpoint.txt", *TRUST, "--timestamp", "older.txt"], 64),
        (["saved/receipt-1.json", *TRUST, "--consistency", "older.txt", "--checkpoint", "older.txt"], 64),
    ],
)
@pytest.mark.clause("VF-70")
@pytest.mark.clause("VF-60")
def test_each_wrong_call_has_its_exit_code(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be meant leaves by 64, what was read and is wrong by 65, each with a sentence."""
    assert run(["verify", *arguments]) == code
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.clause("VF-61")
def test_a_kept_checkpoint_is_compared_with_a_newer_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A proof of consistency says of two checkpoints that they are of one log."""
    hashes = plan_consistency(3, 5).hashes(VAULT.kept)
    (folder / "grown").write_bytes(LogGrowth(3, tuple(hashes), VAULT.checkpoint()).encode())

    code = run(["verify", "checkpoint.txt", *TRUST, "--checkpoint", "older.txt", "--consistency", "grown"])

    assert code == 0
    assert "That log and the one of the kept checkpoint, of 3, are one." in capsys.readouterr().out


@pytest.mark.clause("VF-61")
def test_a_folder_brings_its_own_proof_of_consistency(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--since-checkpoint` wrote it beside the receipts."""
    hashes = plan_consistency(3, 5).hashes(VAULT.kept)
    (folder / "saved" / "log.consistency").write_bytes(LogGrowth(3, tuple(hashes), VAULT.checkpoint()).encode())

    code = run(["verify", "saved", *TRUST, "--checkpoint", "older.txt"])

    assert code == 0
    assert "of 3, are one." in capsys.readouterr().out


@pytest.mark.clause("VF-60")
def test_a_log_may_come_through_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """An export is verified as it is written, and a bundle, which is no stream, is not."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"".join([*portion(0, 2), *portion(2, 5)]))))
    assert run(["verify", "-", *TRUST]) == 0

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(packed())))
    assert run(["verify", "-", *OF_BUNDLE]) == 64


@pytest.mark.clause("VF-60")
def test_a_link_in_an_unpacked_bundle_is_no_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a link leads to is not in the bundle."""
    (folder / "README").write_bytes((folder / "unpacked" / "README.txt").read_bytes())
    (folder / "unpacked" / "README.txt").unlink()
    (folder / "unpacked" / "README.txt").symlink_to(folder / "README")

    code = run(["verify", "unpacked", *OF_BUNDLE, "--json"])

    assert (code, json.loads(capsys.readouterr().out)["reason"]) == (65, "bundle_file_extra")


@pytest.mark.clause("VF-60")
def test_a_line_break_at_the_end_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An editor that adds one makes another file: it is refused, and what to do is said."""
    path = folder / "saved" / "receipt-3.json"
    path.write_bytes(path.read_bytes() + b"\n")

    code = run(["verify", "saved", *TRUST])

    said = capsys.readouterr().err
    assert code == 65
    assert said.startswith("error: saved/receipt-3.json: ")
    assert "no line break at the end" in said


@pytest.mark.clause("VF-62")
@pytest.mark.parametrize("arguments", [["saved", *TRUST], ["bundle.zip", *OF_BUNDLE], ["log.ndjson", *TRUST]])
def test_verifying_loads_little(arguments: Sequence[str]) -> None:
    """A fresh interpreter that verifies has loaded cryptography, click and the core's own, and no engine of numbers."""
    script = (
        "import sys; before = set(sys.modules); from lockgate.cli.main import run; code = run(sys.argv[1:]); "
        "names = {name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names); "
        "print(code, *sorted(names), file=sys.stderr)"
    )

    ran = subprocess.run([sys.executable, "-I", "-c", script, "verify", *arguments], capture_output=True, check=True)

    code, *names = ran.stderr.decode().split()
    assert code == "0"
    assert set(names) <= {"click", *LIGHT}


@pytest.mark.clause("VF-62")
def test_the_library_loads_the_core_and_cryptography_only() -> None:
    """Whoever verifies in a program of their own loads nothing that decides, stores or calls."""
    script = (
        "import sys; before = set(sys.modules); import lockgate.verify; new = set(sys.modules) - before; "
        "print(*sorted({name.partition('.')[0] for name in new} - set(sys.stdlib_module_names))); "
        "print(*sorted({'.'.join(name.split('.')[:2]) for name in new if name.startswith('lockgate.')}))"
    )

    ran = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, check=True, text=True)

    others, rooms = ran.stdout.splitlines()
    assert set(others.split()) <= LIGHT
    assert set(rooms.split()) == {"lockgate.core", "lockgate.errors", "lockgate.verify"}
