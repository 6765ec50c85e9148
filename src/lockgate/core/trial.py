# SPDX-License-Identifier: Apache-2.0
"""A rollout, what it has read, where its spans begin and the end of its chain of receipts come in as one value.

It is what one turn of the loop loads and saves; what grows with time (receipts, looks, buckets) stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockgate.core.canonical import Json, digest
from lockgate.core.evidence.progress import Progress
from lockgate.core.evidence.window import Span
from lockgate.core.instant import SECOND, Instant
from lockgate.core.policy.policy import Policy
from lockgate.core.rollout import Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The end of a rollout's receipts: the last one, what it bound, and the looks since.

    `bucket` is the number of the last bucket that it bound, `state` the digest of the folded state then.
    """

    state: str
    seq: int = 0
    receipt: str | None = None
    at: Instant = 0
    bucket: int = -1
    looks: int = 0
    looks_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A turn of the loop that changed nothing: what was said, in a compact row."""

    number: int
    at: Instant
    action: str
    cause: str
    reason: str
    outcome: str
    last_bucket: int

    def document(self) -> dict[str, Json]:
        """Return the JSON form that receipts bind."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A rollout with its progress; `turn` counts the times it was saved, so that of two savers one wins.

    `ticked_at` is when the loop last took a turn; before the first, 0. `has_looks` until they are pruned, which only
    those of a rollout are that has ended.
    """

    rollout: Rollout
    progress: Progress
    spans: tuple[Span, ...]
    chain: Chain
    turn: int = 0
    ticked_at: Instant = 0
    has_looks: bool = True

    @property
    def earlier_runs(self) -> int:
        """Return how many of the candidate's runs at this step ran before the rollout."""
        return self.progress.state.earlier_at(self.rollout.step)

    @property
    def fresh_runs(self) -> int:
        """Return the candidate runs that count towards leaving the step."""
        return self.progress.state.fresh_at(self.rollout.step)


def entered(rollout: Rollout, policy: Policy, first: int, *, is_moved: bool) -> Span:
    """Return the span that begins when a rollout has entered its step, with the bucket of a number as its first."""
    # An import may come between the change and the first live bucket, so that its number alone does not tell.
    unknown_s = policy.bucket_s if is_moved else 0
    settles_at = rollout.step_entered_at + max(rollout.at(policy).settle_s, unknown_s) * SECOND
    is_awaited = is_moved and rollout.acknowledged is not None
    return Span(
        first=first,
        step=rollout.step,
        is_moved=is_moved,
        settles_at=settles_at,
        began_at=rollout.step_entered_at,
        is_awaited=is_awaited,
        revision=rollout.revision,
    )


def acknowledged(trial: Trial, policy: Policy, weight: float, first: int, now: Instant) -> Trial:
    """Return the trial of which a weight was read back: from the bucket of a number on, that is what is live."""
    rollout = replace(trial.rollout, acknowledged=weight)
    if rollout.is_terminal:
        return replace(trial, rollout=rollout)
    # Runs that are imported later may have begun before.
    span = replace(
        trial.spans[-1],
        first=first,
        is_moved=False,
        is_awaited=not rollout.is_acknowledged,
        settles_at=now + rollout.at(policy).settle_s * SECOND,
        began_at=now,
    )
    return replace(trial, rollout=rollout, spans=(*trial.spans, span))


def unacknowledged(trial: Trial, policy: Policy, first: int, now: Instant) -> Trial:
    """Return the trial whose weights nobody reads back any more; one that was awaited counts as moved now."""
    rollout = replace(trial.rollout, acknowledged=None)
    if rollout.is_terminal or not trial.spans[-1].is_awaited:
        return replace(trial, rollout=rollout)
    settles_at = now + max(rollout.at(policy).settle_s, policy.bucket_s) * SECOND
    span = replace(trial.spans[-1], first=first, is_moved=True, is_awaited=False, settles_at=settles_at, began_at=now)
    return replace(trial, rollout=rollout, spans=(*trial.spans, span))


def looked(chain: Chain, look: Look) -> Chain:
    """Return the chain with one more look, bound by the digest of the looks before it and its own document."""
    return replace(chain, looks=chain.looks + 1, looks_digest=digest([chain.looks_digest, look.document()]))
