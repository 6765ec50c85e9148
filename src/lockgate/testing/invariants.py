# SPDX-License-Identifier: Apache-2.0
"""What a store holds comes in; every rule of the line that it breaks goes out in a sentence.

What must hold is said again here, from the receipts alone where that is possible, and not by the code that it is about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from lockgate.core.app import series_name
from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.merkle import Tree, leaf_hash
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.rollout import Status
from lockgate.core.spine import seal
from lockgate.core.trial import Trial
from lockgate.ports.store import Snapshot
from lockgate.testing.contents import Contents, Said

TOLD = {"promote", "rollback", "reduce", "pause", "resume"}
FREEZES = ("freeze", "unfreeze")
PLACE = ("status", "step", "weight", "wouldBeWeight", "revision")
ENDED = {"promoted", "rolled_back", "cancelled"}
Rule = Callable[[Contents, Snapshot], Iterator[str]]


def broken(contents: Contents, seen: Snapshot) -> list[str]:
    """Return everything that is wrong with a store, the rules in order."""
    return [fault for rule in RULES for fault in rule(contents, seen)]


def every_decision_has_a_receipt(contents: Contents, _: Snapshot) -> Iterator[str]:
    """I1: receipts of a rollout count from 1 without a gap, each names the one before, and each revision has one."""
    for name, series in contents.series.items():
        if [said.receipt.seq for said in series] != list(range(1, len(series) + 1)):
            yield f"I1: receipts of {name} have the numbers {[said.receipt.seq for said in series]}"
        named = [(said.predicate["prevReceipt"] or {}).get("sha256") for said in series]
        digests = [None, *(said.receipt.digest.removeprefix("sha256:") for said in series)]
        if named != digests[:-1]:
            yield f"I1: the receipts of {name} are no chain"
    for trial in contents.trials:
        yield from _revisions(trial, contents.series[trial.rollout.id])


def _revisions(trial: Trial, series: tuple[Said, ...]) -> Iterator[str]:
    rollout, chain = trial.rollout, trial.chain
    moved = [said for said in series if not said.is_roll_up]
    if [said.receipt.revision for said in moved] != list(range(1, rollout.revision + 1)):
        yield f"I1: {rollout.id} is at revision {rollout.revision}, its receipts are of {len(moved)} changes"
    if (chain.seq, chain.receipt) != (len(series), series[-1].receipt.digest if series else None):
        yield f"I1: {rollout.id} says that its last receipt is {chain.seq} of {len(series)}"
    if rollout.mode is Mode.CANARY and series and series[-1].predicate["to"]["status"] != rollout.status.value:
        yield f"I1: {rollout.id} is {rollout.status.value}, its last receipt says something else"


def the_log_is_every_receipt(contents: Contents, seen: Snapshot) -> Iterator[str]:
    """I2 and I6: the log holds each receipt once, and every checkpoint is of a beginning of it."""
    tree = Tree()
    log = contents.log
    if [said.receipt.index for said in log] != list(range(len(log))):
        yield f"I2: the log has the places {[said.receipt.index for said in log]}"
        return
    for said in log:
        tree, _ = tree.append(leaf_hash(said.receipt.envelope))
        note = seen.checkpoint(tree.size)
        if note is not None and checkpoint_of(note).root != tree.root:
            yield f"I6: the checkpoint of size {tree.size} is of other receipts"
    if seen.tree() != tree:
        yield f"I2: the log has {seen.tree().size} leaves, there are {tree.size} receipts"
    if log and seen.checkpoint(tree.size) is None:
        yield f"I2: no checkpoint covers the last of {tree.size} receipts"


def every_event_is_told(contents: Contents, _: Snapshot) -> Iterator[str]:
    """I3: each receipt has the messages that it tells, and no message is without a receipt."""
    wanted = Counter(
        (name, said.receipt.seq, event) for name, series in contents.series.items() for said in series
        for event in _events(said)
    )  # fmt: skip
    found = Counter((message.rollout_id, message.seq, message.event.value) for message in contents.messages)
    for name, series in contents.series.items():
        wanted.update((name, seq, event) for seq, event in _notices(name, series, found))
    for key in (wanted - found) + (found - wanted):
        yield f"I3: {key} is told {found[key]} times instead of {wanted[key]}"


def _notices(name: str, series: Sequence[Said], found: Counter[tuple[str, int, str]]) -> Iterator[tuple[int, str]]:
    """Yield what holds tell: each at most once for each time that a step is entered.

    That a step waits for approval is in the receipt; that it is overdue only its policy tells, which `fsck` reads.
    """
    told: set[str] = set()
    for said in series:
        if said.is_of_app or said.predicate["mode"] == Mode.SHADOW.value:
            continue
        if said.predicate["from"]["step"] != said.predicate["to"]["step"]:
            told.clear()
        seq, decision = said.receipt.seq, said.predicate["decision"]
        is_late = found[name, seq, "rollout.overdue"] > 0
        waits = {
            "rollout.approval_needed": decision["cause"] == "approval",
            "rollout.overdue": is_late,
            "rollout.untold": decision["cause"] == "untold",
        }
        for event, is_so in waits.items():
            if is_so and decision["action"] == "hold" and event not in told:
                told.add(event)
                yield seq, event


def _events(said: Said) -> Iterator[str]:
    told, action = said.predicate, said.predicate["decision"]["action"]
    if said.is_of_app:
        yield from (f"app.{each}" for each in FREEZES if each == action)
        return
    if said.is_roll_up or told["mode"] == Mode.SHADOW.value:
        return
    if said.receipt.seq == 1:
        yield "rollout.created"
        return
    if action in TOLD:
        yield f"rollout.{action}"
    if told["to"]["status"] in ENDED and told["from"]["status"] != told["to"]["status"]:
        yield "rollout.completed"


def an_end_is_an_end(contents: Contents, _: Snapshot) -> Iterator[str]:
    """I9: nothing follows an end, but the rollback of a promoted rollout by a person."""
    for name, series in contents.series.items():
        for before, after in pairwise(said for said in series if not said.is_of_app):
            was, now = before.predicate["to"], after.predicate
            # What was read back in between belongs to no decision.
            if any(now["from"][part] != was[part] for part in PLACE):
                yield f"I9: {name} seq {after.receipt.seq} begins elsewhere than seq {before.receipt.seq} ended"
            is_return = was["status"] == "promoted" and now["decision"]["action"] == "rollback"
            if was["status"] in ENDED and not (is_return and now["decision"]["cause"] in ("operator", "kill")):
                yield f"I9: {name} had ended and seq {after.receipt.seq} says {now['decision']['action']}"


def the_weight_walks(contents: Contents, seen: Snapshot) -> Iterator[str]:
    """I10: a step follows its neighbour, forward by `promote` alone, and the weight is that of the step, or none."""
    for trial in contents.trials:
        policy = seen.policy(trial.rollout.policy_digest)
        assert policy is not None
        for said in contents.series[trial.rollout.id]:
            yield from _walk(said, policy, is_first=said.receipt.seq == 1)


def _walk(said: Said, policy: Policy, *, is_first: bool) -> Iterator[str]:
    was, now, where = said.predicate["from"], said.predicate["to"], f"{said.receipt.rollout_id} {said.receipt.seq}"
    change = now["step"] - was["step"]
    if change and (change, said.predicate["decision"]["action"]) not in ((1, "promote"), (-1, "reduce")):
        yield f"I10: {where} goes from step {was['step']} to {now['step']}"
    is_out = now["status"] in ("rolled_back", "cancelled")
    asked = now["weight"] if now["wouldBeWeight"] is None else now["wouldBeWeight"]
    if asked != (0.0 if is_out else policy.steps[now["step"]].weight):
        yield f"I10: {where} asks for {asked} % at step {now['step']}"
    if is_first and now["step"] != 0:
        yield f"I10: {where} begins at step {now['step']}"


def nothing_moves_while_frozen(contents: Contents, _: Snapshot) -> Iterator[str]:
    """A frozen app starts and promotes nothing, and has one canary at a time."""
    series = {trial.rollout.id: series_name(contents.org, trial.rollout.app) for trial in contents.trials}
    frozen: set[str] = set()
    for said in contents.log:
        action, name = said.predicate["decision"]["action"], said.receipt.rollout_id
        if said.is_of_app:
            if action in FREEZES:
                (frozen.add if action == "freeze" else frozen.discard)(name)
        elif action == "promote" and series[name] in frozen:
            yield f"freeze: {name} seq {said.receipt.seq} promotes in a frozen app"
    moving = Counter(
        trial.rollout.app
        for trial in contents.trials
        if trial.rollout.mode is Mode.CANARY and not trial.rollout.is_terminal
    )
    for app, count in moving.items():
        if count > 1:
            yield f"one canary: {count} move the traffic of {app}"


def sealed_is_what_was_sealed(contents: Contents, seen: Snapshot) -> Iterator[str]:
    """A sealed bucket's digest is that of what is in it, and buckets are sealed in their order."""
    first = {app.name: app.kept_from for app in contents.apps}
    for app, found in contents.slots.items():
        # Those before are marked as gone; whoever was stopped before they were dropped has left them there.
        slots = [slot for slot in found if slot.number >= first[app]]
        is_sealed = [slot.is_sealed for slot in slots]
        if is_sealed != sorted(is_sealed, reverse=True) or [slot.number - first[app] for slot in slots] != [
            *range(len(slots))
        ]:
            yield f"seal: the buckets of {app} are out of order"
        for slot in slots:
            if slot.sealed_at is not None:
                within = seen.cells(app, slot.number, slot.number)
                pairs = seen.pairs(app, slot.number, slot.number)
                again = seal(slot, within, seen.segments(app, slot.number), slot.sealed_at, pairs)
                if again.digest != slot.digest:
                    yield f"seal: bucket {slot.number} of {app} is not what was sealed"


