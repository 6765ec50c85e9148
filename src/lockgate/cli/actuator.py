# SPDX-License-Identifier: Apache-2.0
"""A program that moves an app's traffic comes in; it is declared, shown, removed, or told the present weight again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lockgate.cli import exit_codes, local, output
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from lockgate.operations.actuator import Program

DONE = "Exit codes: 0 done, also when it was so already; 64 usage, 75 the store is held."
TEST = "Exit codes: 0 it was told, 64 usage or no actuator, 69 it failed, 75 the store is held."
of_app = click.option("--app-id", required=True, metavar="APP", help="The app.")


@click.group()
def actuator() -> None:
    """Declare the program that moves an app's traffic, show it, remove it, or tell it the weight again."""


@actuator.command("set", epilog=DONE, context_settings={"ignore_unknown_options": False})
@of_app
@click.option("--timeout", type=local.seconds, default="30s", show_default=True, metavar="SPAN", help="For one call.")
@click.option("--acknowledges", is_flag=True, help="It prints the weight that it read back, and comparisons wait.")
@click.argument("words", nargs=-1, required=True, metavar="-- PROGRAM [ARGUMENT]...")
def set_command(app_id: str, timeout: float, words: tuple[str, ...], *, acknowledges: bool) -> int:
    """Let a program move an app's traffic: it is run in this folder with each weight, without a shell."""
    from lockgate.operations.actuator import set_actuator
    from lockgate.operations.queries import list_rollouts
    from lockgate.report.telling import endpoint_line

    house = local.house()
    endpoint = set_actuator(app_id, program(words, timeout_s=timeout, is_acknowledging=acknowledges), house)
    output.say(endpoint_line(endpoint))
    if any(each.exposed_weight for each in list_rollouts(house, app_id, active=True)):
        local.tell(f"note: `lockgate actuator test --app-id {app_id}` tells it the present weight")
    return exit_codes.OK.code


@actuator.command("show", epilog=DONE)
@click.option("--app-id", metavar="APP", help="The app. [default: all]")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def show(app_id: str | None, *, as_json: bool) -> int:
    """Show which programs move traffic."""
    from lockgate.operations.actuator import actuators_of
    from lockgate.report.telling import endpoint_document, endpoint_line

    found = actuators_of(local.known_house(), app_id)
    if as_json:
        local.emit({"actuators": [endpoint_document(each) for each in found]})
    else:
        output.say("".join(endpoint_line(each) for each in found) or "No actuator is declared.\n")
    return exit_codes.OK.code


@actuator.command("remove", epilog=DONE)
@of_app
def remove(app_id: str) -> int:
    """Let nothing move an app's traffic any more."""
    from lockgate.operations.actuator import remove_actuator

    removed = remove_actuator(app_id, local.known_house())
    output.say(f"{app_id} has no actuator any more.\n" if removed is not None else f"{app_id} has no actuator.\n")
    return exit_codes.OK.code


@actuator.command("test", epilog=TEST)
@of_app
def test(app_id: str) -> int:
    """Tell the program the present weight once more, and show what it says."""
    from lockgate.operations.actuator import tell_again
    from lockgate.operations.deliver import Bounds, deliver
    from lockgate.report.telling import asked
    from lockgate.wiring import actuators

    house = local.known_house()
    if tell_again(app_id, house) is None:
        output.say(f"{app_id} has no rollout whose weight could be told.\n")
        return exit_codes.OK.code
    for each in deliver(house, actuators(), Bounds(app=app_id)):
        _tell(f"{asked(each)}: {each.delivery.error or 'told'}", each.delivery.output)
    from lockgate.cli.delivery import untold

    left = untold(house, app_id)
    for sentence in left:
        local.tell(sentence)
    return exit_codes.UNREACHABLE.code if left else exit_codes.OK.code


def program(words: tuple[str, ...], *, timeout_s: float, is_acknowledging: bool = False) -> Program:
    """Return a program by its full path, so that it is the same from every folder and for every caller."""
    from lockgate.core.endpoint import check_command
    from lockgate.operations.actuator import Program

    check_command(words, str(Path.cwd()), timeout_s)
    found = shutil.which(words[0])
    if found is None:
        raise UsageError(
            f"there is no program {words[0]}", advice="Name a file that may be executed; chmod +x makes a script one."
        )
    argv = (str(Path(found).absolute()), *words[1:])
    return Program(argv=argv, folder=str(Path.cwd()), timeout_s=timeout_s, is_acknowledging=is_acknowledging)


def _tell(head: str, said: str) -> None:
    from lockgate.report.text import printable

    lines = [head, *(f"  {line}" for line in said.splitlines())]
    output.say("".join(printable(line) + "\n" for line in lines))
