# SPDX-License-Identifier: Apache-2.0
"""All receipts of a rollout come in, in any order and with faults; the chain verifies, or what is wrong is named."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.finding import Outcome
from lockgate.core.receipt import Actor, Bindings, draft
from lockgate.operations.vault.sign import sign_receipt
from lockgate.verify import Held, Reason, VerifyError, verify_rollout
from tests.spec.ramp import policy, rollout, situation, tick, verdict
from tests.spec.signed import BINDINGS, KEYS, RECEIPTS, VAULT, chain, drafted, vault

LINKS = chain(5)


def held(*numbers: int, is_proven: bool = True) -> list[Held]:
    """Return receipts of the sample by their numbers, as files."""
    return [Held(f"r{seq}", LINKS[seq - 1], VAULT.proof(seq - 1) if is_proven else None) for seq in numbers]


def refused(receipts: list[Held], checkpoint: bytes | None = None) -> VerifyError:
    """Return how a chain is refused."""
    with pytest.raises(VerifyError) as refused:
        verify_rollout(receipts, KEYS, checkpoint)
    return refused.value


def of_another_rollout() -> bytes:
    """Return a good receipt of another rollout."""
    other = rollout(policy(), id="ro_other")
    moved = tick(other, policy(), Outcome.REGRESSED, situation())
    bindings = Bindings(
        seq=1,
        previous=None,
        state_before=BINDINGS.state_before,
        state_after=BINDINGS.state_after,
        buckets=(),
        engine="1",
    )
    return sign_receipt(draft(moved, verdict(), policy(), bindings, Actor()).payload, RECEIPTS)


@pytest.mark.clause("VF-20")
def test_a_chain_verifies_in_any_order() -> None:
    """Files have no order that anybody could rely on."""
    found = {verify_rollout(held(*order), KEYS).document()["sha256"] for order in permutations((1, 2, 3))}

    assert len(found) == 1


@pytest.mark.parametrize(
    ("receipts", "reason", "named"),
    [
        (list, Reason.CHAIN, "no receipt"),
        (lambda: held(2, 3), Reason.CHAIN, "receipt 1 is missing"),
        (lambda: held(1, 2, 4, 5), Reason.CHAIN, "receipt 3 is missing"),
        (lambda: [*held(1, 2, 3), Held("twice", LINKS[1])], Reason.CHAIN_DUPLICATE, "r2 and twice are both receipt 2"),
        (lambda: [*held(1, 2), Held("strange", of_another_rollout())], Reason.CHAIN_FOREIGN, "strange is of another"),
        (
            lambda: [*held(1), Held("forged", sign_receipt(drafted(2, previous=b"another"), RECEIPTS))],
            Reason.CHAIN,
            "receipt 2 names another receipt 1",
        ),
        (lambda: [*held(1), Held("cut", LINKS[1][:-1])], Reason.ENVELOPE_NOT_JSON, "^cut: "),
        (lambda: [*held(1), Held("other", LINKS[1], VAULT.proof(2))], Reason.INCLUSION, "^other: "),
    ],
)
@pytest.mark.clause("VF-20")
def test_what_is_wrong_with_a_chain_is_named(receipts: Callable[[], list[Held]], reason: Reason, named: str) -> None:
    """A gap, a stranger, a double, a broken link and a bad file are refused, each by its reason and name."""
    error = refused(receipts())

    assert error.reason is reason
    with pytest.raises(VerifyError, match=named):
        raise error


@pytest.mark.clause("VF-20")
def test_receipts_stand_in_the_log_in_their_order() -> None:
    """A log that holds a later receipt before an earlier one was not written as it says."""
    turned = vault(LINKS[1], LINKS[0])
    receipts = [Held("r1", LINKS[0], turned.proof(1)), Held("r2", LINKS[1], turned.proof(0))]

    assert refused(receipts).reason is Reason.CHAIN_ORDER


@pytest.mark.clause("VF-20")
def test_proofs_are_of_one_checkpoint() -> None:
    """Nothing says of two checkpoints that they are of one log."""
    shorter = vault(*LINKS[:2])
    receipts = [*held(1), Held("old", LINKS[1], shorter.proof(1))]

    assert refused(receipts).reason is Reason.CHECKPOINTS


@pytest.mark.clause("VF-20")
def test_a_kept_checkpoint_is_compared_with_that_of_the_chain() -> None:
    """A log that shows another tree than before is refused; the same one is said to be one."""
    found = verify_rollout(held(1, 2), KEYS, VAULT.checkpoint())

    assert any(sentence.startswith("That log and the one of the kept checkpoint") for sentence in found.proven)
    assert refused(held(1), checkpoint=vault(*reversed(LINKS)).checkpoint()).reason is Reason.FORK
    assert refused(held(1), checkpoint=VAULT.checkpoint(2)).reason is Reason.GROWTH_MISSING


@pytest.mark.clause("VF-76")
def test_what_a_kept_checkpoint_leaves_open_is_said() -> None:
    """It shows that its keeper's log grew; others may be shown another one, and the log may hold more of a rollout."""
    alone, compared = verify_rollout(held(1, 2), KEYS), verify_rollout(held(1, 2), KEYS, VAULT.checkpoint())

    assert any(sentence.startswith("That the log shows everybody the same tree") for sentence in alone.unproven)
    assert any(sentence.startswith("That the log shows others the tree") for sentence in compared.unproven)
    assert any(sentence.startswith("That the log holds no other receipts") for sentence in compared.unproven)