def what_is_needed_stays(contents: Contents, seen: Snapshot) -> Iterator[str]:
    """What an active rollout may still read, and what a pin names, is not pruned."""
    for app in contents.apps:
        mine = [trial for trial in contents.trials if trial.rollout.app == app.name and not trial.rollout.is_terminal]
        needed = [trial.spans[0].first for trial in mine] + [pin.first for pin in seen.pins() if pin.app == app.name]
        if app.kept_from > min(needed, default=app.kept_from):
            yield f"prune: {app.name} has buckets from {app.kept_from} on, needed are those from {min(needed)} on"


def the_champion_was_promoted(contents: Contents, _: Snapshot) -> Iterator[str]:
    """Who is champion was promoted to all traffic by a canary, or is the way back of one."""
    for app in contents.apps:
        mine = [trial.rollout for trial in contents.trials if trial.rollout.app == app.name]
        made = {each.candidate for each in mine if each.status in (Status.PROMOTED, Status.ROLLED_BACK)}
        if app.champion is not None and app.champion not in made | {each.baseline for each in mine}:
            yield f"champion: {app.champion} of {app.name} was never promoted"


RULES: tuple[Rule, ...] = (
    every_decision_has_a_receipt,
    the_log_is_every_receipt,
    every_event_is_told,
    an_end_is_an_end,
    the_weight_walks,
    nothing_moves_while_frozen,
    sealed_is_what_was_sealed,
    what_is_needed_stays,
    the_champion_was_promoted,
)
