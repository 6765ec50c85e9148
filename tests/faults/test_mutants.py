# SPDX-License-Identifier: Apache-2.0
"""The line with a part left out or exchanged comes in; the check must find what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from lockgate.adapters.stores.memory.store import MemoryTransaction
from lockgate.core.decision.chain import decide
from lockgate.core.decision.decision import Action, Call, Cause, Decision, promotion
from lockgate.core.receipt import Bindings
from lockgate.core.soundness.flaw import Rule
from lockgate.core.spine import seal
from lockgate.errors import LockgateError
from lockgate.operations.intake import sealing
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.vault import keeping, record
from lockgate.testing.world import World
from tests.spec.line import EQUAL, created, world

pytestmark = [pytest.mark.faults, pytest.mark.tampers, pytest.mark.clause("LI-139")]
Patch = pytest.MonkeyPatch


def _state_in_a_part_of_its_own(patch: Patch) -> None:
    """The rollout's row is lost after its receipt was kept, as by a crash between two transactions."""
    patch.setattr(MemoryTransaction, "save", _only_first(MemoryTransaction.save))


def _only_first(save: Callable[..., None]) -> Callable[..., None]:
    def only_first(work: MemoryTransaction, trial: Any) -> None:
        if trial.turn == 1 or trial.rollout.revision == 1:
            save(work, trial)

    return only_first


def _outbox_after_the_commit(patch: Patch) -> None:
    """Messages are to be written when the transaction is kept, and the process ends before."""
    patch.setattr(record, "tell", lambda _work, _messages: None)


def _wrong_place_in_the_log(patch: Patch) -> None:
    """Nodes of the log are those of another entry."""
    patch.setattr(keeping, "leaf_hash", lambda _envelope: b"\x01" * 32)


def _weight_that_is_not_in_the_policy(patch: Patch) -> None:
    """A rollout moves to a weight that nobody declared."""
    patch.setattr("lockgate.operations.tick.decide", lambda *given: _halved(decide(*given)))


def _halved(decision: Decision) -> Decision:
    return replace(decision, weight=decision.weight / 2) if decision.action is Action.PROMOTE else decision


def _bucket_that_binds_nothing(patch: Patch) -> None:
    """A bucket is sealed without the batches that it was made of."""
    patch.setattr(sealing, "seal", lambda slot, cells, _batches, *rest: seal(slot, cells, (), *rest))


def _receipts_that_name_no_other(patch: Patch) -> None:
    """A receipt does not name the one before it."""
    patch.setattr(record, "Bindings", lambda **given: Bindings(**{**given, "previous": "sha256:" + "0" * 64}))


def _decisions_without_evidence(patch: Patch) -> None:
    """A tick promotes whatever it has read."""
    call = Call(Action.PROMOTE, Cause.SATISFIED, "because")
    patch.setattr(
        "lockgate.operations.tick.decide", lambda rollout, policy, _verdict, _around: promotion(rollout, policy, call)
    )


def _looks_that_are_forgotten(patch: Patch) -> None:
    """A look is bound by the next receipt, and its row is not kept."""
    patch.setattr(MemoryTransaction, "add_look", lambda _work, _rollout_id, _look: None)


MUTANTS: dict[Callable[[Patch], None], Rule] = {
    _state_in_a_part_of_its_own: Rule.STANDING,
    _outbox_after_the_commit: Rule.OUTBOX,
    _wrong_place_in_the_log: Rule.LOG,
    _weight_that_is_not_in_the_policy: Rule.RAMP,
    _bucket_that_binds_nothing: Rule.EVIDENCE,
    _decisions_without_evidence: Rule.REPLAY,
    _looks_that_are_forgotten: Rule.REPLAY,
}


@contextmanager
def _line_with(mutant: Callable[[Patch], None]) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        mutant(patch)
        yield world()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.__name__.strip("_"))
def test_a_line_that_is_not_whole_is_found(mutant: Callable[[Patch], None]) -> None:
    """Ticks go on as if nothing were; the check says which rule is broken."""
    with _line_with(mutant) as here:
        rollout = created(here).rollout
        # The store's own barriers stop some of them after a while, and not what was kept by then.
        with suppress(LockgateError):
            here.walk(rollout.id, EQUAL, runs=2000, minutes=20)

    found = fsck(here.house)

    assert MUTANTS[mutant] in {flaw.rule for flaw in found.flaws}


def test_a_receipt_that_names_another_before_it_is_found() -> None:
    """Its own signature is right, and the chain is not."""
    here = world()
    rollout = created(here).rollout
    with pytest.MonkeyPatch.context() as patch:
        _receipts_that_name_no_other(patch)
        here.walk(rollout.id, EQUAL, runs=2000, minutes=20)

    assert Rule.CHAIN in {flaw.rule for flaw in fsck(here.house).flaws}


def test_the_same_line_without_a_fault_is_sound() -> None:
    """What the others find is what was left out."""
    here = world()
    rollout = created(here).rollout
    here.walk(rollout.id, EQUAL, runs=2000, minutes=20)

    assert fsck(here.house).flaws == ()
