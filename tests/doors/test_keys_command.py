# SPDX-License-Identifier: Apache-2.0
"""A store whose keys were lost, exchanged or left out comes in; nothing may be signed by keys that nobody chose."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from lockgate.cli.main import run
from lockgate.operations.create import create
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.vault import keeping
from lockgate.testing.world import World
from lockgate.verify import Keys, read_public_key
from lockgate.wiring import memory_store, signers
from tests.doors.line import APP, Door
from tests.spec.line import order

Call = tuple[str, ...]
NEW = ("new-keys", "--reason", "the disk is gone", "--yes")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home of a store, which is made by the first call."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def door(capsys: pytest.CaptureFixture[str]) -> Door:
    """Return the command line."""
    return Door(capsys)


@pytest.mark.clause("LI-430")
def test_lost_keys_are_not_made_anew(home: Path, door: Door) -> None:
    """Whoever acts is told what to do, no key appears, and the store can be read."""
    made = door.create()
    shutil.rmtree(home / "keys")

    code = door("pause", "--id", made, "--reason", "drill")

    assert code == 77
    assert "Put the keys folder back" in door.err
    assert "lockgate new-keys" in door.err
    assert not (home / "keys").exists()
    assert (door("show", made), door("list"), len(door.read("receipts", made)["receipts"])) == (0, 0, 1)


@pytest.mark.clause("LI-430")
def test_other_keys_sign_nothing(home: Path, door: Door, tmp_path: Path) -> None:
    """Keys of another store in the place of the own ones are refused, whichever of the two it is."""
    made = door.create()
    shutil.copytree(home / "keys", tmp_path / "own")
    for name in ("receipt.pem", "log.pem"):
        (home / "keys" / name).unlink()
        signers(home / "keys")

        code = door("pause", "--id", made, "--reason", "drill")

        assert code == 77, name
        assert "did not sign this store" in door.err
        shutil.copy(tmp_path / "own" / name, home / "keys" / name)
    assert door("pause", "--id", made, "--reason", "drill") == 0


@pytest.mark.clause("LI-431")
def test_new_keys_sign_from_a_receipt_on(home: Path, door: Door, tmp_path: Path) -> None:
    """The change is a receipt with who and why; everything goes on, and is sound by both public keys."""
    made = door.create()
    assert door("receipts", made, "--save", tmp_path / "old") == 0
    shutil.rmtree(home / "keys")

    changed = door.read(*NEW)

    assert changed["seq"] == 1
    assert door("pause", "--id", made, "--reason", "drill") == 0
    older = ("--key", tmp_path / "old" / "receipt-key.pem", "--log-key", tmp_path / "old" / "log-key.txt")
    assert door("fsck", *older) == 0, door.out
    assert door("fsck") == 65
    assert door("receipts", changed["id"], "--save", tmp_path / "new") == 0
    receipt = json.loads((tmp_path / "new" / "receipt-1.json").read_bytes())
    assert receipt["signatures"][0]["keyid"] == changed["receipt_key"]


@pytest.mark.clause("LI-431")
def test_keys_that_are_in_use_are_not_changed(home: Path, door: Door) -> None:
    """A call that changes nothing is refused, and so is one before anything was signed."""
    door.create()

    assert door(*NEW) == 64
    assert "signed so far" in door.err


@pytest.mark.clause("LI-431")
def test_a_key_that_changes_without_a_word_is_a_flaw(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where whoever checks trusts both keys: no receipt says that the one took over from the other."""
    here = World(memory_store(), 1)
    create(order(), here.house)
    other = World(here.house.store, 2).house
    older = read_public_key(here.house.signers.receipt.public_key_pem)
    # As a program would that does not look who signed.
    monkeypatch.setattr(keeping, "receipt_signer", lambda house, _latest: house.signers.receipt)
    monkeypatch.setattr(keeping, "log_signers", lambda _work, house, _latest: (house.signers.log,))
    create(order(app="other"), other)

    found = fsck(other, Keys((older,), ()))

    assert any("no receipt says" in flaw.what for flaw in found.flaws)


