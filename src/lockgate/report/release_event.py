# SPDX-License-Identifier: Apache-2.0
"""A release record comes in; what happened, in its order and as people say it, goes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lockgate.core.decision.decision import Action
from lockgate.core.rollout import Status
from lockgate.core.wording import count_text
from lockgate.report.decided import actor_words
from lockgate.report.text import printable

Record = Mapping[str, Any]
# How an event is marked; what a stylesheet calls it.
GOOD, BAD, WAITING, PERSON = "clean", "regressed", "insufficient", "person"
# What a person or job does that moves nothing, and what was done to app or organisation.
_DONE = {
    Action.PAUSE: "Paused",
    Action.RESUME: "Resumed",
    Action.APPROVE: "Approved",
    Action.CANCEL: "Cancelled",
    Action.CLEAR: "Alarm cleared",
    Action.FREEZE: "App frozen",
    Action.UNFREEZE: "App unfrozen",
    Action.SET_ACTUATOR: "What moves the traffic was declared",
    Action.REMOVE_ACTUATOR: "What moves the traffic was removed",
    Action.NEW_KEYS: "New signing keys",
    Action.ROTATE_KEY: "A signing key was replaced",
    Action.REVOKE_KEY: "A former signing key was revoked",
    Action.PUBLISH_MANIFEST: "The list of signing keys was published",
    Action.SET_WEBHOOK: "A webhook was declared",
    Action.REMOVE_WEBHOOK: "A webhook was removed",
    Action.SET_TRUST: "Whose jobs may call was declared",
    Action.REMOVE_TRUST: "A rule of whose jobs may call was removed",
    Action.PRUNE: "Old evidence pruned",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseEvent:
    """Something that happened: when, what in one line, why, by whom, and the receipt that says so."""

    at: str
    title: str
    reason: str
    by: str
    tone: str
    receipt: str
    until: str | None = None


def release_events(record: Record) -> list[ReleaseEvent]:
    """Return what happened, the first first; what one receipt says is one event."""
    found = [*_moves(record), *_operated(record), *_alerted(record), *_related(record)]
    return [event for _, event in sorted(found, key=lambda each: each[0])]


# By the time, then the place in the log, then what an event says.
Placed = tuple[tuple[str, int, str], ReleaseEvent]


def _moves(record: Record) -> Iterator[Placed]:
    before: Mapping[str, Any] | None = None
    by = {each["rests"]["seq"]: actor_words(each["by"]) for each in record["operatorActions"]}
    for move in record["weights"]["asked"]:
        title, tone = _moved(before, move, record)
        yield _event(move, title, tone, by.get(move["rests"]["seq"], ""))
        before = move


def _moved(before: Mapping[str, Any] | None, move: Mapping[str, Any], record: Record) -> tuple[str, str]:
    weight = f"{weight_of(move):g} %"
    if before is None:
        return f"The trial began at {weight}", WAITING
    was = f"{weight_of(before):g} %"
    if move["status"] == Status.ROLLED_BACK:
        back = record["decision"]["target"]
        to = f" to {back['release']}" if back and move["rests"] == record["decision"]["rests"] else ""
        return f"Rolled back{to}, from {was} to {weight}", BAD
    if move["status"] == Status.PROMOTED:
        return f"Promoted, at {weight}", GOOD
    if move["status"] == Status.CANCELLED:
        return "Cancelled", WAITING
    if move["action"] == Action.REDUCE:
        return f"Reduced from {was} to {weight}", BAD
    if weight_of(move) != weight_of(before):
        return f"Moved from {was} to {weight}", GOOD
    if move["status"] == Status.PAUSED:
        return f"Paused, at {weight}", WAITING
    return f"Goes on, at {weight}", GOOD


def _operated(record: Record) -> Iterator[Placed]:
    moved = {move["rests"]["seq"] for move in record["weights"]["asked"]}
    for each in record["operatorActions"]:
        if each["rests"]["seq"] not in moved:
            yield _event(each, _title(each), PERSON, actor_words(each["by"]))


def _alerted(record: Record) -> Iterator[Placed]:
    moved = {move["rests"]["seq"] for move in record["weights"]["asked"]}
    for alert in record["alerts"]:
        if alert["action"] != Action.HOLD and alert["rests"]["seq"] in moved:
            continue
        kind = alert["kind"].replace("_", " ")
        turns = f", {count_text(alert['turns'], 'turn')}" if alert["turns"] > 1 else ""
        until = alert["until"] if alert["until"] != alert["from"] else None
        yield _event({**alert, "at": alert["from"]}, f"Alert: {kind}{turns}", BAD, "", until)


def _related(record: Record) -> Iterator[Placed]:
    for each in record["related"]:
        yield _event(each, _title(each), PERSON, actor_words(each["by"]))


def _title(each: Mapping[str, Any]) -> str:
    action = Action(each["action"])
    return _DONE.get(action, action.value.replace("_", " ").capitalize())


def _event(each: Mapping[str, Any], title: str, tone: str, by: str, until: str | None = None) -> Placed:
    rests = each["rests"]
    event = ReleaseEvent(
        at=each["at"],
        title=printable(title),
        reason=printable(each["reason"] or ""),
        by=printable(by),
        tone=tone,
        receipt=f"receipt {rests['seq']}, entry {rests['logIndex']:,} of the log",
        until=until,
    )
    return (each["at"], rests["logIndex"], title), event


def weight_of(move: Mapping[str, Any]) -> float:
    """Return the weight that was asked for, or in shadow mode would have been."""
    would_be = move["wouldBeWeight"]
    return float(move["weight"] if would_be is None else would_be)
