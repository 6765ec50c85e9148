# SPDX-License-Identifier: Apache-2.0
"""Everything from which one decision is recomputed comes in as one value; its document and bytes go out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.canonical import Json, canonicalize
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.evidence.plan import Plan
from lockgate.core.evidence.progress import Progress
from lockgate.core.evidence.sealed import SealedBucket
from lockgate.core.evidence.state import plain
from lockgate.core.evidence.window import Lookback
from lockgate.core.policy.policy import Policy
from lockgate.core.receipt import Actor
from lockgate.core.rollout import Rollout
from lockgate.core.situation import Target
from lockgate.core.surroundings import Surroundings
from lockgate.core.trial import Look

FORMAT = "lockgate-replay-case/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What an operator asked for, which is taken as given; `target` is where the traffic of a champion went back."""

    action: Action
    cause: Cause
    reason: str
    target: Target | None = None
    release: str | None = None


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks since the receipt before: how many, their chained digest, and themselves; None where pruned."""

    count: int = 0
    digest: str | None = None
    rows: tuple[Look, ...] | None = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """In what a decision is made, but for the evidence.

    `rollout` is as it stood before; `previous` is the digest of the receipt before; `act` None is a turn of the loop.
    """

    plan: Plan
    rollout: Rollout
    seq: int
    previous: str | None
    engine: str
    actor: Actor
    around: Surroundings
    act: Act | None = None
    lookback: Lookback | None = None
    looks: Looks = Looks()

    @property
    def policy(self) -> Policy:
        """Return the policy."""
        return self.plan.policy


@dataclass(frozen=True, slots=True)
class Case:
    """One decision to be made again: its circumstances, what had been read before, and what was read since."""

    circumstances: Circumstances
    before: Progress
    buckets: tuple[SealedBucket, ...] = ()

    def document(self) -> dict[str, Json]:
        """Return the JSON form, in which what other cases hold too, or digests are made of, is written out."""
        circumstances = self.circumstances
        named = ("rollout", "seq", "previous", "engine", "actor", "around", "act", "lookback", "looks")
        return {
            "format": FORMAT,
            "policy": circumstances.policy.written(),
            **{name: plain(getattr(circumstances, name)) for name in named},
            "before": self.before.written(),
            "buckets": [sealed.written() for sealed in self.buckets],
        }

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return canonicalize(self.document())
