# SPDX-License-Identifier: Apache-2.0
"""A transition with its verdict and evidence comes in; its signed receipt, in the log and with its messages, goes out.

Everything is written in the transaction that is handed in, so that nothing is outside before it is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lockgate import __version__
from lockgate.core.evidence.window import Lookback
from lockgate.core.outbox import messages
from lockgate.core.policy.policy import Policy
from lockgate.core.receipt import Actor, Bindings, draft
from lockgate.core.transition import Event, Transition
from lockgate.core.trial import Chain
from lockgate.core.verdict.verdict import Verdict
from lockgate.operations.vault.keeping import Marks, keep
from lockgate.operations.vault.telling import tell
from lockgate.ports.house import House
from lockgate.ports.store import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a receipt says and binds: `state` is the digest of what was read, `bucket` the last number in it."""

    transition: Transition
    verdict: Verdict
    policy: Policy
    actor: Actor
    chain: Chain
    state: str
    bucket: int
    events: Sequence[Event]
    lookback: Lookback | None = None


def record(work: Transaction, house: House, entry: Entry) -> Chain:
    """Write the receipt of a decision, its place in the log and its messages; return the chain that ends in it."""
    transition, chain = entry.transition, entry.chain
    rollout = transition.after
    bindings = Bindings(
        seq=chain.seq + 1,
        previous=chain.receipt,
        state_before=chain.state,
        state_after=entry.state,
        buckets=work.folded(rollout.id, chain.bucket),
        lookback=entry.lookback,
        looks=chain.looks,
        looks_digest=chain.looks_digest,
        engine=__version__,
    )
    drafted = draft(transition, entry.verdict, entry.policy, bindings, entry.actor)
    marks = Marks(
        series=rollout.id,
        seq=bindings.seq,
        revision=rollout.revision,
        action=transition.decision.action,
        cause=transition.decision.cause,
        at=transition.at,
    )
    for content in drafted.contents:
        work.put_content(content)
    receipt = keep(work, house, drafted, marks)
    tell(work, messages(transition, receipt, entry.events, entry.policy))
    return Chain(state=entry.state, seq=receipt.seq, receipt=receipt.digest, at=transition.at, bucket=entry.bucket)
