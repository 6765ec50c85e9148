# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout, or of none for all, comes in; what is due is sent, and what that came to goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.delivery import AT_ONCE
from lockgate.errors import UsageError
from lockgate.ports.house import House

if TYPE_CHECKING:
    from lockgate.operations.webhooks.deliver import Told

EPILOG = f"""
An actuator that fails is tried again after 5 s, then after waits that double up to 12 h; for what takes traffic away
after 1 s, then up to 5 min. A webhook that fails is tried again after 5 s, 5 min, 30 min, and so on up to 24 h; for
what takes traffic away after 1, 2, 5, 10, 30 and 60 s, then after 5 min and so on. After about three days a message is
dead.

Exit codes: 0 nothing is left that failed, 64 no such rollout;
{exit_codes.of_store({69: "an endpoint failed, now or before, and was not told"})}
"""
MESSAGES, SECONDS = 10_000, 600.0


@click.command(epilog=EPILOG)
@click.option("--id", "rollout_id", metavar="ID", help="The rollout; its app is told. [default: all apps]")
@click.option("--all", "is_all", is_flag=True, help="All apps.")
@click.option("--retry-dead", is_flag=True, help="Try again what was given up.")
@click.option("--now", is_flag=True, help="Try at once also what waits for its next try.")
@click.option("--json", "as_json", is_flag=True, help="Print what was sent and what is left as JSON.")
def deliver(rollout_id: str | None, *, is_all: bool, retry_dead: bool, now: bool, as_json: bool) -> int:
    """Tell routers what is due, and say what they were not told."""
    from lockgate.core.delivery import State
    from lockgate.operations.webhooks import deliver as sending
    from lockgate.report.telling import asked, sentences, told_document
    from lockgate.wiring import actuators

    if rollout_id is not None and is_all:
        raise UsageError("a delivery is of one rollout or of all", advice="Call with --id ID, or without it.")
    house = local.known_house()
    app = None if rollout_id is None else _app_of(rollout_id, house)
    if retry_dead:
        sending.retry_dead(house, app)
    if now:
        sending.hasten(house, app)
    bounds = sending.Bounds(app=app, messages=MESSAGES, seconds=SECONDS, at_once=AT_ONCE)
    sent = sending.deliver(house, actuators(), bounds)
    if app is None:
        _ask_outside(house)
    left = sending.untold(house, app)
    if as_json:
        documents = {"sent": [told_document(each) for each in sent], "untold": [told_document(each) for each in left]}
        output.emit_json(documents if rollout_id is None else {"id": rollout_id, **documents})
    else:
        done = [each for each in sent if each.delivery.state is State.DELIVERED]
        output.say("".join(f"told: {asked(each)}\n" for each in done) or _nothing(sent, left))
        for sentence in sentences(left, house.clock.now()):
            local.tell(sentence)
    # What another process is telling just now has not failed.
    is_failing = any(each.delivery.error for each in left)
    return exit_codes.UNREACHABLE.code if is_failing else exit_codes.OK.code


def _ask_outside(house: House) -> None:
    """Ask witnesses and a timestamp authority, once and for seconds only; what they say changes no exit code."""
    from lockgate.errors import LockgateError
    from lockgate.operations.witness.vouching import Vouching
    from lockgate.wiring import timestamp_authority, witness_list

    try:
        Vouching(witness_list(), timestamp_authority(), lambda said: local.tell(f"warning: {said}")).turn(house)
    except LockgateError as error:
        local.tell(f"warning: nobody outside was asked to sign: {error.message}")


def _nothing(sent: Sequence[Told], left: Sequence[Told]) -> str:
    """Return why nothing was told: nothing waits, nothing may be tried yet, or what was tried failed."""
    if not left:
        return "Nothing is left to tell.\n"
    return "Nothing was told.\n" if sent else "Nothing is due yet; --now waits for nothing.\n"


def _app_of(rollout_id: str, house: House) -> str:
    from lockgate.operations.asking.queries import find_rollout

    with local.named(rollout_id, house):
        return find_rollout(rollout_id, house).app