@pytest.mark.clause("LI-432")
def test_a_copy_without_private_keys_is_checked_as_it_stands(
    home: Path, door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the public keys, is sound by them, and signs nothing."""
    made = door.create()
    assert door("backup", tmp_path / "copy") == 0
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "copy"))

    checked = door("fsck")

    assert checked == 0, door.out
    keys = {path.name for path in (tmp_path / "copy" / "keys").glob("*.pem")}
    assert keys == {"log-key.pem", "receipt-key.pem"}
    assert door("pause", "--id", made, "--reason", "drill") == 77


@pytest.mark.clause("LI-432")
def test_where_no_key_is_left_the_check_says_what_to_name(home: Path, door: Door, tmp_path: Path) -> None:
    """The exact call is in the advice, and it works."""
    made = door.create()
    assert door("receipts", made, "--save", tmp_path / "kept") == 0
    shutil.rmtree(home / "keys")

    code = door("fsck")

    assert code == 77
    assert "lockgate fsck --key receipt-key.pem --log-key log-key.txt" in door.err
    kept = ("--key", tmp_path / "kept" / "receipt-key.pem", "--log-key", tmp_path / "kept" / "log-key.txt")
    assert door("fsck", *kept) == 0, door.out
    assert run(["freeze", "--app-id", APP, "--reason", "drill"]) == 77


@pytest.mark.clause("LI-532")
@pytest.mark.parametrize("is_whole", [False, True])
def test_older_public_keys_are_kept_beside_those_that_sign(
    is_whole: bool, home: Path, door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After new keys the store and every backup of it are sound as they stand, with private keys or without."""
    made = door.create()
    for name in ("receipt.pem", "log.pem"):
        (home / "keys" / name).rename(tmp_path / name)
    assert door(*NEW) == 0
    assert door("pause", "--id", made, "--reason", "drill") == 0
    live = door("fsck")

    assert door("backup", tmp_path / "copy", *(["--with-keys"] if is_whole else [])) == 0

    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "copy"))
    assert (live, door("fsck")) == (0, 0), door.out
    assert len(list((tmp_path / "copy" / "keys" / "public").iterdir())) == 4


@pytest.mark.clause("LI-532")
def test_saved_receipts_come_with_the_key_of_each(home: Path, door: Door, tmp_path: Path) -> None:
    """An older one is a file of its own, and the answer says which receipts it is for, or that it is not here."""
    made = door.create()
    shutil.copytree(home / "keys", tmp_path / "gone")
    for name in ("receipt.pem", "log.pem"):
        (home / "keys" / name).unlink()
    assert door(*NEW) == 0
    assert door("pause", "--id", made, "--reason", "drill") == 0

    assert door("receipts", made, "--save", tmp_path / "saved") == 0

    (older,) = (tmp_path / "saved").glob("receipt-key-*.pem")
    assert f"1 receipt from 1 to 1 by an older key: {older.name}." in door.out
    for seq, key in ((1, older.name), (2, "receipt-key.pem")):
        receipt, proof = (tmp_path / "saved" / f"receipt-{seq}.{end}" for end in ("json", "tlog-proof"))
        log = tmp_path / "saved" / "log-key.txt"
        key_path = tmp_path / "saved" / key
        assert door("verify", receipt, "--key", key_path, "--proof", proof, "--log-key", log) == 0
    shutil.rmtree(home / "keys" / "public")
    assert door("receipts", made, "--save", tmp_path / "again") == 0
    assert f"{older.name} is missing" in door.out


@pytest.mark.clause("LI-533")
def test_a_public_key_of_the_log_is_taken_in_pem(home: Path, door: Door, tmp_path: Path) -> None:
    """A backup holds it so, and the store knows the name of its log."""
    door.create()
    assert door("backup", tmp_path / "older") == 0
    shutil.rmtree(home / "keys")
    assert door(*NEW) == 0
    assert door("fsck") == 65
    keys = tmp_path / "older" / "keys"

    code = door("fsck", "--key", keys / "receipt-key.pem", "--log-key", keys / "log-key.pem")

    assert code == 0, door.out


@pytest.mark.clause("LI-589")
@pytest.mark.parametrize("call", [("kill", "--all"), ("kill", "--app-id", APP), ("rollback", "--id", "ID")])
@pytest.mark.parametrize("is_other", [False, True])
def test_who_must_act_without_keys_is_told_both_calls(home: Path, door: Door, call: Call, *, is_other: bool) -> None:
    """As they are printed they take the candidate out of traffic."""
    made = door.create("--mode", "canary")
    shutil.rmtree(home / "keys")
    if is_other:
        signers(home / "keys")
    words = [made if word == "ID" else word for word in call]
    said = ("--reason", "it's on fire", "--by", "Ada L", "--yes")

    code = door(*words, *said)

    assert code == 77
    renew, again = door.err.split("To do it now: ")[1].strip().split(" && ")
    assert shlex.split(again) == ["lockgate", *words, *said]
    assert [door(*shlex.split(each)[1:]) for each in (renew, again)] == [0, 0], door.err
    assert door.read("show", made)["status"] == "rolled_back"


@pytest.mark.clause("LI-590")
@pytest.mark.parametrize("lost", [("receipt",), ("log",), ("receipt", "log")])
def test_what_is_new_is_said(home: Path, door: Door, lost: tuple[str, ...]) -> None:
    """Of each role, by the id of its key."""
    door.create()
    for role in lost:
        (home / "keys" / f"{role}.pem").unlink()

    assert door(*NEW) == 0

    now = signers(home / "keys")
    for role, what, key in (("receipt", "Receipts", now.receipt), ("log", "Checkpoints of the log", now.log)):
        said = f"the new key {key.key_id} from now on" if role in lost else f"key {key.key_id} as before"
        assert f"{what} are signed by {said}." in door.out
