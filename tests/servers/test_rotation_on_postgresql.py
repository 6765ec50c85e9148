# SPDX-License-Identifier: Apache-2.0
"""Two machines with keys folders of their own on one PostgreSQL come in; keys are rotated while both sign."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lockgate.adapters.signers.key_folder import ROLES, open_signers
from lockgate.core.envelope import signer_of
from lockgate.core.listed_key import Use
from lockgate.core.receipt import operator
from lockgate.errors import NotPermittedError
from lockgate.operations.create import Order, create
from lockgate.operations.keys.rotate_key import Rotation, rotate_key
from lockgate.operations.soundness.fsck import fsck
from lockgate.ports.house import House
from lockgate.wiring import postgres_store, system_clock
from tests.postgresql import Cluster

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
    with pytest.raises(NotPermittedError, match="not in the keys folder here"):
        decide(second, "without")
