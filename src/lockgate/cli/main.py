# SPDX-License-Identifier: Apache-2.0
"""Command-line arguments come in; one command runs, and its exit code goes out.

The table of commands carries each one-line help, so that `lockgate --help` loads no command's module.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple, NoReturn

import click
from click.shell_completion import CompletionItem

from lockgate import __version__
from lockgate.cli import exit_codes
from lockgate.errors import LockgateError


class Entry(NamedTuple):
    """Where a command lives, and what it is for."""

    module: str
    attribute: str
    help: str


COMMANDS = {
    "create": Entry(
        "lockgate.cli.create",
        "create",
        "Put a candidate on trial against a baseline, under a policy that is then frozen.",
    ),
    "watch": Entry(
        "lockgate.cli.watch", "watch", "Tick a rollout and show it until it ends, and leave by how it ended."
    ),
    "show": Entry("lockgate.cli.show", "show", "Show where a rollout stands, without a tick."),
    "explain": Entry(
        "lockgate.cli.explain",
        "explain",
        "Say why a rollout holds, what would change it, and how long that takes at this rate.",
    ),
    "compare": Entry(
        "lockgate.cli.compare",
        "compare",
        "Say from the runs in FILES, or from kept ones, whether the candidate is worse.",
    ),
    "demo": Entry(
        "lockgate.cli.demo",
        "demo",
        "Show a candidate that holds and one that fails, on live traffic of this machine.",
    ),
    "ingest": Entry("lockgate.cli.ingest", "ingest", "Keep the runs in FILES, by the time at which they started."),
    "runs": Entry("lockgate.cli.runs", "runs", "Show raw runs, the latest to come first."),
    "prune": Entry("lockgate.cli.prune", "prune", "Drop raw runs and buckets that are older than they are kept."),
    "tick": Entry("lockgate.cli.tick", "tick", "Take one turn of the loop: read what was sealed, decide, sign."),
    "list": Entry("lockgate.cli.list_rollouts", "list_command", "List rollouts, the oldest first."),
    "apps": Entry(
        "lockgate.cli.apps",
        "apps",
        "Show apps: releases seen, champion, what is on trial, what is frozen and why, and what moves the traffic.",
    ),
    "pause": Entry(
        "lockgate.cli.pause", "pause", "Pause a rollout: nothing is promoted, and a breach still rolls back."
    ),
    "resume": Entry(
        "lockgate.cli.resume", "resume", "Let a paused rollout go on, and let pass the breaches that paused it."
    ),
    "approve": Entry("lockgate.cli.approve", "approve", "Let a rollout leave the step that you saw."),
    "promote": Entry("lockgate.cli.promote", "promote", "Move a rollout one step forward without waiting."),
    "rollback": Entry(
        "lockgate.cli.rollback",
        "rollback",
        "Take a candidate out of traffic for good; the last promoted one too, until the next rollout starts.",
    ),
    "cancel": Entry(
        "lockgate.cli.cancel", "cancel", "End a rollout that users have not met; one that they meet is rolled back."
    ),
    "kill": Entry(
        "lockgate.cli.kill",
        "kill",
        "Roll back everything on trial in an app, or return it to its former champion; freeze it.",
    ),
    "freeze": Entry(
        "lockgate.cli.freeze", "freeze", "Let nothing of an app start or be promoted; rollback always works."
    ),
    "unfreeze": Entry("lockgate.cli.freeze", "unfreeze", "End an app's freeze, whether a freeze or a kill began it."),
    "clear-alarm": Entry(
        "lockgate.cli.clear_alarm",
        "clear_alarm",
        "Clear a rollout's sample-ratio alarm when its cause is known; the check starts again.",
    ),
    "actuator": Entry(
        "lockgate.cli.actuator",
        "actuator",
        "Declare the program that moves an app's traffic, show it, remove it, or tell it the weight again.",
    ),
    "deliver": Entry("lockgate.cli.deliver", "deliver", "Tell routers what is due, and say what they were not told."),
    "witnesses": Entry(
        "lockgate.cli.witnesses",
        "witnesses",
        "Say which witnesses cosign the checkpoints of this machine's logs, and ask them.",
    ),
    "witness": Entry("lockgate.cli.witness", "witness", "Cosign other teams' logs, so that none is rewritten unseen."),
    "receipts": Entry(
        "lockgate.cli.receipts", "receipts", "List a rollout's receipts, or write them as files that verify offline."
    ),
    "export": Entry(
        "lockgate.cli.export",
        "export",
        "Write a rollout's receipts, and all that proves and explains them, as one zip.",
    ),
    "verify": Entry("lockgate.cli.verify", "verify", "Say what receipts, a bundle or the log prove, offline."),
    "replay": Entry("lockgate.cli.replay", "replay", "Make decisions again, and compare each with what was signed."),
    "log": Entry(
        "lockgate.cli.log", "log", "Print the log of what was signed, its proofs, or everything since a size."
    ),
    "fsck": Entry(
        "lockgate.cli.fsck", "fsck", "Check that everything in the store agrees, and make every decision again."
    ),
    "new-keys": Entry(
        "lockgate.cli.new_keys",
        "new_keys",
        "Go on by new keys where the old ones are lost or were moved away, and sign that.",
    ),
    "serve": Entry("lockgate.cli.serve", "serve", "Answer over HTTP, and take turns of the loop where asked."),
    "webhooks": Entry(
        "lockgate.cli.webhooks",
        "webhooks",
        "Declare receivers of signed messages, try them, and see what they were sent.",
    ),
    "keys": Entry("lockgate.cli.keys", "keys", "API keys of `lockgate serve`, and keys that sign."),
    "trust": Entry(
        "lockgate.cli.trust", "trust", "Say which CI jobs get a key for the token that their CI system signed."
    ),
    "orgs": Entry("lockgate.cli.orgs", "orgs", "Make and list organisations, which see nothing of each other."),
    "backup": Entry("lockgate.cli.backup", "backup", "Copy the store into a new FOLDER while others go on."),
    "store": Entry("lockgate.cli.store", "store", "Make the tables of a store, or copy it to where it goes on."),
    "policy": Entry("lockgate.cli.policy", "policy", "Write, check and show policies."),
}
# What people do every day comes first.
GROUPS: dict[str, Sequence[str]] = {
    "Commands": ("create", "watch", "show", "explain", "compare", "demo"),
    "Feeding and turning": ("ingest", "runs", "tick", "list", "apps", "prune", "actuator", "webhooks", "deliver"),
    "Serving": ("serve", "keys", "trust", "orgs"),
    "Stepping in": (
        "pause",
        "resume",
        "approve",
        "promote",
        "rollback",
        "cancel",
        "kill",
        "freeze",
        "unfreeze",
        "clear-alarm",
    ),
    "Proving and declaring": (
        "receipts",
        "export",
        "verify",
        "replay",
        "log",
        "witness",
        "witnesses",
        "fsck",
        "backup",
        "store",
        "new-keys",
        "policy",
    ),
}

EPILOG = """
Exit codes: 0 clean or promoted, 1 regressed or rolled back, 2 timed out, 3 not enough to tell, 64 usage, 65 bad data,
69 nobody answered or the disk fails, 75 try again, 77 not permitted. LOCKGATE_URL names a server to work on,
LOCKGATE_API_KEY the key for it. `lockgate COMMAND --help` says more of a command.
"""


class CommandTable(click.Group):
    """A group that imports a command's module when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click hands it over
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click hands it over
        """Import and return one command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(import_module(entry.module), entry.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click hands it over
        """Write the list of commands from the table."""
        grouped = {name for names in GROUPS.values() for name in names}
        rest = [name for name in COMMANDS if name not in grouped]
        for title, names in {**GROUPS, "Further commands": rest}.items():
            if names:
                with formatter.section(title):
                    formatter.write_dl([(name, COMMANDS[name].help) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of commands from the table, and options as click does."""
        items = [
            CompletionItem(name, help=entry.help) for name, entry in COMMANDS.items() if name.startswith(incomplete)
        ]
        return items + click.Command.shell_complete(self, ctx, incomplete)


