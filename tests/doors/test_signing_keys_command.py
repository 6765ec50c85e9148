# SPDX-License-Identifier: Apache-2.0
"""Root keys, manifests and rotations are called on the command line; what is said and kept must be what was asked."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from lockgate.core.key_manifest import open_manifest, read_manifest
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.voucher import Voucher, VoucherKind
from lockgate.verify import is_signed
from lockgate.wiring import sqlite_store
from tests.doors.line import Door


def rooted(door: Door, folder: Path, name: str = "root.pem", *words: object) -> PublicKey:
    """Return the public half of a new root key."""
    assert door("keys", "root", folder / name, *words) == 0
    return read_public_key((folder / f"{name}.pub").read_bytes())


def shown(door: Door) -> dict[str, Any]:
    """Return the manifest that was published last."""
    assert door("keys", "manifest", "--json") == 0
    found: dict[str, Any] = json.loads(door.out)
    return found


@pytest.mark.clause("KY-20")
def test_a_root_key_is_for_its_owner_alone_and_overwrites_nothing(home: Path, door: Door) -> None:
    """The private half has mode 0600, the public one is beside it, and neither is made again."""
    key = rooted(door, home)

    assert stat.S_IMODE((home / "root.pem").stat().st_mode) == 0o600
    assert key.key_id in door.out
    before = (home / "root.pem").read_bytes()
    assert door("keys", "root", home / "root.pem") == 64
    assert (home / "root.pem").read_bytes() == before
    (home / "other.pem.pub").write_text("mine", encoding="utf-8")
    assert door("keys", "root", home / "other.pem") == 64
    assert not (home / "other.pem").exists()


@pytest.mark.clause("KY-20")
def test_a_root_key_is_not_made_beside_the_keys_that_it_outlives(home: Path, door: Door) -> None:
    """Within LOCKGATE_HOME only who insists makes one."""
    door.create()

    assert door("keys", "root", home / "home" / "keys" / "root.pem") == 64
    assert not (home / "home" / "keys" / "root.pem").exists()
    assert door("keys", "root", home / "home" / "root.pem", "--force") == 0


@pytest.mark.clause("KY-20")
def test_a_root_key_is_locked_by_a_passphrase(home: Path, door: Door) -> None:
    """Without the passphrase, or by another one, it signs nothing."""
    door.create()
    (home / "words").write_text("correct horse\n", encoding="utf-8")
    (home / "wrong").write_text("battery staple\n", encoding="utf-8")
    rooted(door, home, "root.pem", "--passphrase-file", home / "words")

    assert b"ENCRYPTED" in (home / "root.pem").read_bytes()
    assert door("keys", "manifest", "--root", home / "root.pem") == 77
    assert door("keys", "manifest", "--root", home / "root.pem", "--passphrase-file", home / "wrong") == 65
    assert door("keys", "manifest", "--root", home / "root.pem", "--passphrase-file", home / "words") == 0


@pytest.mark.clause("KY-21")
def test_a_manifest_is_made_signed_and_shown(home: Path, door: Door) -> None:
    """One call with a root key at hand; what is shown is what was published, byte for byte where it is written."""
    door.create()
    root = rooted(door, home)

    assert door("keys", "manifest") == 64
    assert door("keys", "manifest", "--root", home / "root.pem", "--reason", "first") == 0
    assert "Version 1 is published" in door.out

    found = shown(door)
    assert (found["version"], found["signedBy"], len(found["keys"])) == (1, [root.key_id], 2)
    assert door("keys", "manifest", "--out", home / "kept.json") == 0
    assert open_manifest((home / "kept.json").read_bytes()).digest == found["sha256"]
    assert read_manifest((home / "kept.json").read_bytes(), [root], is_signed).version == 1


@pytest.mark.clause("KY-86")
def test_who_begins_is_told_to_let_two_of_three_sign(home: Path, door: Door) -> None:
    """With the key, and with a first manifest for which one is enough; none is said where two of three sign."""
    door.create()
    roots = [rooted(door, home, f"{name}.pem") for name in ("one", "two", "three")]
    assert "make three, and let two of them sign" in door.out
    one, two, three = (home / f"{name}.pem" for name in ("one", "two", "three"))

    assert door("keys", "manifest", "--unsigned", "--add-root", f"{one}.pub", "--out", home / "alone.json") == 0
    assert "--threshold 2" in door.err
    first = ("keys", "manifest", "--root", one, "--root", two, "--add-root", f"{three}.pub", "--threshold", 2)
    assert door(*first) == 0
    assert "one root key is enough" not in door.err
    assert door("keys", "manifest", "--root", two, "--root", three) == 0
    assert "one root key is enough" not in door.err

    found = shown(door)
    assert (found["version"], found["threshold"]) == (2, 2)
    assert set(found["roots"]) == {each.key_id for each in roots}


@pytest.mark.clause("KY-21")
def test_two_people_sign_offline_in_turn(home: Path, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The body is printed without a root key, signed where no store is, and published when both have signed."""
    door.create()
    ann, bob = rooted(door, home, "ann.pem"), rooted(door, home, "bob.pem")
    adding = ("--add-root", home / "ann.pem.pub", "--add-root", home / "bob.pem.pub", "--threshold", 2)

    assert door("keys", "manifest", "--unsigned", *adding, "--out", home / "0.json") == 0
    with monkeypatch.context() as offline:
        offline.setenv("LOCKGATE_HOME", str(home / "nowhere"))
        assert door("keys", "sign-manifest", home / "0.json", "--root", home / "ann.pem", "--out", home / "1.json") == 0
        assert "It takes 2 of 2 root keys" in door.err
        assert door("keys", "sign-manifest", home / "1.json", "--root", home / "bob.pem", "--out", home / "2.json") == 0
        assert not (home / "nowhere").exists()

    assert door("keys", "manifest", "--publish", home / "1.json") == 65
    assert door("keys", "manifest", "--publish", home / "2.json") == 0
    assert shown(door)["signedBy"] == sorted([ann.key_id, bob.key_id])


