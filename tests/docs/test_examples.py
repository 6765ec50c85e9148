# SPDX-License-Identifier: Apache-2.0
"""The console blocks of README and docs come in; each runs and must end as it says, with the output that it shows.

A block is run when its fence says how it ends, as in ```` ```console exit=0 ````.
The commands of a page run one after another in one empty folder that holds a copy of `examples`.
Every command but the last of a block must end with 0.
Shown lines must come out, in order, after the command above them; a line `...` stands for any lines.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```console exit=(?P<code>\d+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
ANY = "..."
SECONDS = 60


@dataclass(frozen=True)
class Command:
    """One prompt of a block: what is typed, what is shown under it, and the exit code it must have."""

    typed: str
    shown: tuple[str, ...]
    code: int


def commands_of(text: str) -> list[Command]:
    """Return the commands of every block of a page that says how it ends."""
    return [command for fence in FENCE.finditer(text) for command in _of_block(fence["body"], int(fence["code"]))]


def _of_block(body: str, code: int) -> list[Command]:
    assert body.startswith("$ "), f"a console block begins with a prompt: {body!r}"
    prompts = body.removeprefix("$ ").split("\n$ ")
    last = len(prompts) - 1
    return [_command(prompt, code if number == last else 0) for number, prompt in enumerate(prompts)]


def _command(prompt: str, code: int) -> Command:
    lines = prompt.rstrip("\n").split("\n")
    typed = [lines.pop(0)]
    while typed[-1].endswith("\\") and lines:
        typed.append(lines.pop(0).removeprefix("> "))
    return Command("\n".join(typed), tuple(line.rstrip() for line in lines), code)


def shows(shown: tuple[str, ...], output: str) -> bool:
    """Return whether the output is the shown lines, where `...` stands for any lines."""
    pattern = "".join(r"(?:.*\n)*?" if line == ANY else re.escape(line) + "\n" for line in shown)
    lines = "".join(line.rstrip() + "\n" for line in output.splitlines())
    return not shown or re.fullmatch(pattern, lines) is not None


def _pages() -> list[Path]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in pages if FENCE.search(page.read_text(encoding="utf-8"))]


@pytest.mark.clause("HO-08")
@pytest.mark.parametrize("page", _pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path) -> None:
    """A reader who types what the page says gets what the page shows."""
    if (ROOT / "examples").is_dir():
        shutil.copytree(ROOT / "examples", tmp_path / "examples")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shown = {"NO_COLOR": "1", "COLUMNS": "100", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    environment = os.environ | {"PATH": path, "LOCKGATE_HOME": str(tmp_path / "home"), **shown}

    with ExitStack() as ends:
        for command in commands_of(page.read_text(encoding="utf-8")):
            code, output = _typed(command.typed, tmp_path, environment, ends)
            assert code == command.code, f"$ {command.typed}\nended with {code}, not {command.code}:\n{output}"
            assert shows(command.shown, output), (
                f"$ {command.typed}\nshould show\n{command.shown}\nbut printed\n{output}"
            )


def _typed(text: str, folder: Path, environment: dict[str, str], ends: ExitStack) -> tuple[int, str]:
    """Return how a command ended and what it printed; what it left in the background ends with the page."""
    shell = subprocess.Popen(
        ["bash", "-c", text],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    ends.callback(_end, shell.pid)
    out, error = shell.communicate(timeout=SECONDS)
    return shell.returncode, out + error


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


@pytest.mark.clause("HO-08")
def test_a_block_is_read_as_commands_with_their_output() -> None:
    """Only the last command of a block carries the block's exit code; a backslash continues a command."""
    page = "```console exit=1\n$ one\n$ two \\\n> --more\nshown\n...\n```\n\n```console\n$ not run\n```\n"

    commands = commands_of(page)

    assert commands == [Command("one", (), 0), Command("two \\\n--more", ("shown", "..."), 1)]


@pytest.mark.clause("HO-08")
@pytest.mark.parametrize(
    ("shown", "is_shown"),
    [(("a", "b"), True), (("a", "..."), True), (("...", "b"), True), ((), True), (("a",), False), (("b", "a"), False)],
)
def test_shown_lines_must_come_out_whole(shown: tuple[str, ...], is_shown: bool) -> None:
    """Leaving a line out needs `...`."""
    assert shows(shown, "a  \nb\n") is is_shown
