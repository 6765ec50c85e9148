# SPDX-License-Identifier: Apache-2.0
"""A check comes in; receipts that do not verify, follow, or lead to what is kept go out as flaws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from lockgate.core.app import App, series_name
from lockgate.core.canonical import Json
from lockgate.core.crowning import Crowning, crowning_of, in_order
from lockgate.core.custody import custody_series
from lockgate.core.decision.decision import Action
from lockgate.core.endpoint import actuator_name
from lockgate.core.outbox import Message, app_message, messages
from lockgate.core.policy.policy import Policy
from lockgate.core.receipt import digest_set
from lockgate.core.refusal import VerifyError
from lockgate.core.rollout import Rollout
from lockgate.core.soundness.flaw import Flaw, Rule, flaw_of
from lockgate.core.soundness.ramp import departures
from lockgate.core.soundness.retelling import astray, events_of, misstated, retold, unstarted
from lockgate.core.soundness.series_end import CROWNED, SeriesEnd, chain_flaws, end_with
from lockgate.core.statement import Statement
from lockgate.core.transition import Transition
from lockgate.core.trial import Trial
from lockgate.core.trust_rule import rules_digest
from lockgate.core.vault import Receipt
from lockgate.operations.soundness.contents import missing_contents
from lockgate.operations.soundness.decisions import Replay
from lockgate.operations.vault.app_series import EVENTS
from lockgate.operations.vault.checking import Check
from lockgate.operations.vault.portions import PORTION, portions
from lockgate.operations.webhooks.webhook_keeping import declared_webhooks
from lockgate.verify import verify_receipt


def check_series(check: Check) -> None:
    """Check every rollout, and what was done to each app, from the first receipt to what is kept now."""
    apps = {series_name(check.org, app.name): app for app in check.seen.apps()}
    untouched = dict(apps)
    with check.within("retention"):
        _check_custody(check)
    crownings: dict[str, list[Crowning]] = {}
    after = ""
    while names := check.seen.series_after(after, PORTION):
        for name in names:
            with check.within(name):
                trial = check.seen.trial(name)
                if trial is not None:
                    crownings.setdefault(trial.rollout.app, []).extend(_check_rollout(check, trial))
                elif name in apps:
                    _check_app(check, name, untouched.pop(name))
                elif name != custody_series(check.org):
                    what = "there are receipts of it, but neither a rollout nor an app"
                    check.add([Flaw(Rule.STANDING, name, what)])
        after = names[-1]
    for app in untouched.values():
        _check_standing(check, app, App(name=app.name).standing())
    for app in apps.values():
        check.add(_champion_flaws(app, crownings.get(app.name, ())))


def _champion_flaws(app: App, crownings: Iterable[Crowning]) -> Iterator[Flaw]:
    told = App(name=app.name)
    for crowning in in_order(crownings):
        misled = crowning.misleads(told)
        if misled is not None:
            yield Flaw(Rule.STANDING, app.name, f"log entry {crowning.index}: {misled}")
        told = crowning.crowned(told)
    for what, found, said in (
        ("champion", app.champion, told.champion),
        ("former champion", app.former_champion, told.former_champion),
    ):
        if found != said:
            yield Flaw(Rule.STANDING, app.name, f"its row says that the {what} is {found}, its receipts say {said}")


def _stated(check: Check, series: str) -> Iterator[tuple[Receipt, Statement | None, SeriesEnd]]:
    """Yield the receipts of a series, each with what it states and the end of the series with it."""
    end = SeriesEnd()
    for receipt in portions(lambda after: check.seen.receipts_after(series, after, PORTION), lambda row: row.seq, 0):
        check.count("receipts")
        try:
            statement = verify_receipt(receipt.envelope, check.keys).statement
        except VerifyError as error:
            check.add([flaw_of(receipt, Rule.SIGNATURE, error.message)])
            end = SeriesEnd(seq=receipt.seq, digest=receipt.digest)
            yield receipt, None, end
            continue
        check.add(chain_flaws(end, statement, receipt))
        check.add(missing_contents(check, receipt, statement))
        end = end_with(statement, receipt)
        yield receipt, statement, end


def _check_rollout(check: Check, trial: Trial) -> list[Crowning]:
    """Check a rollout, and return how it changed the champion of its app."""
    rollout, policy = trial.rollout, check.seen.policy(trial.rollout.policy_digest)
    check.count("rollouts")
    if policy is None or policy.digest() != rollout.policy_digest:
        check.add([Flaw(Rule.STANDING, rollout.id, f"its policy {rollout.policy_digest} is not kept")])
        return []
    crownings: list[Crowning] = []
    told: Rollout | None = unstarted(rollout, policy)
    replay, end = Replay(check, trial, policy), SeriesEnd()
    for receipt, statement, after in _stated(check, rollout.id):
        end = after
        crowning = None if statement is None else crowning_of(receipt, statement)
        crownings += [] if crowning is None else [crowning]
        if statement is None or told is None:
            told = None
            continue
        transition = retold(told, statement, receipt.at, policy)
        check.add(_transition_flaws(check, transition, statement, receipt, policy))
        replay.turn(receipt, statement, transition)
        told = transition.after
    if told is None:
        check.leave(f"{rollout.id}: what follows a receipt that does not verify")
    else:
        replay.end()
    check.add(_standing_flaws(trial, told, end))
    return crownings


def _transition_flaws(
    check: Check, transition: Transition, statement: Statement, receipt: Receipt, policy: Policy
) -> Iterator[Flaw]:
    for what in departures(transition, policy):
        yield flaw_of(receipt, Rule.RAMP, what)
    for what in misstated(transition, statement):
        yield flaw_of(receipt, Rule.CHAIN, what)
    for message in messages(transition, receipt, events_of(transition, receipt.seq), policy):
        yield from _message_flaws(check, message, receipt)


def _message_flaws(check: Check, expected: Message, receipt: Receipt) -> Iterator[Flaw]:
    kept = check.seen.message(expected.id)
    if kept is None:
        yield flaw_of(receipt, Rule.OUTBOX, f"nothing in the outbox tells {expected.event.value}")
    elif kept.body != expected.body:
        what = f"message {expected.id} has other bytes than the decision makes"
        yield flaw_of(receipt, Rule.OUTBOX, what)


def _standing_flaws(trial: Trial, told: Rollout | None, end: SeriesEnd) -> Iterator[Flaw]:
    name, chain = trial.rollout.id, trial.chain
    if (chain.seq, chain.receipt) != (end.seq, end.digest):
        what = f"its row ends at receipt {chain.seq} ({chain.receipt}), its receipts at {end.seq} ({end.digest})"
        yield Flaw(Rule.STANDING, name, what)
    if told is not None:
        for what in astray(told, trial.rollout):
            yield Flaw(Rule.STANDING, name, what)


def _check_app(check: Check, series: str, app: App) -> None:
    check.count("app series")
    standing: Mapping[str, Json] = App(name=app.name).standing()
    for receipt, statement, _ in _stated(check, series):
        if statement is None:
            return
        standing = cast("Mapping[str, Json]", statement.predicate["to"])
        event = EVENTS.get(Action(receipt.action))
        if event is not None:
            check.add(_message_flaws(check, app_message(check.org, _app_as(app, standing), receipt, event), receipt))
    _check_standing(check, app, standing)


def _check_custody(check: Check) -> None:
    """Check that what was pruned, and up to when, who is sent messages and who is trusted is what was signed."""
    signed: dict[str, Json] = {"rawUntil": 0, "deliveriesUntil": 0, "webhooks": None, "trust": None}
    for _, statement, _ in _stated(check, custody_series(check.org)):
        check.count("changes of custody")
        if statement is None:
            return
        to = cast("Mapping[str, Json]", statement.predicate["to"])
        signed = {name: to[name] for name in signed}
    kept, webhooks = check.seen.retention(), declared_webhooks(check.seen)
    found: dict[str, Json] = {
        "rawUntil": kept.raw_until,
        "deliveriesUntil": kept.deliveries_until,
        "webhooks": _stated_digest(webhooks),
        "trust": _stated_digest(rules_digest(check.seen.trust_rules())),
    }
    for name, said in signed.items():
        if found[name] != said:
            what = f"its row says {name} {found[name]}, its receipts end in {said}"
            check.add([Flaw(Rule.STANDING, "retention", what)])


def _stated_digest(found: str | None) -> Json:
    return None if found is None else digest_set(found)


def _check_standing(check: Check, app: App, standing: Mapping[str, Json]) -> None:
    """Check that an app is kept as its receipts left it, and moved by whom they name."""
    for name, found in app.standing().items():
        if name not in CROWNED and standing.get(name) != found:
            what = f"its row says {name} {found}, its receipts end in {standing.get(name)}"
            check.add([Flaw(Rule.STANDING, app.name, what)])
    endpoint = check.seen.endpoint(actuator_name(check.org, app.name))
    declared = None if endpoint is None else endpoint.digest()
    if declared != app.actuator:
        what = f"what moves its traffic is kept as {declared}, and was declared as {app.actuator}"
        check.add([Flaw(Rule.STANDING, app.name, what)])


def _app_as(app: App, standing: Mapping[str, Json]) -> App:
    stated = cast("dict[str, Any]", standing)
    return replace(
        app,
        champion=stated["champion"],
        former_champion=stated["formerChampion"],
        frozen=stated["frozen"],
        is_killed=stated["killed"],
        actuator=None if stated["actuator"] is None else f"sha256:{stated['actuator']['sha256']}",
    )