@pytest.mark.clause("VF-21")
def test_whether_a_rollout_has_ended_is_said() -> None:
    """The last receipt says how it stands, and that none follows is left open."""
    found = verify_rollout(held(1, 2, 3, 4, 5), KEYS)

    assert found.status == "rolled_back"
    assert "It has ended: rolled_back." in found.proven
    assert "That no later receipt than 5 exists." in found.unproven
    assert found.document()["ended"] is True


@pytest.mark.clause("VF-21")
def test_a_rollout_that_goes_on_is_said_to() -> None:
    """A chain up to a promotion by one step is no end."""
    going = rollout(policy())
    moved = tick(going, policy(), Outcome.CLEAN, situation())
    first = sign_receipt(draft(moved, verdict(), policy(), BINDINGS, Actor()).payload, RECEIPTS)

    found = verify_rollout([Held("r1", first)], KEYS)

    assert any(sentence.startswith("It was still going: active") for sentence in found.proven)
    assert found.document()["ended"] is False


@pytest.mark.clause("VF-21")
def test_what_came_without_a_proof_is_counted() -> None:
    """Some receipts may be proven to be in the log and others not."""
    found = verify_rollout([*held(1, 2), *held(3, is_proven=False)], KEYS)

    assert any(sentence.startswith("2 of them are in the log") for sentence in found.proven)
    assert any("1 came without a proof of inclusion" in sentence for sentence in found.unproven)


@given(st.sampled_from(LINKS), st.integers(0, 8 * min(map(len, LINKS)) - 1))
@pytest.mark.clause("VF-20")
def test_a_bit_of_any_receipt_counts(link: bytes, at: int) -> None:
    """A chain with one bit changed anywhere is refused."""
    changed = bytearray(link)
    changed[at // 8] ^= 1 << at % 8
    receipts = [Held(str(seq), bytes(changed) if each is link else each) for seq, each in enumerate(LINKS)]

    assert refused(receipts).reason in Reason


@pytest.mark.clause("VF-22")
def test_progress_is_told() -> None:
    """Whoever waits for ten thousand receipts is told how far it is."""
    told: list[tuple[str, int]] = []

    verify_rollout(held(1, 2), KEYS, tell=lambda what, number: told.append((what, number)))

    assert told == [("receipts", 1), ("receipts", 2)]
