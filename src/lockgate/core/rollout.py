# SPDX-License-Identifier: Apache-2.0
"""A candidate on trial comes in as one immutable value; where it stands and which moves are legal go out.

Instants are handed in by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lockgate.core.canonical import Json
from lockgate.core.instant import Instant
from lockgate.core.link import Link
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.policy.step import Step
from lockgate.core.release_digest import ReleaseDigest


class Status(StrEnum):
    """Where a rollout stands; the last three are terminal."""

    ACTIVE = "active"
    PAUSED = "paused"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    CANCELLED = "cancelled"


class Notice(StrEnum):
    """What people are told of a step that holds, once for each time that it is entered."""

    APPROVAL = "approval"
    OVERDUE = "overdue"
    UNTOLD = "untold"


TERMINAL = frozenset({Status.PROMOTED, Status.ROLLED_BACK, Status.CANCELLED})
# How far, in millionths of a percent, a weight that is live may be from the one asked for, and which part of it.
NEAR, NEAR_PART = 50_000, 10


def is_met(asked: float, observed: float) -> bool:
    """Say whether a weight that was read back is the one asked for, but for what a router rounds.

    It is within 0.05 percent of all traffic and a tenth of what was asked for, so that only 0 stands for 0.
    """
    wanted, found = round(asked * 1_000_000), round(observed * 1_000_000)
    return abs(found - wanted) <= min(NEAR, wanted // NEAR_PART)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """What an operator saw pause a rollout and let pass: a gate by its id, a rule or deadline by its cause and id.

    `harm` is where the gate's evidence of harm stood then; None of what is no breach. `revision` is that of the resume.
    """

    what: str
    harm: float | None = None
    revision: int = 0
    reason: str = ""

    @property
    def is_breach(self) -> bool:
        """Say whether it lets the breach of a gate pass."""
        return self.harm is not None

    def named(self) -> dict[str, Json]:
        """Return what a decision states of it: what is let pass, with its evidence of harm."""
        return {"what": self.what, "harm": self.harm}

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One candidate on trial under one policy.

    `weight` is what the rollout asks for; in shadow mode nothing moves and it is the would-be weight.
    `acknowledged`: the weight that an acknowledging actuator last read back; None when none acknowledges.
    `approved_step`: the step whose leaving an operator approved.
    `declared` is the digest of the policy as its owner wrote it, before defaults that depend on what had been seen.
    `waived`: what an operator has seen and let pass at this step. `has_let_pass`: whether a person went past a breach
    or a hold at any step, after which no error rate of promotions is promised.
    `links`: where more is to be read of it, for people. `digests`: the parts that its candidate is made of, by name.
    `notices`: what people were told of this step while it held.
    """

    id: str
    org: str = "default"
    app: str
    baseline: str
    candidate: str
    mode: Mode
    policy_digest: str
    created_at: Instant
    step_entered_at: Instant
    status: Status = Status.ACTIVE
    step: int = 0
    weight: float = 0.0
    acknowledged: float | None = None
    revision: int = 0
    attempt: int = 1
    reductions: int = 0
    approved_step: int | None = None
    waived: tuple[Waiver, ...] = ()
    has_let_pass: bool = False
    pause_reason: str = ""
    former_champion: str | None = None
    declared: str | None = None
    links: tuple[Link, ...] = ()
    digests: tuple[ReleaseDigest, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def is_terminal(self) -> bool:
        """Say whether the rollout has ended."""
        return self.status in TERMINAL

    @property
    def exposed_weight(self) -> float:
        """Return the percent of traffic that Lockgate has asked to send to the candidate."""
        return 0.0 if self.mode is Mode.SHADOW else self.weight

    @property
    def would_be_weight(self) -> float | None:
        """Return the percent that it would ask for, where its mode lets it ask for none; else None."""
        return self.weight if self.mode is Mode.SHADOW else None

    @property
    def is_acknowledged(self) -> bool:
        """Say whether the weight that was asked for is, as far as can be known, the weight that is live."""
        return self.acknowledged is None or is_met(self.exposed_weight, self.acknowledged)

    def is_met(self, policy: Policy) -> bool:
        """Say whether users meet the candidate's answers at this step, so that only runs at its weight are fresh."""
        return policy.is_met(self.step)

    def waiver(self, what: str) -> Waiver | None:
        """Return how something was let pass at this step, if it was."""
        return next((each for each in self.waived if each.what == what), None)

    def seconds_at_step(self, now: Instant) -> int:
        """Return for how many whole seconds the rollout has stood at its step."""
        return max(0, now - self.step_entered_at) // 1000

    def at(self, policy: Policy) -> Step:
        """Return the step that the rollout stands at."""
        return policy.steps[self.step]

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        names = self.__dataclass_fields__
        plain: dict[str, Json] = {name: getattr(self, name) for name in names}
        lists: dict[str, Json] = {
            "waived": [each.document() for each in self.waived],
            "links": dict(self.links),
            "digests": {name: f"sha256:{sha256}" for name, sha256 in self.digests},
            "notices": [each.value for each in self.notices],
        }
        return {**plain, **lists, "mode": self.mode.value, "status": self.status.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What an owner asks for: which candidate to try against which baseline of an app."""

    id: str
    app: str
    baseline: str
    candidate: str
    attempt: int = 1


def start(declared: Declaration, policy: Policy, now: Instant) -> Rollout:
    """Return a rollout at the first step of its policy."""
    return Rollout(
        id=declared.id,
        app=declared.app,
        baseline=declared.baseline,
        candidate=declared.candidate,
        mode=policy.mode,
        policy_digest=policy.digest(),
        created_at=now,
        step_entered_at=now,
        weight=policy.steps[0].weight,
        attempt=declared.attempt,
    )
