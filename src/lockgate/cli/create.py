# SPDX-License-Identifier: Apache-2.0
"""What to try comes in as options or a file; a rollout's id, and what its policy promises, go out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

import click

from lockgate.cli import delivery, exit_codes, local, output
from lockgate.cli.declared import declared
from lockgate.core.rollout import Rollout
from lockgate.errors import UsageError
from lockgate.ports.house import House

if TYPE_CHECKING:
    from lockgate.core.foresight import Foresight
    from lockgate.operations.actuator import Program
    from lockgate.operations.create import Created, Order

Told = TypeVar("Told")

EPILOG = f"""
Exit codes: 0 on trial, also when an equal rollout is active already, or by --dry-run it would be; 64 usage,
65 faults in the policy, 75 another canary of the app is active, 77 the app is frozen;
{exit_codes.OF_STORE}
"""


@click.command(epilog=EPILOG)
@click.option("--app-id", metavar="APP", help="What is released.")
@click.option("--baseline", "-b", metavar="RELEASE", help="The release that is trusted. [default: the champion]")
@click.option("--candidate", "-c", metavar="RELEASE", help="The release on trial.")
@click.option("--mode", type=click.Choice(["shadow", "canary"]), help="Only advise, or act. [default: shadow]")
@click.option("--steps", metavar="WEIGHTS", help="The ramp in percent. [default: 5,25,50,100]")
@click.option("--min-runs", type=click.IntRange(1), metavar="N", help="Fresh runs at each step. [default: 30]")
@click.option("--require-pairwise", is_flag=True, help="Hold while the pairwise comparison is silent.")
@click.option("--metric", "metrics", multiple=True, metavar="METRIC", help="A gate by name; may be repeated.")
@click.option("--since", type=local.seconds, metavar="SPAN", help="Read runs that are there already, such as 2h.")
@click.option("--link", "links", multiple=True, metavar="NAME=URL", help="Where more is to be read; may be repeated.")
@click.option("--replace", "is_replacing", is_flag=True, help="Roll the app's other canary back first.")
@click.option("--actuator", metavar="COMMAND", help="The program that moves the app's traffic, with arguments.")
@click.option("--policy", metavar="FILE", help="The policy, in YAML or JSON; options win over it.")
@click.option("--file", "-f", metavar="FILE", help="A policy that also names baseline, candidate, since and links.")
@click.option("--json", "as_json", is_flag=True, help="Print the rollout as JSON, its id at the top.")
@click.option("--quiet", "-q", is_flag=True, help="Print the id and nothing else.")
@click.option("--dry-run", "is_rehearsal", is_flag=True, help="Check everything, print it, and begin nothing.")
def create(**call: object) -> int:
    """Put a candidate on trial against a baseline, under a policy that is then frozen."""
    return _answer(call)


def _answer(call: Mapping[str, object]) -> int:
    from lockgate.operations.create import create as begin
    from lockgate.operations.create import rehearse

    order = _order(call)
    if call["is_rehearsal"]:
        house = local.rehearsal_house()
        _print(call, order, rehearse(order, house), house)
        return exit_codes.OK.code
    house = local.house()
    created = begin(order, house)
    untold = delivery.tell(house, created.rollout.app)
    _print(call, order, created, house)
    delivery.warn(untold)
    return exit_codes.OK.code


def _order(call: Mapping[str, object]) -> Order:
    from lockgate.operations.create import Order

    if call["is_rehearsal"] and call["quiet"]:
        raise UsageError("--quiet prints an id, and --dry-run makes none", advice="Leave one of them out.")
    asked = declared(call)
    return Order(
        app=asked.app,
        candidate=asked.candidate,
        baseline=asked.baseline,
        policy=asked.policy,
        since_s=asked.since_s,
        is_replacing=bool(call["is_replacing"]),
        links=asked.links,
        actuator=_program(call["actuator"]),
        actor=local.actor(),
    )


def _print(call: Mapping[str, object], order: Order, created: Created, house: House) -> None:
    from lockgate.report.created import created_document, render_created

    rollout, is_rehearsal = created.rollout, bool(call["is_rehearsal"])
    if call["quiet"]:
        output.say(f"{rollout.id}\n")
    elif call["as_json"]:
        document = _beside("what is promised", lambda: created_document(created, _foresight(created, house)))
        output.emit_json({**(document or {"id": rollout.id}), "dry_run": is_rehearsal})
    else:
        foresight, screen = _foresight(created, house), local.screen()
        said = _beside(
            "what is promised", lambda: render_created(created, foresight, screen, is_rehearsal=is_rehearsal)
        )
        output.say(said or f"{rollout.id}\n")
    for sentence in created.warnings:
        local.tell(f"warning: {sentence}")
    _tell_of_unmet(call, created)
    if order.since_s is None and not created.is_existing:
        _beside("which runs are there already", lambda: _tell_of_earlier(call, rollout, house))


def _foresight(created: Created, house: House) -> Foresight:
    from lockgate.core.foresight import NOTHING_FORESEEN
    from lockgate.operations.foresee import foresee

    return _beside("what answers take", lambda: foresee(created.rollout, created.policy, house)) or NOTHING_FORESEEN


def _beside(what: str, say: Callable[[], Told]) -> Told | None:
    """Return what is told beside an answer, or warn that it is not known."""
    try:
        return say()
    except Exception as error:  # noqa: BLE001 -- the rollout is on trial by then, whatever fails here
        local.tell(f"warning: {what} cannot be said: {error!r}; nothing decides by it")
    return None


def _program(command: object) -> Program | None:
    """Return the program that a command line names, read as a shell would read its words."""
    if not isinstance(command, str):
        return None
    import shlex

    from lockgate.cli.actuator import program
    from lockgate.core.endpoint import DEFAULT_TIMEOUT_S

    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"--actuator {command!r} cannot be read: {error}", advice="Close its quotes.") from error
    return program(words, timeout_s=DEFAULT_TIMEOUT_S)


def _tell_of_unmet(call: Mapping[str, object], created: Created) -> None:
    """Say what was asked of a rollout that was there already and is not done, and how to begin anew."""
    from lockgate.cli.typed import anew

    for sentence in created.unmet:
        local.tell(f"note: {sentence}")
    if created.unmet:
        local.tell(f"To begin anew: {anew(created.rollout, call, {})}")


def _tell_of_earlier(call: Mapping[str, object], rollout: Rollout, house: House) -> None:
    """Say that runs are there which the rollout does not read, and by which commands one would."""
    from lockgate.cli.typed import anew, typed
    from lockgate.operations.earlier import earlier
    from lockgate.report.created import unread

    found = earlier(rollout.app, (rollout.baseline, rollout.candidate), house)
    if found is not None:
        said, since = unread(found, rollout.created_at)
        command = typed(call, since) if call["is_rehearsal"] else anew(rollout, call, since)
        local.tell(f"note: {said}; to read them: {command}")