@pytest.mark.clause("KY-21")
def test_a_root_that_is_not_named_signs_nothing(home: Path, door: Door) -> None:
    """A stranger's signature would only make the manifest unreadable."""
    door.create()
    rooted(door, home)
    rooted(door, home, "stranger.pem")
    unsigned = ("keys", "manifest", "--unsigned", "--add-root", home / "root.pem.pub", "--out", home / "0.json")
    assert door(*unsigned) == 0

    assert door("keys", "sign-manifest", home / "0.json", "--root", home / "stranger.pem") == 64
    assert "does not name" in door.err


@pytest.mark.clause("KY-21")
def test_too_few_signatures_are_written_and_not_published(home: Path, door: Door) -> None:
    """With --out the next person goes on from there; without it nothing is left."""
    door.create()
    rooted(door, home, "ann.pem")
    rooted(door, home, "bob.pem")
    call = ("keys", "manifest", "--root", home / "ann.pem", "--add-root", home / "bob.pem.pub", "--threshold", 2)

    assert door(*call) == 64
    assert door(*call, "--out", home / "1.json") == 0
    assert door("keys", "manifest") == 64
    assert door("keys", "sign-manifest", home / "1.json", "--root", home / "bob.pem", "--out", home / "2.json") == 0
    assert door("keys", "manifest", "--publish", home / "2.json") == 0


@pytest.mark.clause("KY-22")
def test_a_rotation_says_what_signs_and_where_the_former_key_is(home: Path, door: Door) -> None:
    """Nobody who can be asked is asked for --yes; JSON says the same."""
    made = door.create()
    keys = home / "home" / "keys"

    assert door("keys", "rotate", "receipt") == 64
    assert door("keys", "rotate", "receipt", "--reason", "yearly", "--yes") == 0
    assert f"The former private key is {keys / 'receipt.former.pem'}; nothing needs it any more." in door.out
    assert door("keys", "rotate", "log", "--overlap", "1d", "--yes", "--json") == 0
    said = json.loads(door.out)
    assert said["role"] == "log"
    assert said["receipts"][0]["logIndex"] == 2
    assert door("pause", "--id", made, "--reason", "drill") == 0
    assert door("fsck") == 0, door.out
    saved = door("receipts", made, "--save", home / "saved")
    assert saved == 0


@pytest.mark.clause("KY-22")
def test_a_prepared_key_signs_nothing_until_its_turn(home: Path, door: Door) -> None:
    """It is made once, may be copied, and is the one that follows."""
    door.create()

    assert door("keys", "rotate", "receipt", "--prepare", "--json") == 0
    prepared = json.loads(door.out)["keyid"]
    assert door("keys", "rotate", "receipt", "--prepare") == 0
    assert prepared in door.out
    assert stat.S_IMODE((home / "home" / "keys" / "receipt.next.pem").stat().st_mode) == 0o600
    assert door("keys", "rotate", "receipt", "--yes", "--json") == 0

    assert json.loads(door.out)["keyid"] == prepared


