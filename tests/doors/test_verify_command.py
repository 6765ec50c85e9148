# SPDX-License-Identifier: Apache-2.0
"""`lockgate verify` is called as a person calls it; what it says and how it leaves must be right."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from lockgate.cli.main import run
from tests.doors.line import APP, Door

SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "receipts"
ALONE = ["verify", "receipt.json", "--key", "receipt-key.pem"]
LOGGED = [*ALONE, "--proof", "receipt.tlog-proof", "--log-key", "log-key.txt"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the sample's files to work in."""
    for path in SAMPLE.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.clause("RE-30")
def test_a_good_receipt_leaves_by_0_with_what_it_proves(capsys: pytest.CaptureFixture[str]) -> None:
    """The decision comes first, then what is proven and what is not."""
    code = run(ALONE)

    said = capsys.readouterr().out.splitlines()
    assert code == 0
    assert said[0].startswith("verified: rcp_")
    assert said[1].startswith("rollback (regression) of claims-agent@abc123, canary mode, ")
    assert said.index("Proven:") < said.index("Not proven:")


@pytest.mark.clause("RE-30")
def test_a_proof_says_where_the_receipt_stands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the log's key a proof adds the log, the index and the size."""
    (folder / "kept").write_bytes((folder / "receipt.tlog-proof").read_bytes().partition(b"\n\n")[2])

    code = run([*LOGGED, "--checkpoint", "kept", "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert (code, answer["valid"]) == (0, True)
    assert answer["log"] == {"origin": "lockgate.example/default", "size": 3, "index": 2}
    assert answer["predicate"]["decision"]["action"] == "rollback"


@pytest.mark.clause("RE-30")
def test_a_changed_receipt_leaves_by_65_and_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads a sentence and what to do."""
    (folder / "receipt.json").write_bytes((folder / "receipt.json").read_bytes() + b"\n")

    code = run(ALONE)

    assert code == 65
    assert capsys.readouterr() == (
        "",
        """error: the envelope is JSON, but not in the one form of RFC 8785
Keep receipts byte for byte: no line break at the end, no re-encoding.
""",
    )


@pytest.mark.clause("RE-30")
def test_machines_get_the_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same refusal as JSON, with the same exit code."""
    (folder / "receipt.json").write_bytes(b"{}")

    code = run([*ALONE, "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert (code, answer["valid"], answer["reason"]) == (65, False, "envelope_shape")


@pytest.mark.clause("RE-30")
def test_a_receipt_may_come_through_a_pipe(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """- is standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((folder / "receipt.json").read_bytes())))

    assert run(["verify", "-", "--key", "receipt-key.pem"]) == 0


@pytest.mark.clause("RE-30")
def test_several_keys_may_be_trusted(folder: Path) -> None:
    """After a change of keys both are, and the receipt names its own."""
    (folder / "other.pem").write_text(
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA8XL5B60bAyQgRnmfbVo45shYSYvQ/T+xyVFAExnCcm0=\n"
        "-----END PUBLIC KEY-----\n",
        encoding="ascii",
    )

    assert run([*ALONE, "--key", "other.pem"]) == 0
    assert run(["verify", "receipt.json", "--key", "other.pem"]) == 65


@pytest.mark.clause("RE-30")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["verify", "receipt.json"], 64),
        (["verify", "none.json", "--key", "receipt-key.pem"], 64),
        (["verify", ".", "--key", "receipt-key.pem"], 64),
        ([*ALONE, "--proof", "receipt.tlog-proof"], 64),
        ([*ALONE, "--checkpoint", "receipt.tlog-proof"], 64),
        (["verify", "receipt.json", "--key", "receipt.json"], 65),
        ([*ALONE, "--proof", "receipt.json", "--log-key", "log-key.txt"], 65),
        ([*ALONE, "--proof", "receipt.tlog-proof", "--log-key", "receipt-key.pem"], 65),
        ([*LOGGED, "--checkpoint", "receipt.json"], 65),
    ],
)
def test_each_wrong_call_has_its_exit_code(arguments: list[str], code: int) -> None:
    """What cannot be meant leaves by 64, what was read and is wrong by 65."""
    assert run(arguments) == code


@pytest.mark.clause("RE-111")
def test_a_log_that_grew_is_proven_to_be_the_one_that_was_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The proof is written since a kept checkpoint, and one call verifies all of it; without the proof it is 65."""
    monkeypatch.setenv("LOCKGATE_HOME", str(folder / "home"))
    door = Door(capsys)
    made = door.create()
    assert door("receipts", made, "--save", "first") == 0
    for reason in ("one", "two"):
        assert door("freeze", "--app-id", APP, "--reason", reason) == 0
        assert door("unfreeze", "--app-id", APP, "--reason", reason) == 0
    assert door("pause", "--id", made, "--reason", "three") == 0

    written = door("receipts", made, "--save", "later", "--since-checkpoint", "first/checkpoint.txt")
    call = ["verify", "later/receipt-2.json", "--key", "later/receipt-key.pem", "--log-key", "later/log-key.txt"]
    call += ["--proof", "later/receipt-2.tlog-proof", "--checkpoint", "first/checkpoint.txt"]

    assert written == 0
    assert "--consistency later/log.consistency" in door.out
    assert door(*call) == 65
    assert "--since-checkpoint" in door.err
    assert door(*call, "--consistency", "later/log.consistency") == 0
    assert "are one" in door.out


@pytest.mark.clause("RE-111")
def test_a_checkpoint_of_another_tree_gets_no_proof(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fork and another log are told where the proof would be written, and a proof needs a folder."""
    door = Door(capsys)
    for name in ("one", "other"):
        monkeypatch.setenv("LOCKGATE_HOME", str(folder / name))
        made = door.create()
        assert door("receipts", made, "--save", f"{name}-files") == 0

    code = door("receipts", made, "--save", "new", "--since-checkpoint", "one-files/checkpoint.txt")

    assert (code, (folder / "new").exists()) == (65, False)
    assert "never was that tree" in door.err
    assert door("receipts", made, "--since-checkpoint", "one-files/checkpoint.txt") == 64


@pytest.mark.clause("RE-111")
def test_a_proof_of_consistency_needs_both_checkpoints() -> None:
    """It is between the kept one and that of the receipt's proof."""
    assert run([*LOGGED, "--consistency", "receipt.tlog-proof"]) == 64
