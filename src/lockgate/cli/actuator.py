# SPDX-License-Identifier: Apache-2.0
"""A program that moves an app's traffic comes in; it is declared, shown, removed, or told the present weight again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.command_group import CommandGroup
from lockgate.cli.request import Command, options_of
from lockgate.core.receipt import Actor, operator
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from lockgate.core.canonical import Json
    from lockgate.core.endpoint import Endpoint
    from lockgate.operations.steering.actuator import Declared, Program
    from lockgate.ports.house import House

DONE = f"Exit codes: 0 done, also when it was so already; 64 usage; {exit_codes.OF_STORE}"
TEST = f"Exit codes: 0 it was told, 64 usage or no actuator, 69 it failed; {exit_codes.OF_STORE}"
of_app = click.option("--app-id", required=True, metavar="APP", help="The app.")
who_and_why: Callable[[Command], Command] = options_of(
    click.option("--reason", metavar="TEXT", help="Why; the receipt keeps it. [default: what was done]"),
    click.option("--by", metavar="NAME", envvar="LOCKGATE_ACTOR", help="Who. [default: the user of this machine]"),
)
as_document = click.option("--json", "as_json", is_flag=True, help="Print what stands as JSON.")


class Call(TypedDict):
    """What was called to declare a program, as click hands it over."""

    app_id: str
    timeout: float
    acknowledges: bool
    reason: str | None
    by: str | None
    as_json: bool
    words: tuple[str, ...]


@click.group(cls=CommandGroup)
def actuator() -> None:
    """Declare the program that moves an app's traffic, show it, remove it, or tell it the weight again."""


@actuator.command("set", epilog=DONE, context_settings={"ignore_unknown_options": False})
@of_app
@click.option("--timeout", type=local.seconds, default="30s", show_default=True, metavar="SPAN", help="For one call.")
@click.option("--acknowledges", is_flag=True, help="It prints the weight that it read back, and comparisons wait.")
@who_and_why
@as_document
@click.argument("words", nargs=-1, required=True, metavar="-- PROGRAM [ARGUMENT]...")
def set_command(**call: object) -> int:
    """Let a program move an app's traffic: it is run in this folder with each weight, without a shell."""
    return _set(cast("Call", call))


def _set(call: Call) -> int:
    from lockgate.operations.asking.queries import list_rollouts
    from lockgate.operations.steering.actuator import set_actuator
    from lockgate.report.telling import endpoint_line

    named = program(call["words"], timeout_s=call["timeout"], is_acknowledging=call["acknowledges"])
    house, app = local.house(), call["app_id"]
    declared = set_actuator(app, named, _actor(call["by"], call["reason"] or "a program moves its traffic"), house)
    assert declared.endpoint is not None
    if call["as_json"]:
        output.emit_json(_document(declared, declared.endpoint, house))
    else:
        output.say(endpoint_line(declared.endpoint) + _receipt(declared))
    if any(each.exposed_weight for each in list_rollouts(house, app, active=True)):
        local.tell(f"note: `lockgate actuator test --app-id {app}` tells it the present weight")
    return exit_codes.OK.code


@actuator.command("show", epilog=DONE)
@click.option("--app-id", metavar="APP", help="The app. [default: all]")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def show(app_id: str | None, *, as_json: bool) -> int:
    """Show which programs move traffic."""
    from lockgate.operations.steering.actuator import actuators_of
    from lockgate.report.telling import endpoint_document, endpoint_line

    found = actuators_of(local.house_to_read(), app_id)
    if as_json:
        output.emit_json({"actuators": [endpoint_document(each) for each in found]})
    else:
        output.say("".join(endpoint_line(each) for each in found) or "No actuator is declared.\n")
    return exit_codes.OK.code


@actuator.command("remove", epilog=DONE)
@of_app
@who_and_why
@as_document
def remove(app_id: str, reason: str | None, by: str | None, *, as_json: bool) -> int:
    """Let nothing move an app's traffic any more."""
    from lockgate.operations.steering.actuator import remove_actuator

    house = local.known_house()
    removed = remove_actuator(app_id, _actor(by, reason or "no program moves its traffic any more"), house)
    if as_json:
        output.emit_json(_document(removed, None, house))
    elif removed.endpoint is None:
        output.say(f"{app_id} has no actuator.\n")
    else:
        output.say(f"{app_id} has no actuator any more.\n{_receipt(removed)}")
    return exit_codes.OK.code


@actuator.command("test", epilog=TEST)
@of_app
@click.option("--json", "as_json", is_flag=True, help="Print what was told, and what was not, as JSON.")
def test(app_id: str, *, as_json: bool) -> int:
    """Tell the program the present weight once more, and show what it says."""
    from lockgate.cli import delivery
    from lockgate.operations.steering.actuator import tell_again
    from lockgate.operations.webhooks.deliver import Bounds, deliver, untold
    from lockgate.report.telling import asked, told_document
    from lockgate.wiring import actuators

    house = local.known_house()
    message = tell_again(app_id, house)
    sent = () if message is None else deliver(house, actuators(), Bounds(app=app_id))
    left = () if message is None else untold(house, app_id)
    if as_json:
        documents = {"sent": [told_document(each) for each in sent], "untold": [told_document(each) for each in left]}
        output.emit_json({"app": app_id, "id": None if message is None else message.rollout_id, **documents})
    elif message is None:
        output.say(f"{app_id} has no rollout whose weight could be told.\n")
    else:
        for each in sent:
            _tell(f"{asked(each)}: {each.delivery.error or 'told'}", each.delivery.output)
    delivery.warn(delivery.untold(house, app_id) if left else ())
    return exit_codes.UNREACHABLE.code if left else exit_codes.OK.code


def program(words: tuple[str, ...], *, timeout_s: float, is_acknowledging: bool = False) -> Program:
    """Return a program by its full path, so that it is the same from every folder and for every caller."""
    from lockgate.core.endpoint import check_command
    from lockgate.operations.steering.actuator import Program

    check_command(words, str(Path.cwd()), timeout_s)
    found = shutil.which(words[0])
    if found is None:
        raise UsageError(
            f"there is no program {words[0]}", advice="Name a file that may be executed; chmod +x makes a script one."
        )
    argv = (str(Path(found).absolute()), *words[1:])
    return Program(argv=argv, folder=str(Path.cwd()), timeout_s=timeout_s, is_acknowledging=is_acknowledging)


def _actor(name: str | None, reason: str) -> Actor:
    # A container may run as a number that nobody has named, and sets up all the same.
    return operator(name or local.actor().name or "lockgate actuator", reason)


def _document(declared: Declared, endpoint: Endpoint | None, house: House) -> dict[str, Json]:
    """Return the app, and what moves its traffic now."""
    from lockgate.report.signed import signed_app
    from lockgate.report.telling import endpoint_document

    return {
        **signed_app(declared.standing, house),
        "actuator": None if endpoint is None else endpoint_document(endpoint),
    }


def _receipt(declared: Declared) -> str:
    standing = declared.standing
    return f"  receipt {standing.receipt} of {standing.series}\n"


def _tell(head: str, said: str) -> None:
    from lockgate.report.text import printed

    output.say(printed([head, *(f"  {line}" for line in said.splitlines())]))