@pytest.mark.clause("KY-22")
def test_a_stolen_key_needs_a_last_good_entry(home: Path, door: Door) -> None:
    """Neither half of the two options is taken alone, and neither is what is no entry."""
    door.create()
    call = ("keys", "rotate", "receipt", "--yes")

    assert door(*call, "--compromised") == 64
    assert door(*call, "--last-good-index", 0) == 64
    assert door(*call, "--compromised", "--last-good-index", "last") == 64
    assert door(*call, "--compromised", "--last-good-index", "9" * 5_000) == 64
    assert door(*call, "--compromised", "--last-good-index", "default:7") == 64
    assert door(*call, "--compromised", "--last-good-index", 0) == 0
    rooted(door, home)
    assert door("keys", "manifest", "--root", home / "root.pem") == 0
    assert [each["status"] for each in shown(door)["keys"]] == ["revoked", "active", "active"]


@pytest.mark.clause("KY-22")
def test_the_last_good_entry_may_be_the_last_that_was_witnessed(home: Path, door: Door) -> None:
    """Where nobody outside has signed a checkpoint there is no such entry."""
    made = door.create()
    assert door("pause", "--id", made, "--reason", "drill") == 0
    call = ("keys", "rotate", "receipt", "--yes", "--compromised", "--last-good-index", "witnessed")
    assert door(*call) == 64
    assert "nobody outside has signed" in door.err
    with sqlite_store(home / "home").writing() as work:
        work.put_voucher(Voucher(kind=VoucherKind.COSIGNATURE, by="w+0+0", size=1, body=b"line\n", at=1))

    assert door(*call) == 0

    rooted(door, home)
    assert door("keys", "manifest", "--root", home / "root.pem") == 0
    assert (shown(door)["keys"][0]["status"], shown(door)["keys"][0]["lastIndex"]) == ("revoked", 0)


