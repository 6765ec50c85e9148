# SPDX-License-Identifier: Apache-2.0
"""A terminal comes in; two candidates on trial are shown on it, and whether all went as told goes out."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from lockgate.cli import exit_codes, local, output
from lockgate.report.screen import Screen

EPILOG = (
    "Exit codes: 0 one was promoted, one rolled back, the router had every weight, and every receipt verified; "
    "1 something else happened."
)


@click.command(epilog=EPILOG)
@click.option("--keep", is_flag=True, help="Leave server, receiver, store and receipts, and say where they are.")
@click.option(
    "--router", "kind", type=click.Choice(["haproxy", "nginx", "own"]), help="Which router. [default: what is there]"
)
def demo(kind: str | None, *, keep: bool) -> int:
    """Show a candidate that holds and one that fails, on live traffic of this machine."""
    from lockgate.demo.play import play

    with _folder(keep=keep) as folder, _stage() as stage:
        is_as_told, left = play(stage, folder, kind, is_kept=keep)
    if keep:
        output.say(f"Store and receipts: {folder}.\n")
    if left is not None:
        numbers = " ".join(map(str, left.numbers))
        output.say(
            f"Server and receiver go on. Next: LOCKGATE_URL={left.url} {_program()} list, or {left.url}/openapi.json\n"
            f"What came of each webhook: {folder}/receiver.log\n"
            f"To end them: kill {numbers}\n"
        )
    return exit_codes.OK.code if is_as_told else exit_codes.REGRESSED.code


def _program() -> str:
    """Return how the reader calls Lockgate: by name where that is found, else beside this Python."""
    return "lockgate" if shutil.which("lockgate") else str(Path(sys.executable).parent / "lockgate")


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    if keep:
        yield Path(tempfile.mkdtemp(prefix="lockgate-demo-"))
        return
    with tempfile.TemporaryDirectory(prefix="lockgate-demo-") as name:
        yield Path(name)


@dataclass(frozen=True, slots=True)
class _Stage:
    """Draws a frame where that is seen, and prints lines above it."""

    draw: Callable[[str], None]
    tell: Callable[[str], None]

    @property
    def screen(self) -> Screen:
        return local.screen()


@contextmanager
def _stage() -> Iterator[_Stage]:
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        yield _Stage(lambda _frame: None, lambda line: output.say(f"{line}\n"))
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    with Live(console=console, auto_refresh=False) as live:
        yield _Stage(
            lambda frame: live.update(Text.from_ansi(frame, no_wrap=True), refresh=True),
            lambda line: console.print(Text.from_ansi(line)),
        )
