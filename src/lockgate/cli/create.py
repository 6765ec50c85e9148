# SPDX-License-Identifier: Apache-2.0
"""What to try comes in as options or a file; a rollout's id, and what its policy promises, go out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from lockgate.cli import delivery, exit_codes, local, output
from lockgate.cli.declared import declared
from lockgate.core.rollout import Rollout
from lockgate.ports.house import House

if TYPE_CHECKING:
    from lockgate.operations.actuator import Program

EPILOG = """
Exit codes: 0 on trial (also when an equal rollout is active already), 64 usage, 65 faults in the policy,
75 another canary of the app is active, 77 the app is frozen.
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
def create(**call: object) -> int:
    """Put a candidate on trial against a baseline, under a policy that is then frozen."""
    return _answer(call)


def _answer(call: Mapping[str, object]) -> int:
    from lockgate.operations.create import Order
    from lockgate.operations.create import create as begin
    from lockgate.operations.foresee import foresee

    asked = declared(call)
    order = Order(
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
    house = local.house()
    created = begin(order, house)
    untold = delivery.tell(house, created.rollout.app)
    if call["as_json"]:
        from lockgate.report.created import created_document

        output.emit_json(created_document(created, foresee(created.rollout, created.policy, house)))
    elif call["quiet"]:
        output.say(f"{created.rollout.id}\n")
    else:
        from lockgate.report.created import render_created

        output.say(render_created(created, foresee(created.rollout, created.policy, house), local.screen()))
    for sentence in created.warnings:
        local.tell(f"warning: {sentence}")
    if asked.since_s is None and not created.is_existing:
        _tell_of_earlier(created.rollout, house)
    delivery.warn(untold)
    return exit_codes.OK.code


def _program(command: object) -> Program | None:
    """Return the program that a command line names, read as a shell would read its words."""
    if not isinstance(command, str):
        return None
    import shlex

    from lockgate.cli.actuator import program
    from lockgate.core.endpoint import DEFAULT_TIMEOUT_S
    from lockgate.errors import UsageError

    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"--actuator {command!r} cannot be read: {error}", advice="Close its quotes.") from error
    return program(words, timeout_s=DEFAULT_TIMEOUT_S)


def _tell_of_earlier(rollout: Rollout, house: House) -> None:
    from lockgate.operations.earlier import earlier
    from lockgate.report.created import unread

    found = earlier(rollout.app, (rollout.baseline, rollout.candidate), house)
    if found is not None:
        local.tell(f"note: {unread(found, rollout.created_at)}")
