# SPDX-License-Identifier: Apache-2.0
"""A rollout's receipts come in; its transitions, told again by the rules of the line from the first on, go out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from lockgate.core.canonical import Json
from lockgate.core.decision.decision import Action, Cause, Decision
from lockgate.core.instant import Instant
from lockgate.core.notice import noticed
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.receipt import Actor
from lockgate.core.rollout import Declaration, Rollout, Waiver, start
from lockgate.core.situation import Target, WayBack
from lockgate.core.statement import Statement
from lockgate.core.transition import Event, Transition, apply


def unstarted(kept: Rollout, policy: Policy) -> Rollout:
    """Return a rollout as it was before its first receipt."""
    declared = Declaration(
        id=kept.id, app=kept.app, baseline=kept.baseline, candidate=kept.candidate, attempt=kept.attempt
    )
    begun = start(declared, policy, kept.created_at)
    return replace(begun, org=kept.org, weight=0.0, links=kept.links, digests=kept.digests)


def retold(before: Rollout, statement: Statement, at: Instant, policy: Policy) -> Transition:
    """Return the transition that a receipt states, made again from the rollout before it."""
    # Between two receipts an actuator may have read another weight back.
    read_back = cast("Mapping[str, float | None]", statement.predicate["evidence"]).get("acknowledgedWeight")
    before = replace(before, acknowledged=read_back)
    decision = decision_of(statement)
    if statement.seq == 1:
        return Transition(before, replace(before, weight=policy.steps[0].weight, revision=1), decision, at)
    return noticed(apply(before, decision, at), policy)


def events_of(transition: Transition, seq: int) -> tuple[Event, ...]:
    """Return what the receipt of a transition tells."""
    if seq == 1:
        return () if transition.after.mode is Mode.SHADOW else (Event.CREATED,)
    return transition.events


def decision_of(statement: Statement) -> Decision:
    """Return the decision that a receipt states."""
    written = cast("dict[str, Any]", statement.predicate["decision"])
    back = written["target"]
    return Decision(
        action=Action(written["action"]),
        cause=Cause(written["cause"]),
        reason=written["reason"],
        step=written["step"],
        weight=float(written["weight"]),
        terminal=written["terminal"],
        way_back=None if back is None else WayBack(Target(back["kind"]), back["release"]),
        # Where nothing of what else spoke had room, a person went past it all the same.
        also=(*written["also"], *(("…",) if written.get("alsoOmitted") else ())),
        waived=tuple(_waiver(each) for each in written.get("waived", ())),
    )


def _waiver(written: Mapping[str, Any]) -> Waiver:
    harm = written["harm"]
    return Waiver(what=written["what"], harm=None if harm is None else float(harm))


def actor_of(statement: Statement) -> Actor:
    """Return who caused the decision."""
    written = cast("dict[str, Any]", statement.predicate["actor"])
    return Actor(written["type"], written["name"], written["reason"], tuple(written.get("claims", {}).items()))


def misstated(transition: Transition, statement: Statement) -> Iterator[str]:
    """Yield, in words, where a receipt states another standing than the rules make of its decision."""
    for when, name, rollout in (("before", "from", transition.before), ("after", "to", transition.after)):
        stated = cast("Mapping[str, Json]", statement.predicate[name])
        for field, value in _standing(rollout).items():
            if stated.get(field) != value:
                yield f"it states {field} {stated.get(field)} {when} the decision, where the rules make it {value}"


def _standing(rollout: Rollout) -> dict[str, Json]:
    return {
        "status": rollout.status.value,
        "step": rollout.step,
        "weight": rollout.exposed_weight,
        "revision": rollout.revision,
    }


# What is known of a rollout beside its receipts: what was declared or read back, and texts that a receipt may clip.
_APART = ("acknowledged", "declared", "former_champion", "pause_reason")


def astray(told: Rollout, kept: Rollout) -> Iterator[str]:
    """Yield, in words, where a rollout as it is kept is not what its receipts end in."""
    for name in Rollout.__dataclass_fields__:
        said, found = getattr(told, name), getattr(kept, name)
        if name not in _APART and said != found:
            yield f"its row says {name} {found}, its receipts end in {said}"
