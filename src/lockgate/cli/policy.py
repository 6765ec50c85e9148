# SPDX-License-Identifier: Apache-2.0
"""The name of a policy file comes in; an example is written, its faults are listed, or its effective form is shown."""

from __future__ import annotations

from pathlib import Path

import click

from lockgate.cli import exit_codes, output
from lockgate.cli.command_group import CommandGroup
from lockgate.core.policy.policy import Policy
from lockgate.errors import UsageError
from lockgate.report.text import printable

DEFAULT_PATH = "policy.yaml"


@click.group(cls=CommandGroup, invoke_without_command=True)
@click.pass_context
def policy(ctx: click.Context) -> None:
    """Write, check and show policies."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@policy.command("init", epilog="Exit codes: 0 written, 64 usage, also where the file is there; 75 the disk is full.")
@click.argument("file", default=DEFAULT_PATH, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option("--app", default="my-app", show_default=True, help="What is released.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(file: Path, app: str, *, force: bool) -> None:
    """Write a commented policy to FILE (default: policy.yaml)."""
    from lockgate.cli.policy_example import policy_example

    if file.exists() and not force:
        raise UsageError(f"{file} is there already", advice="Name another file, or replace it with --force.")
    output.save(file, policy_example(app))
    name = printable(str(file))
    output.say(f"Wrote {name}. Next: `lockgate policy show {name}` says what it promises.\n")


@policy.command("check", epilog="Exit codes: 0 legal, 64 usage, 65 faults.")
@click.argument("file", type=click.Path(), metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def check(file: str, *, as_json: bool) -> int:
    """List every fault of the policy in FILE (- is standard input), which may name a rollout as for `create -f`."""
    from lockgate.core.declaration.fault import PolicyFaults

    try:
        declared = _declared(file)
    except PolicyFaults as error:
        if not as_json:
            raise
        faults = [fault.document() for fault in error.faults]
        output.emit_json({"file": file, "valid": False, "faults": faults, "digest": None})
        return exit_codes.of_error(error)
    if as_json:
        output.emit_json({"file": file, "valid": True, "faults": [], "digest": declared.digest()})
    else:
        from lockgate.core.wording import count_text

        sizes = f"{count_text(len(declared.gates), 'gate')}, {count_text(len(declared.steps), 'step')}"
        name = "standard input" if file == "-" else file
        output.say(f"{printable(name)}: no faults ({sizes}).\ndigest: {declared.digest()}\n")
    return exit_codes.OK.code


@policy.command("show", epilog="Exit codes: 0 shown, 64 usage, 65 faults.")
@click.argument("file", type=click.Path(), metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Print the policy, its digest and its promises as JSON.")
def show(file: str, *, as_json: bool) -> None:
    """Print the policy in FILE (- is standard input) with every default spelled out, and what it promises."""
    from lockgate.core.policy.promise import promises
    from lockgate.wiring import encode_policy

    declared = _declared(file)
    if as_json:
        document = {"policy": declared.document(), "digest": declared.digest(), "promises": list(promises(declared))}
        output.emit_json(document)
        return
    lines = [f"# {declared.digest()}", "#", *(f"# {printable(sentence)}" for sentence in promises(declared))]
    # A file of YAML, also where it is copied from a terminal: a line that is broken there would be no comment any more.
    output.emit("\n".join(lines) + "\n\n" + encode_policy(declared.document()))


@policy.command("schema", epilog="Exit codes: 0 printed, 64 usage.")
def schema() -> None:
    """Print the JSON Schema of policies, which describes every field."""
    from lockgate.core.declaration.schema import policy_schema

    output.emit_json(policy_schema())


def _declared(file: str) -> Policy:
    from lockgate.cli.declared import without_rollout
    from lockgate.core.declaration.policy_declaration import declare
    from lockgate.wiring import read_policy_file

    return declare(without_rollout(read_policy_file(file)))
