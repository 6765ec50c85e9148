# SPDX-License-Identifier: Apache-2.0
"""A signer that fails comes in; nothing of what it should have signed may be kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from lockgate.core.listed_key import Use
from lockgate.core.receipt import operator
from lockgate.errors import LockgateError
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.rollback import rollback
from lockgate.ports.signing import PublicKeys, Signer
from lockgate.testing.signers import seeded_signers
from tests.spec.line import created, receipts, trial_of, world
from tests.spec.operators import kept

pytestmark = pytest.mark.clause("LI-138")
WHO = operator("ada", "drill")


def _raises(_message: bytes) -> bytes:
    raise OSError("the token was pulled out")


def _explains(_message: bytes) -> bytes:
    raise LockgateError("the signer does not answer")


def _garbage(_message: bytes) -> bytes:
    return b"\x00" * 64


def _short(_message: bytes) -> bytes:
    return b"\x01"


@dataclass(frozen=True)
class Faulty:
    """A signer of a right name and key whose signatures come from elsewhere."""

    honest: Signer
    forge: Callable[[bytes], bytes]

    @property
    def key_id(self) -> str:
        """Return the id of the key that it claims."""
        return self.honest.key_id

    @property
    def public_key_pem(self) -> bytes:
        """Return the key that it claims."""
        return self.honest.public_key_pem

    def check(self) -> None:
        """Have a key."""

    def sign(self, message: bytes) -> bytes:
        """Return what it takes for a signature."""
        return self.forge(message)


@dataclass(frozen=True)
class Pair:
    """Two signers, one of which is faulty."""

    receipt: Signer
    log: Signer
    kept: PublicKeys = field(default_factory=PublicKeys)

    def signer(self, role: Use, key_id: str) -> Signer:  # noqa: ARG002 -- it has one of each role, whatever its id
        """Return a signer."""
        return self.receipt if role is Use.RECEIPT else self.log


@pytest.mark.parametrize("role", ["receipt", "log"])
@pytest.mark.parametrize("forge", [_raises, _explains, _garbage, _short, seeded_signers(9).receipt.sign])
def test_what_was_not_signed_is_not_kept(role: str, forge: Callable[[bytes], bytes]) -> None:
    """An exception, garbage, half a signature or one of another key: the transaction is gone whole."""
    here = world()
    rollout = created(here).rollout
    before, honest = kept(here), here.house.signers
    faulty = Pair(
        Faulty(honest.receipt, forge) if role == "receipt" else honest.receipt,
        Faulty(honest.log, forge) if role == "log" else honest.log,
    )

    with pytest.raises((OSError, LockgateError, ValueError)):
        rollback(rollout.id, WHO, replace(here.house, signers=faulty))

    assert kept(here) == before
    assert len(receipts(here.house, rollout.id)) == trial_of(here, rollout.id).chain.seq == 1
    assert fsck(here.house).flaws == ()