@pytest.mark.clause("KY-23")
def test_keys_are_locked_by_the_passphrase_that_a_setting_names(
    home: Path, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that are made are locked; without the passphrase nothing is signed, and in no message is it or the key."""
    (home / "words").write_text("correct horse battery\n", encoding="utf-8")
    monkeypatch.setenv("LOCKGATE_KEY_PASSPHRASE_FILE", str(home / "words"))
    made = door.create()
    assert all(b"ENCRYPTED" in (home / "home" / "keys" / name).read_bytes() for name in ("receipt.pem", "log.pem"))
    assert door("pause", "--id", made, "--reason", "drill") == 0

    monkeypatch.delenv("LOCKGATE_KEY_PASSPHRASE_FILE")
    assert door("resume", "--id", made, "--reason", "drill") == 77
    assert "LOCKGATE_KEY_PASSPHRASE_FILE" in door.err
    (home / "words").write_text("another one\n", encoding="utf-8")
    monkeypatch.setenv("LOCKGATE_KEY_PASSPHRASE_FILE", str(home / "words"))
    assert door("resume", "--id", made, "--reason", "drill") == 65
    assert "another one" not in door.err
    (home / "words").unlink()
    assert door("resume", "--id", made, "--reason", "drill") == 64


@pytest.mark.clause("KY-22")
def test_a_backup_with_keys_has_those_that_follow_and_those_that_sign_still(home: Path, door: Door) -> None:
    """The key that is prepared, the former one of an overlap, and the name of a program are keys as the others are."""
    door.create()
    keys = home / "home" / "keys"
    assert door("keys", "rotate", "log", "--yes") == 0
    assert door("keys", "rotate", "receipt", "--prepare") == 0
    (keys / "log.next.json").write_text("{}", encoding="utf-8")

    assert door("backup", home / "copy", "--with-keys") == 0

    copied = {path.name for path in (home / "copy" / "keys").iterdir()}
    assert {"receipt.pem", "receipt.next.pem", "log.pem", "log.former.pem", "log.next.json"} <= copied


@pytest.mark.clause("KY-22")
@pytest.mark.parametrize("words", [("manifest",), ("manifest", "--unsigned"), ("rotate", "log", "--yes")])
def test_keys_that_sign_are_those_of_the_servers_machine(
    home: Path, door: Door, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """With a server's address the commands refuse, because they would work on another store."""
    door.create()
    monkeypatch.setenv("LOCKGATE_URL", "http://127.0.0.1:9")

    assert door("keys", *words) == 64
    assert "LOCKGATE_URL" in door.err


@pytest.mark.clause("KY-63", "KY-81")
def test_a_former_key_is_revoked_by_its_id(home: Path, door: Door) -> None:
    """The first digits are enough; what was done is said, in JSON too, and the manifest says it from then on."""
    door.create()
    rooted(door, home)
    assert door("keys", "rotate", "log", "--yes") == 0
    assert door("keys", "manifest", "--root", home / "root.pem") == 0
    former = shown(door)["keys"][1]["keyid"]
    call = ("keys", "rotate", "log", "--compromised", "--former", former[:16], "--last-good-index", 1)

    assert door(*call) == 64
    assert door(*call, "--yes") == 0
    assert f"The log key {former} is revoked." in door.out
    assert "The receipt that says so is 3 of" in door.out
    assert door(*call, "--yes", "--json") == 0
    assert json.loads(door.out) == {"role": "log", "revoked": former, "receipts": []}

    assert door("keys", "manifest", "--root", home / "root.pem") == 0
    assert [each["status"] for each in shown(door)["keys"]] == ["active", "revoked", "active"]


@pytest.mark.clause("KY-22", "KY-64")
@pytest.mark.parametrize(
    "words",
    [
        ("receipt", "--former", "0" * 64),
        ("receipt", "--use-prepared"),
        ("receipt", "--end-overlap"),
        ("log", "--compromised", "--last-good-index", "0", "--end-overlap"),
        ("log", "--compromised", "--last-good-index", "0", "--former", "0" * 64, "--prepare"),
        ("log", "--compromised", "--last-good-index", "0", "--former", "0" * 64, "--use-prepared"),
        ("log", "--compromised", "--last-good-index", "0", "--former", "0" * 64),
        ("log", "--compromised", "--last-good-index", "9"),
    ],
)
def test_options_that_do_not_go_together_make_nothing(home: Path, door: Door, words: tuple[str, ...]) -> None:
    """They are refused with advice, before a key is made."""
    door.create()
    keys = home / "home" / "keys"
    before = {path.name for path in keys.iterdir()}

    assert door("keys", "rotate", *words, "--yes") == 64

    assert {path.name for path in keys.iterdir()} == before


@pytest.mark.clause("KY-80")
@pytest.mark.parametrize(
    "words",
    [
        ("receipt", "--compromised", "--last-good-index", "0"),
        ("log", "--compromised", "--last-good-index", "0", "--use-prepared"),
        ("log", "--end-overlap"),
    ],
)
def test_a_key_that_is_only_prepared_ends_nothing(home: Path, door: Door, words: tuple[str, ...]) -> None:
    """Who is in a hurry is not told that all is well while the stolen key signs on."""
    door.create()

    assert door("keys", "rotate", *words, "--prepare", "--yes") == 64

    assert "--prepare only makes a key" in door.err
    assert not list((home / "home" / "keys").glob("*.next.pem"))


@pytest.mark.clause("KY-62")
def test_an_overlap_is_ended_by_who_says_so(home: Path, door: Door) -> None:
    """The refusal says until when it goes on, and which option ends it."""
    door.create()
    assert door("keys", "rotate", "log", "--overlap", "30d", "--yes") == 0

    assert door("keys", "rotate", "log", "--yes") == 64
    assert "--end-overlap" in door.err
    assert door("keys", "rotate", "log", "--end-overlap", "--yes") == 0


@pytest.mark.clause("KY-64")
def test_a_prepared_key_is_named_where_a_stolen_one_is_to_be_followed(home: Path, door: Door) -> None:
    """Who removes the file gets another; who prepared it after the theft says so."""
    door.create()
    assert door("keys", "rotate", "log", "--prepare", "--json") == 0
    prepared = json.loads(door.out)["keyid"]
    call = ("keys", "rotate", "log", "--compromised", "--last-good-index", 0, "--yes", "--json")

    assert door(*call) == 64
    assert "log.next.pem" in door.err
    assert prepared in door.err
    assert door(*call, "--use-prepared") == 0
    assert json.loads(door.out)["keyid"] == prepared
