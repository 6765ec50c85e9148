# SPDX-License-Identifier: Apache-2.0
"""Folders in which keys take their turns come in; wherever that ends, every key is there, for its owner alone."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lockgate import crash_point
from lockgate.adapters.signers.key_folder import FolderSigners, open_signers
from lockgate.core.listed_key import Use
from lockgate.errors import LockgateError, UsageError
from lockgate.ports.signing import Aside


def prepared(folder: Path) -> tuple[FolderSigners, str]:
    """Return the keys of a folder in which one is to follow, and the id of that."""
    ring = open_signers(folder)
    return ring, ring.prepare(Use.RECEIPT).key_id


@pytest.mark.clause("KY-18")
def test_every_private_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Also those that were put aside, twice, and their folder."""
    for _ in range(2):
        ring, key_id = prepared(tmp_path / "keys")
        ring.take(Use.RECEIPT, key_id)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").rglob("*.pem")}
    private = {name: mode for name, mode in modes.items() if "retired" not in name and not name.startswith("receipt-")}
    assert set(private.values()) == {0o600}
    retired = tmp_path / "keys" / "retired"
    assert stat.S_IMODE(retired.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in retired.iterdir()} == {0o600}


@pytest.mark.clause("KY-18")
def test_who_ends_while_keys_change_places_has_both(tmp_path: Path) -> None:
    """The key that signs is never gone, and the next call puts the other one into its place."""
    ring, key_id = prepared(tmp_path)
    old = ring.receipt.key_id

    def end(name: str) -> None:
        if name == "key.aside":
            raise KeyboardInterrupt

    crash_point.handle(end)
    with pytest.raises(KeyboardInterrupt):
        ring.take(Use.RECEIPT, key_id)
    crash_point.handle(None)
    left = open_signers(tmp_path, lambda: False)

    assert left.receipt.key_id == old
    assert [left.signer(Use.RECEIPT, each) is not None for each in (old, key_id)] == [True, True]
    assert left.take(Use.RECEIPT, key_id) == Aside(str(tmp_path / "receipt.former.pem"), is_program=False)
    assert open_signers(tmp_path, lambda: False).receipt.key_id == key_id
    assert left.signer(Use.RECEIPT, old) is not None


@pytest.mark.clause("KY-18")
def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    """The key in its place stays there, and what was put aside stays aside."""
    ring, key_id = prepared(tmp_path)
    ring.take(Use.RECEIPT, key_id)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.pem")}

    assert ring.take(Use.RECEIPT, key_id) is None
    assert open_signers(tmp_path).take(Use.RECEIPT, "0" * 64) is None

    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.pem")} == before


@pytest.mark.clause("KY-18")
def test_many_who_do_it_at_once_come_to_the_same(tmp_path: Path) -> None:
    """Two people call at once: one key follows, and none of the two is lost."""
    ring, key_id = prepared(tmp_path)
    old = ring.receipt.key_id

    def take(_: int) -> None:
        try:
            open_signers(tmp_path, lambda: False).take(Use.RECEIPT, key_id)
        except LockgateError:
            # Who came too late is told, and nothing is lost.
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, range(16)))

    after = open_signers(tmp_path, lambda: False)
    assert after.receipt.key_id == key_id
    assert after.signer(Use.RECEIPT, old) is not None


@pytest.mark.clause("KY-18")
def test_the_key_of_the_other_role_does_not_follow(tmp_path: Path) -> None:
    """A key has one role, whoever copies files."""
    open_signers(tmp_path)
    (tmp_path / "receipt.next.pem").write_bytes((tmp_path / "log.pem").read_bytes())
    (tmp_path / "receipt.next.pem").chmod(0o600)

    with pytest.raises(UsageError, match="signs already"):
        open_signers(tmp_path).prepare(Use.RECEIPT)


@pytest.mark.clause("KY-18")
def test_a_prepared_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """It is as private before its turn as in it."""
    ring, key_id = prepared(tmp_path)
    (tmp_path / "receipt.next.pem").chmod(0o640)

    with pytest.raises(LockgateError, match="can be read or written by others"):
        ring.prepare(Use.RECEIPT)
    with pytest.raises(LockgateError, match="can be read or written by others"):
        open_signers(tmp_path).signer(Use.RECEIPT, key_id)
