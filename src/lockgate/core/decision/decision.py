# SPDX-License-Identifier: Apache-2.0
"""What one turn of the loop decides comes in as a value; its document goes out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lockgate.core.canonical import Json
from lockgate.core.policy.policy import Policy
from lockgate.core.rollout import Rollout, Waiver
from lockgate.core.situation import Situation, Target, WayBack


class Action(StrEnum):
    """What a decision does; the last sixteen are an operator's alone, the last twelve of an app or the organisation."""

    PROMOTE = "promote"
    HOLD = "hold"
    PAUSE = "pause"
    REDUCE = "reduce"
    ROLLBACK = "rollback"
    RESUME = "resume"
    APPROVE = "approve"
    CANCEL = "cancel"
    CLEAR = "clear"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    SET_ACTUATOR = "set_actuator"
    REMOVE_ACTUATOR = "remove_actuator"
    NEW_KEYS = "new_keys"
    ROTATE_KEY = "rotate_key"
    REVOKE_KEY = "revoke_key"
    PUBLISH_MANIFEST = "publish_manifest"
    PRUNE = "prune"
    SET_WEBHOOK = "set_webhook"
    REMOVE_WEBHOOK = "remove_webhook"
    SET_TRUST = "set_trust"
    REMOVE_TRUST = "remove_trust"


class Cause(StrEnum):
    """Which rule decided; the first nine can roll back, the last of them for a newer rollout of the app."""

    REGRESSION = "regression"
    FLOOR = "floor"
    INVARIANT = "invariant"
    SUSTAINED = "sustained"
    LIMIT = "limit"
    DEADLINE = "deadline"
    OPERATOR = "operator"
    KILL = "kill"
    REPLACED = "replaced"
    DISAGREEMENT = "disagreement"
    UNAVAILABLE = "unavailable"
    ALARM = "alarm"
    INSUFFICIENT = "insufficient"
    FREEZE = "freeze"
    PAUSED = "paused"
    PAIRWISE = "pairwise"
    ACKNOWLEDGEMENT = "acknowledgement"
    UNTOLD = "untold"
    MIN_RUNS = "min_runs"
    MIN_HOLD = "min_hold"
    SETTLE = "settle"
    APPROVAL = "approval"
    SOAK = "soak"
    SATISFIED = "satisfied"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One turn of the loop: the action, its cause, the reason in words, and where it leads.

    `also`: every other rule that spoke, so that a receipt shows more than the winner.
    `waived`: what pauses and an operator lets pass by this decision.
    """

    action: Action
    cause: Cause
    reason: str
    step: int
    weight: float
    terminal: bool = False
    way_back: WayBack | None = None
    also: tuple[str, ...] = ()
    waived: tuple[Waiver, ...] = ()

    def document(self) -> dict[str, Json]:
        """Return the JSON form of receipts and answers."""
        back = self.way_back
        return {
            "action": self.action.value,
            "cause": self.cause.value,
            "reason": self.reason,
            "step": self.step,
            "weight": self.weight,
            "terminal": self.terminal,
            "target": None if back is None else {"kind": back.target.value, "release": back.release},
            "also": list(self.also),
            **({"waived": [each.named() for each in self.waived]} if self.waived else {}),
        }


@dataclass(frozen=True, slots=True)
class Call:
    """What one rule of the chain asks for."""

    action: Action
    cause: Cause
    reason: str


def rollback(rollout: Rollout, situation: Situation, cause: Cause, reason: str, also: tuple[str, ...] = ()) -> Decision:
    """Return the decision that ends a rollout at weight 0, with the first way back that may be taken."""
    ways = situation.ways_back or (WayBack(Target.BASELINE, rollout.baseline),)
    taken = next((way for way in ways if way.refusal is None), WayBack(Target.NONE, None))
    refused = tuple(f"not back to {way.release or way.target.value}: {way.refusal}" for way in ways if way.refusal)
    return Decision(
        action=Action.ROLLBACK,
        cause=cause,
        reason=reason,
        step=rollout.step,
        weight=0.0,
        terminal=True,
        way_back=taken,
        also=(*also, *refused),
    )


def promotion(rollout: Rollout, policy: Policy, call: Call, also: tuple[str, ...] = ()) -> Decision:
    """Return the decision that moves a rollout one step forward, or ends it where there is none."""
    last = len(policy.steps) - 1
    step = min(rollout.step + 1, last)
    target = policy.steps[step]
    arrived = rollout.step == last or (step == last and target.ends_on_arrival)
    return Decision(
        action=Action.PROMOTE,
        cause=call.cause,
        reason=call.reason,
        step=step,
        weight=target.weight,
        terminal=arrived,
        also=also,
    )
