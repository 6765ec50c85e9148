# SPDX-License-Identifier: Apache-2.0
"""The program that exposes an app's releases comes in; it is declared, shown, removed, or told again.

Who moves the traffic is a decision with a receipt, as a freeze is: it may undo what every other decision says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockgate.core.app import App, check_name
from lockgate.core.decision.decision import Cause
from lockgate.core.delivery import Delivery, State, addressed, again, superseded
from lockgate.core.endpoint import DEFAULT_TIMEOUT_S, Endpoint, Kind, actuator_name, check_command
from lockgate.core.outbox import Message
from lockgate.core.receipt import Actor
from lockgate.errors import UsageError
from lockgate.operations.asking.known_app import known_app
from lockgate.operations.steering.acknowledge import forget
from lockgate.operations.vault.app_series import AppStanding, stand
from lockgate.operations.vault.keeping import changing, writing
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Transaction

REMOVED = "its endpoint was removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program with its arguments, the folder that it runs in, its time, and whether it reads the weight back."""

    argv: tuple[str, ...]
    folder: str
    timeout_s: float = DEFAULT_TIMEOUT_S
    is_acknowledging: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """An app as it stands after the request, and the endpoint that moves its traffic, or that did."""

    standing: AppStanding
    endpoint: Endpoint | None


def set_actuator(app: str, program: Program, actor: Actor, house: House) -> Declared:
    """Let a program expose an app's releases from now on; what the one before it was not told is told to it."""
    with writing(house) as work:
        return put_actuator(work, app, program, actor, house)


def put_actuator(work: Transaction, app: str, program: Program, actor: Actor, house: House) -> Declared:
    """Let a program expose an app's releases, within a transaction; one that does already changes nothing."""
    check_name("an app", app)
    check_command(program.argv, program.folder, program.timeout_s)
    latest = work.latest_receipt()
    endpoint = Endpoint(
        id=actuator_name(house.org, app),
        app=app,
        kind=Kind.COMMAND,
        argv=program.argv,
        folder=program.folder,
        since=house.clock.now(),
        timeout_s=program.timeout_s,
        is_acknowledging=program.is_acknowledging,
        log_size=0 if latest is None else latest.index + 1,
    )
    before = work.endpoint(endpoint.id)
    if before is not None and replace(before, since=endpoint.since, log_size=endpoint.log_size) == endpoint:
        endpoint = before
    known = work.app(app) or App(name=app)
    standing = stand(work, known, known.moved_by(endpoint.digest()), Cause.OPERATOR, actor, house)
    if endpoint != before:
        work.put_endpoint(endpoint)
        if not endpoint.is_acknowledging:
            _forget(work, house, app)
    return Declared(standing, endpoint)


def actuators_of(house: House, app: str | None = None) -> tuple[Endpoint, ...]:
    """Return the programs that are declared."""
    with house.store.reading(house.org) as seen:
        return tuple(each for each in seen.endpoints() if each.kind is Kind.COMMAND and app in (None, each.app))


def remove_actuator(app: str, actor: Actor, house: House) -> Declared:
    """Let nothing expose an app's releases any more; where nothing did, nothing changes."""
    with writing(house) as work:
        known = known_app(work, app)
        endpoint = work.endpoint(actuator_name(house.org, app))
        standing = stand(work, known, known.moved_by(None), Cause.OPERATOR, actor, house)
        if endpoint is None:
            return Declared(standing, None)
        work.drop_endpoint(endpoint.id)
        for each in work.deliveries(State.DUE, State.DEAD, app=app):
            if each.endpoint_id == endpoint.id:
                work.put_delivery(superseded(each, REMOVED))
        _forget(work, house, app)
    return Declared(standing, endpoint)


def tell_again(app: str, house: House) -> Message | None:
    """Let the app's program be told the present weight once more; without any rollout there is none to tell."""
    with changing(house) as work:
        endpoint = work.endpoint(actuator_name(house.org, app))
        if endpoint is None:
            raise UsageError(f"{app} has no actuator", advice="`lockgate actuator set` declares one.")
        heard = [each for each in work.messages(app) if endpoint.hears(each.app, each.event)]
        if not heard:
            return None
        work.put_delivery(_due(work, heard[-1], endpoint, house))
    return heard[-1]


def _due(seen: Snapshot, message: Message, endpoint: Endpoint, house: House) -> Delivery:
    now = house.clock.now()
    known = seen.delivery(message.id, endpoint.id)
    if known is None:
        (known,) = addressed(message, (endpoint,))
    # Whoever is telling it at this moment is not disturbed.
    return known if known.is_leased(now) else again(known, now)


def _forget(work: Transaction, house: House, app: str) -> None:
    for rollout in work.rollouts(app, active=True):
        forget(work, house, rollout.id)