@click.command(
    cls=CommandTable,
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(__version__, message="lockgate %(version)s")
@click.pass_context
def lockgate(ctx: click.Context) -> None:
    """Did the candidate make it worse?

    Lockgate compares the runs of two releases, once or at each step of a rollout, and answers by a picture, a reason in
    words, and an exit code.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave by its exit code."""
    try:
        _fill_closed_streams()
        code = _flushed(run(sys.argv[1:] if argv is None else argv))
    except BaseException:  # noqa: BLE001 -- whatever is left to raise
        # Nobody can be told any more, and Python would leave by 1, which says "regressed".
        os._exit(exit_codes.INTERNAL.code)
    sys.exit(code)


def run(argv: Sequence[str]) -> int:
    """Run one command and return its exit code; every failure is told on standard error."""
    try:
        answer = lockgate.main(args=list(argv), prog_name="lockgate", standalone_mode=False)
    except click.exceptions.Abort as error:
        return _interrupted(error.__cause__ or error)
    except click.ClickException as error:
        _tell_usage(error)
        return exit_codes.USAGE.code
    except LockgateError as error:
        _tell(error.message, error.advice)
        return exit_codes.of_error(error)
    except KeyboardInterrupt as error:
        return _interrupted(error)
    except SystemExit as left:
        # click leaves by itself after a completion (0) and when its output was closed (1, which would say "regressed").
        if left.code in (0, None):
            return exit_codes.OK.code
        from lockgate.cli import output

        output.close()
        return exit_codes.PIPE_CLOSED.code
    except UnicodeEncodeError as error:
        if not _is_quoted(error, argv):
            return _internal()
        _tell("an argument is not UTF-8 text", "Only names of files may be in another encoding.")
        return exit_codes.USAGE.code
    except Exception:  # noqa: BLE001 -- whatever a command raises
        # Python would leave by 1, which says "regressed".
        return _internal()
    return answer if isinstance(answer, int) else exit_codes.OK.code


def _is_quoted(error: UnicodeEncodeError, argv: Sequence[str]) -> bool:
    """Say whether what cannot be written as UTF-8 was handed in."""
    wrong = error.object[error.start : error.end]
    return any(wrong in word for word in argv)


def _tell(message: str, advice: str = "") -> None:
    from lockgate.cli import output
    from lockgate.report.text import printable

    # A message quotes what was read, and what was read may mean to command a terminal.
    lines = [f"error: {message}", *([advice] if advice else [])]
    output.complain("\n".join(printable(line) for line in "\n".join(lines).split("\n")))


def _tell_usage(error: click.ClickException) -> None:
    context = error.ctx if isinstance(error, click.UsageError) else None
    _tell(error.format_message(), f"Try '{context.command_path} --help'." if context else "")


def _interrupted(error: BaseException) -> int:
    """Tell that nothing was finished, and what a command says of what that left."""
    _tell("; ".join(["interrupted before it was done", *map(str, error.args)]))
    return exit_codes.INTERRUPTED.code


def _internal() -> int:
    import traceback

    from lockgate.report.text import printable

    # Lines of a traceback quote names of files, and what was read.
    with contextlib.suppress(OSError):
        click.echo("\n".join(map(printable, traceback.format_exc().splitlines())), err=True)
    _tell(
        "this is a fault in Lockgate, not in your data; no verdict was reached",
        "Please report it with the lines above and `lockgate --version`.",
    )
    return exit_codes.INTERNAL.code


def _fill_closed_streams() -> None:
    """Put a device in place of each stream that the caller closed, so that no file takes its number.

    Standard input stays None, because reading from it is a mistake that can be told.
    """
    if sys.stdin is None:
        os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 -- it stays open for as long as the process lives
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 -- it stays open for as long as the process lives


def _flushed(code: int) -> int:
    """Return the exit code once everything is written; an answer that was cut short is none."""
    try:
        sys.stdout.flush()
    except OSError as error:
        from lockgate.cli import output

        output.close()
        if isinstance(error, BrokenPipeError):
            return code
        said = output.unwritten(error)
        _tell(said.message, said.advice)
        return exit_codes.of_error(said)
    return code
