# SPDX-License-Identifier: Apache-2.0
"""What clients asked of servers and were answered, and how it ended, come in; every promise that was broken goes out.

Nothing is known here of how a server works: only what clients saw, when, and what its receipts say in the end.
Times are of one clock, so that a call that began after another had ended must see what that one saw.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple

ENDED = frozenset({"promoted", "rolled_back", "cancelled"})
_SPELT = {"rolloutId": "rollout_id", "receiptId": "decision_event_id", "logIndex": "log_index"}


class Kind(StrEnum):
    """What a client asked for."""

    LOOK = "look"
    TURN = "turn"
    ACT = "act"
    KILL = "kill"
    UNFREEZE = "unfreeze"
    SEND = "send"


# What may change a rollout.
MOVING = frozenset({Kind.TURN, Kind.ACT, Kind.KILL})


class CallOutcome(StrEnum):
    """What became of a call: in doubt is one that may have been carried out and was not answered so."""

    DONE = "done"
    REFUSED = "refused"
    IN_DOUBT = "in doubt"


class Standing(NamedTuple):
    """Where a rollout was said to stand."""

    revision: int
    step: int
    weight: float
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of one client. `answer` is the digest of the whole answer, `receipt` the latest one that it names.

    `is_killed` and `version` are what an app was said to be and to have.
    `batch` is the digest of runs that were sent, `runs` how many counted.
    """

    client: str
    kind: Kind
    began: float
    ended: float
    outcome: CallOutcome = CallOutcome.DONE
    app: str = ""
    rollout: str = ""
    key: str = ""
    answer: str = ""
    standing: Standing | None = None
    receipt: int | None = None
    is_killed: bool | None = None
    version: int | None = None
    batch: str = ""
    runs: int = 0
    is_repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What one receipt says: of which rollout and app, its numbers, and where the rollout stood before and after."""

    rollout: str
    app: str
    seq: int
    action: str
    before: Standing | None
    after: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message as a receiver got it: `place` is that of its receipt in the log."""

    id: str
    app: str
    rollout: str
    revision: int
    place: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Calls in any order, and what was read when all was over; `runs` counts by app, `told` is in order of arrival.

    `has_own_turns`: servers took turns by themselves, which no client has asked for.
    """

    calls: Sequence[Call]
    receipts: Mapping[str, Sequence[Decided]]
    runs: Mapping[str, int] = field(default_factory=dict)
    told: Sequence[Told] = ()
    has_own_turns: bool = False


Rule = Callable[[History], Iterator[str]]


def read_statement(payload: bytes, app: str) -> Decided:
    """Return what the payload of a receipt says, of a rollout of an app."""
    said: Mapping[str, Any] = json.loads(payload)["predicate"]
    before, after = said["from"], said["to"]
    return Decided(
        rollout=said["rolloutId"],
        app=app,
        seq=said["seq"],
        action=said["decision"]["action"],
        before=None if before is None else _standing(before),
        after=_standing(after),
    )


def read_message(body: bytes) -> Told | None:
    """Return what a receiver was told of a rollout; None where it is of an app."""
    said: Mapping[str, Any] = json.loads(body)
    # A version before names these in another spelling.
    data = {_SPELT.get(name, name): value for name, value in said["data"].items()}
    if "rollout_id" not in data:
        return None
    return Told(
        id=f"{data['decision_event_id']} {said['type']}",
        app=data["app"],
        rollout=data["rollout_id"],
        revision=data["revision"],
        place=data["log_index"],
        body=body,
    )


def _standing(place: Mapping[str, Any]) -> Standing:
    return Standing(place["revision"], place["step"], place["weight"], place["status"])


def broken(history: History) -> list[str]:
    """Return everything that a history breaks, the rules in order."""
    return [fault for rule in RULES for fault in rule(history)]


def nothing_acknowledged_is_lost(history: History) -> Iterator[str]:
    """Yield answers that the receipts do not hold: a standing that no receipt left behind, a receipt that is gone."""
    for call in _answered(history):
        assert call.standing is not None
        receipts = history.receipts.get(call.rollout, ())
        if call.standing not in {each.after for each in receipts}:
            yield f"lost: {call.client} was told that {call.rollout} stands at {call.standing}, and no receipt says so"
        if call.receipt is not None and call.receipt > len(receipts):
            yield f"lost: {call.client} was told of receipt {call.receipt} of {call.rollout}, of {len(receipts)}"


def one_answer_for_one_thing(history: History) -> Iterator[str]:
    """Yield what was answered differently: a revision, a version, a receipt, or a call that came by its key again."""
    stood: dict[tuple[str, int], set[Standing]] = defaultdict(set)
    signed: dict[tuple[str, int], set[Standing]] = defaultdict(set)
    killed: dict[tuple[str, int], set[bool]] = defaultdict(set)
    keyed: dict[str, set[str]] = defaultdict(set)
    for call in _answered(history):
        assert call.standing is not None
        stood[call.rollout, call.standing.revision].add(call.standing)
    for call in history.calls:
        if call.key and call.outcome is CallOutcome.DONE:
            keyed[call.key].add(call.answer)
        if call.version is not None and call.is_killed is not None:
            killed[call.app, call.version].add(call.is_killed)
    for each in _receipts(history):
        signed[each.rollout, each.seq].add(each.after)
    yield from (f"two answers: revision {what[1]} of {what[0]}: {sorted(s)}" for what, s in stood.items() if len(s) > 1)
    yield from (f"two answers: receipt {what[1]} of {what[0]}: {sorted(s)}" for what, s in signed.items() if len(s) > 1)
    yield from (
        f"two answers: version {what[1]} of {what[0]} is killed and is not" for what, s in killed.items() if len(s) > 1
    )
    yield from (f"two answers: the key {key} was answered in {len(s)} ways" for key, s in keyed.items() if len(s) > 1)


def each_step_happens_once(history: History) -> Iterator[str]:
    """Yield receipts that leave a gap, begin elsewhere than the one before ended, or take a step that was taken."""
    for rollout, receipts in history.receipts.items():
        if [each.seq for each in receipts] != list(range(1, len(receipts) + 1)):
            yield f"receipts: {rollout} has the numbers {[each.seq for each in receipts]}"
        for before, after in pairwise(receipts):
            if after.before != before.after:
                yield f"receipts: {rollout} seq {after.seq} begins elsewhere than seq {before.seq} ended"
        entered = Counter(
            each.after.step
            for each in receipts
            if each.action == "promote" and each.before is not None and each.before.step != each.after.step
        )
        if not any(each.action == "reduce" for each in receipts):
            yield from (f"twice: {rollout} came to step {step} {n} times" for step, n in entered.items() if n > 1)


def nobody_is_taken_back(history: History) -> Iterator[str]:
    """Yield calls that saw less of a rollout or an app than another that ended before, also of another server."""
    found: dict[str, list[tuple[Call, int]]] = defaultdict(list)
    for call in history.calls:
        if call.outcome is CallOutcome.DONE and call.standing is not None:
            found[f"revision of {call.rollout}"].append((call, call.standing.revision))
        if call.outcome is CallOutcome.DONE and call.version is not None:
            found[f"version of {call.app}"].append((call, call.version))
    for what, calls in found.items():
        ended = sorted(calls, key=lambda each: each[0].ended)
        seen, place = 0, 0
        for call, number in sorted(calls, key=lambda each: each[0].began):
            while place < len(ended) and ended[place][0].ended < call.began:
                seen = max(seen, ended[place][1])
                place += 1
            if number < seen:
                yield f"back: {call.client} saw {number} for the {what} after {seen} had been answered"


def a_kill_is_seen_at_once(history: History) -> Iterator[str]:
    """Yield calls that began after a kill was answered and found its app, or a rollout from before it, alive."""
    first = _first_seen(history)
    for kill in history.calls:
        if kill.kind is not Kind.KILL or kill.outcome is not CallOutcome.DONE:
            continue
        for call in history.calls:
            if call.app != kill.app or call.outcome is not CallOutcome.DONE or call.began < kill.ended:
                continue
            is_older = first.get(call.rollout, float("inf")) < kill.began
            if call.standing is not None and is_older and call.standing.status not in ENDED:
                yield f"kill: {call.client} found {call.rollout} {call.standing.status} after {kill.app} was killed"
            if call.is_killed is False and not _is_unfrozen(history.calls, kill, call):
                yield f"kill: {call.client} found {kill.app} alive after it was killed"


def nothing_happens_unasked(history: History) -> Iterator[str]:
    """Yield rollouts that changed more often than they were asked to: by calls that were answered, or are in doubt."""
    if history.has_own_turns:
        return
    for rollout, receipts in history.receipts.items():
        asked = [call for call in history.calls if call.kind in MOVING and _is_of(call, rollout, receipts[0].app)]
        answered = {_revision(call) for call in asked if call.standing is not None and call.outcome is CallOutcome.DONE}
        # A kill is answered with where its app stands, and says of no rollout at which revision it came.
        others = [call for call in asked if call.standing is None and call.outcome is not CallOutcome.REFUSED]
        left = {each.after.revision for each in receipts} - answered - {1}
        if len(left) > len(others):
            yield f"unasked: {rollout} came to {len(left)} revisions that nobody asked for, with {len(others)} in doubt"


def each_run_counts_once(history: History) -> Iterator[str]:
    """Yield apps whose runs are fewer than were taken or more than were sent, and batches that were taken twice."""
    sent: dict[str, dict[str, int]] = defaultdict(dict)
    taken: dict[str, dict[str, int]] = defaultdict(dict)
    fresh: Counter[str] = Counter()
    for call in history.calls:
        if call.kind is Kind.SEND and call.outcome is not CallOutcome.REFUSED:
            sent[call.app][call.batch] = call.runs
        if call.kind is Kind.SEND and call.outcome is CallOutcome.DONE:
            taken[call.app][call.batch] = call.runs
            fresh[call.batch] += not call.is_repeated
    yield from (f"runs: the batch {batch} was taken as new {n} times" for batch, n in fresh.items() if n > 1)
    for app, batches in sent.items():
        least, most = sum(taken[app].values()), sum(batches.values())
        if not least <= history.runs.get(app, 0) <= most:
            yield f"runs: {app} counts {history.runs.get(app, 0)}, of {least} that were taken and {most} that were sent"


def nobody_is_told_backwards(history: History) -> Iterator[str]:
    """Yield messages that came after a later one of their app, came with other bytes, or never came in the end."""
    bodies: dict[str, set[bytes]] = defaultdict(set)
    last: dict[str, Told] = {}
    for told in history.told:
        bodies[told.id].add(told.body)
        before = last.get(told.app)
        if before is not None and told.place < before.place:
            yield f"told: {told.app} heard of place {told.place} after {before.place}"
        last[told.app] = told
    yield from (f"told: {name} came with {len(found)} bodies" for name, found in bodies.items() if len(found) > 1)
    ends = {receipts[-1].rollout: receipts[-1].after.revision for receipts in history.receipts.values() if receipts}
    for app, told in last.items():
        end = ends.get(told.rollout)
        if told.revision != end:
            yield f"told: {app} last heard of revision {told.revision}, and {told.rollout} is at {end}"


RULES: tuple[Rule, ...] = (
    nothing_acknowledged_is_lost,
    one_answer_for_one_thing,
    each_step_happens_once,
    nobody_is_taken_back,
    a_kill_is_seen_at_once,
    nothing_happens_unasked,
    each_run_counts_once,
    nobody_is_told_backwards,
)


def _answered(history: History) -> Iterator[Call]:
    """Yield calls that were answered with where a rollout stands."""
    return (call for call in history.calls if call.outcome is CallOutcome.DONE and call.standing is not None)


def _receipts(history: History) -> Iterator[Decided]:
    return (each for receipts in history.receipts.values() for each in receipts)


def _revision(call: Call) -> int:
    return 0 if call.standing is None else call.standing.revision


def _first_seen(history: History) -> Mapping[str, float]:
    """Return when somebody had first been answered with each rollout."""
    first: dict[str, float] = {}
    for call in _answered(history):
        first[call.rollout] = min(call.ended, first.get(call.rollout, call.ended))
    return first


def _is_unfrozen(calls: Iterable[Call], kill: Call, seen: Call) -> bool:
    """Say whether somebody may have ended an app's freeze between a kill and a look."""
    return any(
        each.kind is Kind.UNFREEZE
        and each.app == kill.app
        and each.began < seen.ended
        # What nobody answered may be carried out after its caller has given up.
        and (each.ended > kill.began or each.outcome is CallOutcome.IN_DOUBT)
        for each in calls
        if each.outcome is not CallOutcome.REFUSED
    )


def _is_of(call: Call, rollout: str, app: str) -> bool:
    return call.rollout == rollout or (call.kind is Kind.KILL and call.app == app)
