# SPDX-License-Identifier: Apache-2.0
"""What to try comes in as options or a file; a rollout's id, and what its policy promises, go out."""

from __future__ import annotations

from collections.abc import Mapping

import click

from lockgate.cli import door, exit_codes, local
from lockgate.cli.declared import declared
from lockgate.errors import UsageError

BESIDE = {65: "faults in the policy", 75: "another canary of the app is active", 77: "the app is frozen"}
EPILOG = f"""
Exit codes: 0 on trial, also when an equal rollout is active already, or by --dry-run it would be; 64 usage;
{exit_codes.of_store(BESIDE)}
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
@click.option(
    "--digest", "digests", multiple=True, metavar="NAME=SHA256", help="A part of the candidate; may be repeated."
)
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
    if call["is_rehearsal"] and call["quiet"]:
        raise UsageError("--quiet prints an id, and --dry-run makes none", advice="Leave one of them out.")
    if call["actuator"]:
        local.check_here()
    asked = declared(call)
    words = {
        "app_id": asked.app,
        "candidate": asked.candidate,
        "baseline": asked.baseline,
        "policy": dict(asked.policy),
        "since_s": asked.since_s,
        "is_replacing": call["is_replacing"],
        "links": [list(each) for each in asked.links],
        "digests": [list(each) for each in asked.digests],
        "program": _program(call["actuator"]),
        "is_rehearsal": call["is_rehearsal"],
        "quiet": call["quiet"],
        "as_json": call["as_json"],
        "typed": {name: list(value) if isinstance(value, tuple) else value for name, value in call.items()},
    }
    return door.answer("create", words)


def _program(command: object) -> dict[str, object] | None:
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
    named = program(words, timeout_s=DEFAULT_TIMEOUT_S)
    return {
        "argv": list(named.argv),
        "folder": named.folder,
        "timeout_s": named.timeout_s,
        "is_acknowledging": named.is_acknowledging,
    }
