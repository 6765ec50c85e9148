# SPDX-License-Identifier: Apache-2.0
"""The console blocks of README and docs come in; each runs and must end as it says, with the output that it shows.

A block is run when its fence says how it ends, as in ```` ```console exit=0 ````.
The commands of a page are typed one after another into one shell, which has nothing in its environment.
Every command but the last of a block must end with 0.
Shown lines must come out, in order, after the command above them; a line `...` stands for any lines.
A line that ends with ` ...` stands for one that begins so, because what it says of time hangs on when it is printed.
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.shell import ROOT, Shell

README, TUTORIAL = ROOT / "README.md", ROOT / "docs" / "tutorial.md"
# What somebody reads who wants the server next.
NEXT = [
    ROOT / "docs" / "howto" / f"{name}.md" for name in ("serve", "remote", "recorder", "webhooks", "webhook-receiver")
]
# These begin in the clone; every other page begins in the folder that the first commands of README make.
IN_CLONE, FIRST_STEPS = (README, TUTORIAL), 2
FENCE = re.compile(
    r"^```(?:console exit=(?P<code>\d+)|python file=(?P<file>\S+))\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
ANY = "..."


@dataclass(frozen=True)
class Command:
    """One prompt of a block: what is typed, what is shown under it, and the exit code it must have."""

    typed: str
    shown: tuple[str, ...]
    code: int


def commands_of(text: str) -> list[Command]:
    """Return the commands of every block of a page that says how it ends, or as which file it is saved."""
    return [command for fence in FENCE.finditer(text) for command in _of_fence(fence)]


def _of_fence(fence: re.Match[str]) -> list[Command]:
    if fence["file"]:
        return [Command(f"cat > {fence['file']} <<'END'\n{fence['body']}END", (), 0)]
    return _of_block(fence["body"], int(fence["code"]))


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
    """Return whether the output is the shown lines, where `...` stands for any lines, and for the rest of one."""
    pattern = "".join(map(_pattern, shown))
    lines = "".join(line.rstrip() + "\n" for line in output.splitlines())
    return not shown or re.fullmatch(pattern, lines) is not None


def _pattern(line: str) -> str:
    if line == ANY:
        return r"(?:.*\n)*?"
    if line.endswith(f" {ANY}"):
        return re.escape(line.removesuffix(ANY)) + ".+\n"
    return re.escape(line) + "\n"


def _pages() -> list[Path]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in pages if FENCE.search(page.read_text(encoding="utf-8"))]


def a_shell(folder: Path) -> Shell:
    """Return a shell that stands in what a reader has after `make setup`: a clone with the examples and `.venv`."""
    clone = folder / "lockgate"
    if (ROOT / "examples").is_dir():
        shutil.copytree(ROOT / "examples", clone / "examples")
    clone.mkdir(exist_ok=True)
    (clone / ".venv").symlink_to(sys.prefix)
    shown = {"NO_COLOR": "1", "COLUMNS": "100", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    shell = Shell(folder, "/usr/local/bin:/usr/bin:/bin", shown)
    assert shell.typed(f"cd {clone}") == (0, "")
    return shell


def follow(page: Path, shell: Shell) -> None:
    """Type what a page says, and look that it does what the page shows."""
    for command in commands_of(page.read_text(encoding="utf-8")):
        code, output = shell.typed(command.typed)
        shown = tuple(map(shell.ported, command.shown))
        assert code == command.code, f"$ {command.typed}\nended with {code}, not {command.code}:\n{output}"
        assert shows(shown, output), f"$ {command.typed}\nshould show\n{shown}\nbut printed\n{output}"


@pytest.mark.clause("HO-08")
@pytest.mark.parametrize("page", _pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path) -> None:
    """A reader who types what the page says gets what the page shows."""
    with a_shell(tmp_path) as shell:
        if page not in IN_CLONE:
            for command in commands_of(README.read_text(encoding="utf-8"))[:FIRST_STEPS]:
                assert shell.typed(command.typed) == (0, "")
        follow(page, shell)


@pytest.mark.clause("LC-63")
def test_the_pages_of_a_newcomer_follow_each_other_in_one_shell(tmp_path: Path) -> None:
    """What one page sets, starts or leaves behind stops nobody on the next."""
    with a_shell(tmp_path) as shell:
        for page in (README, TUTORIAL, *NEXT):
            if page == TUTORIAL:
                assert shell.typed("cd ../lockgate") == (0, "")
            follow(page, shell)
    shown = [line for command in commands_of(NEXT[0].read_text(encoding="utf-8")) for line in command.shown]
    assert {"422", "rolled_back"} <= set(shown)


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


@pytest.mark.clause("HO-08")
@pytest.mark.parametrize(
    ("shown", "is_shown"), [("a b ...", True), ("a ...", True), ("a c ...", False), ("a b", False)]
)
def test_of_a_line_the_rest_may_be_left_out(shown: str, is_shown: bool) -> None:
    """What it begins with must come out, and something behind that."""
    assert shows((shown,), "a b c\n") is is_shown
    assert not shows((shown,), "a b c\na b c\n")
