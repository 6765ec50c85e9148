# SPDX-License-Identifier: Apache-2.0
"""Two machines with keys folders of their own on one PostgreSQL come in; keys are rotated while both sign."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lockgate.adapters.signers.key_folder import ROLES, open_signers
from lockgate.core.envelope import signer_of
from lockgate.core.key_manifest import read_manifests
from lockgate.core.listed_key import Use
from lockgate.core.receipt import operator
from lockgate.errors import NotPermittedError
from lockgate.operations.create import Order, create
from lockgate.operations.keys.manifest import Roots, draft_manifest, publish_manifest
from lockgate.operations.keys.rotate_key import Rotation, rotate_key
from lockgate.operations.soundness.fsck import fsck
from lockgate.ports.house import House
from lockgate.verify import Keys, is_signed
from lockgate.wiring import postgres_store, system_clock
from tests.postgresql import Cluster
from tests.spec.test_rotation import ROOT, counted, entries, public, signed, versions
from tests.spec.test_stolen_keys import believed
from tests.spec.thief import stolen

pytestmark = pytest.mark.postgres
WHO = operator("ada", "drill")
DAY = 86_400_000


def machine(url: str, keys: Path) -> House:
    """Return a machine's house."""
    return House(postgres_store(url), system_clock(), open_signers(keys))


def decide(house: House, app: str) -> None:
    """Let a machine sign something."""
    create(Order(app=app, candidate="v2", baseline="v1", policy={"mode": "canary"}), house)


def five(house: House, name: str) -> None:
    """Let a machine sign five things."""
    for turn in range(5):
        decide(house, f"{name}-{turn}")


@pytest.mark.clause("KY-11")
def test_keys_are_prepared_copied_and_followed_on_every_machine(postgresql: Cluster, tmp_path: Path) -> None:
    """Both go on signing by the right key while both keys change; without the copy the second machine signs nothing."""
    url, (one, two) = postgresql.new_database(), (tmp_path / "one", tmp_path / "two")
    first = machine(url, one)
    decide(first, "begin")
    shutil.copytree(one, two)
    second = machine(url, two)
    for role in ROLES:
        open_signers(one).prepare(role)
        shutil.copy2(one / f"{role}.next.pem", two / f"{role}.next.pem")

    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(five, house, name) for house, name in ((first, "one"), (second, "two"))]
        ring = open_signers(one)
        for role in ROLES:
            rotate_key(Rotation(role=role, actor=WHO, overlap=DAY), first, ring)
        for each in done:
            each.result()
    decide(second, "last")
    finished = [rotate_key(Rotation(role=role, actor=WHO), second, open_signers(two)).receipts for role in ROLES]

    with first.store.reading() as seen:
        log = seen.entries_after(-1, 100)
    assert len(log) == 1 + 2 * 5 + 2 + 1
    assert signer_of(log[-1].envelope) == open_signers(two).receipt.key_id == open_signers(one).receipt.key_id
    assert finished == [{}, {}]
    assert fsck(machine(url, one)).flaws == ()

    rotate_key(Rotation(role=Use.RECEIPT, actor=WHO), first, open_signers(one))
    with pytest.raises(NotPermittedError, match=r"not in the keys folder here|did not sign this store"):
        decide(second, "without")


@pytest.mark.clause("KY-67")
@pytest.mark.parametrize("role", ROLES)
def test_a_key_that_was_stolen_from_one_machine_is_followed_on_both(
    postgresql: Cluster, tmp_path: Path, role: Use
) -> None:
    """The key that follows is made after the theft and copied; each machine signs by it, and nothing forged counts."""
    url, (one, two) = postgresql.new_database(), (tmp_path / "one", tmp_path / "two")
    first = machine(url, one)
    decide(first, "begin")
    shutil.copytree(one, two)
    second = machine(url, two)
    decide(second, "more")
    thief = stolen(two, f"{role}.pem")
    rotation = Rotation(role=role, actor=WHO, last_good={"default": 1}, may_use_prepared=True)

    open_signers(one).prepare(role)
    rotate_key(rotation, first, open_signers(one))
    with pytest.raises(NotPermittedError, match=r"not in the keys folder here|did not sign this store"):
        decide(second, "without")
    shutil.copy2(one / f"{role}.pem", two / f"{role}.next.pem")
    decide(second, "with")
    finished = rotate_key(rotation, second, open_signers(two))
    decide(first, "last")

    assert finished.receipts == {}
    assert open_signers(two).signer(role, finished.key_id) is not None
    publish_manifest(signed(draft_manifest(first, Roots((public(ROOT),))), ROOT), WHO, first)
    manifest = read_manifests(versions(first), [public(ROOT)], is_signed)
    assert believed(thief, first, Keys(manifest=manifest)) == []
    assert counted(manifest, entries(first)) == [0, 1, 2, 3, 4, 5]
    assert fsck(machine(url, one)).flaws == ()
