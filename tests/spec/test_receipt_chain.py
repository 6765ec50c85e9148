# SPDX-License-Identifier: Apache-2.0
"""Whether the receipts of one rollout are all there: docs/spec.md, Receipts and log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lockgate.core.receipt import Actor, draft
from lockgate.core.refusal import Reason, VerifyError
from lockgate.operations.vault.sign import sign_receipt
from lockgate.verify import verify_chain
from tests.spec.ramp import policy, verdict
from tests.spec.signed import BINDINGS, KEYS, RECEIPTS, chain, drafted, transition

LINKS = chain(5)


def of_another_rollout() -> bytes:
    """Return a second receipt that names our first, but is of another rollout."""
    moved = transition()
    moved = replace(moved, after=replace(moved.after, id="rol_2"))
    bindings = replace(BINDINGS, seq=2, previous="sha256:" + "a" * 64)
    return sign_receipt(draft(moved, verdict(), policy(), bindings, Actor()).payload, RECEIPTS)


@pytest.mark.clause("RE-09")
@pytest.mark.parametrize("count", range(6))
def test_a_whole_chain_verifies(count: int) -> None:
    """From the first receipt on each beginning of the chain is one."""
    links = verify_chain(LINKS[:count], KEYS)

    assert [link.statement.seq for link in links] == list(range(1, count + 1))


@pytest.mark.clause("RE-09")
@pytest.mark.parametrize(
    "broken",
    [
        lambda: LINKS[1:],
        lambda: [*LINKS[:2], *LINKS[3:]],
        lambda: [LINKS[0], LINKS[2], LINKS[1]],
        lambda: [LINKS[0], LINKS[0]],
        lambda: [LINKS[0], sign_receipt(drafted(2, previous=b"another"), RECEIPTS)],
        lambda: [LINKS[0], of_another_rollout()],
    ],
    ids=["no first", "a gap", "out of order", "one twice", "another before it", "another rollout"],
)
def test_a_broken_chain_is_refused(broken: Callable[[], list[bytes]]) -> None:
    """Each receipt is good by itself; that one is missing or exchanged shows all the same."""
    with pytest.raises(VerifyError) as refused:
        verify_chain(broken(), KEYS)

    assert refused.value.reason is Reason.CHAIN
