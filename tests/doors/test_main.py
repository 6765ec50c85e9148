# SPDX-License-Identifier: Apache-2.0
"""Arguments come in; the door must leave by the right code and say why in the right place."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lockgate.cli import exit_codes, main

FAIL = main.Entry("tests.doors.failing", "fail", "End as told.")


@pytest.fixture(autouse=True)
def _with_failing_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(main.COMMANDS, "fail", FAIL)


@pytest.mark.clause("CO-41", "CO-49")
@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("0", 0),
        ("1", 1),
        ("3", 3),
        ("UsageError", 64),
        ("DataError", 65),
        ("UnreachableError", 69),
        ("LockgateError", 70),
        ("bug", 70),
        ("TryAgainError", 75),
        ("NotPermittedError", 77),
        ("stop", 130),
    ],
)
def test_each_end_has_its_exit_code(word: str, code: int) -> None:
    """A command's answer passes through; each kind of failure has one code, and a bug never reads as regressed."""
    assert main.run(["fail", word]) == code


@pytest.mark.clause("CO-41")
def test_a_failure_is_told_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """What happened comes after `error:`, then what to do; standard output stays empty."""
    main.run(["fail", "DataError"])

    assert capsys.readouterr() == ("", "error: what happened\nwhat to do\n")


@pytest.mark.clause("CO-45")
def test_a_quoted_line_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """An error that quotes hostile data shows its escapes."""
    main.run(["fail", "hostile"])

    assert capsys.readouterr().err == "error: runs.ndjson line 3: \\x1b[2Jgone\\u202e\n"


@pytest.mark.clause("CO-41")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nonsense"], "No such option '--nonsense'"),
        (["nonsense"], "No such command 'nonsense'"),
        (["fail"], "Missing argument 'WORD'"),
        (["fail", "0", "too-much"], "Got unexpected extra argument"),
    ],
)
def test_clicks_own_faults_are_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Click would leave by 2, which here means that time ran out."""
    code = main.run(arguments)

    assert code == exit_codes.USAGE.code
    assert said in capsys.readouterr().err


@pytest.mark.clause("CO-41")
def test_a_bug_asks_to_be_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """A fault of Lockgate's own shows where it was, and that there is no verdict."""
    main.run(["fail", "bug"])

    said = capsys.readouterr().err
    assert "ZeroDivisionError: a fault of our own" in said
    assert "error: this is a fault in Lockgate, not in your data; no verdict was reached" in said


def test_codes_are_listed_once_and_in_order() -> None:
    """The table of exit codes gives each code one meaning."""
    codes = [row.code for row in exit_codes.EXIT_CODES]

    assert codes == sorted(set(codes))


@pytest.mark.clause("CO-40")
@pytest.mark.parametrize(
    ("outcome", "code", "thin"),
    [
        ("clean", 0, 0),
        ("proven", 0, 0),
        ("regressed", 1, 1),
        ("insufficient", 3, 0),
        ("unavailable", 3, 3),
        ("not_applicable", 3, 3),
    ],
)
def test_each_outcome_has_its_exit_code(outcome: str, code: int, thin: int) -> None:
    """Only too few runs are forgiven by `--allow-thin`."""
    assert exit_codes.of_outcome(outcome) == code
    assert exit_codes.of_outcome(outcome, allow_thin=True) == thin


@pytest.mark.clause("CO-48")
def test_help_loads_no_command_and_nothing_heavy() -> None:
    """A person who asks for help does not wait for numpy, DuckDB, rich or Jinja."""
    script = (
        "import sys; from lockgate.cli.main import run; code = run(['--help']); "
        "heavy = {'numpy', 'duckdb', 'rich', 'jinja2', 'msgspec', 'yaml'} & set(sys.modules); "
        "ours = [name for name in sys.modules if name.startswith('lockgate.cli.')]; "
        "print(code, sorted(heavy), sorted(ours), file=sys.stderr)"
    )

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stderr == "0 [] ['lockgate.cli.exit_codes', 'lockgate.cli.main']\n"
    assert "compare" in ran.stdout


@pytest.mark.clause("CO-48")
def test_the_table_and_each_command_agree() -> None:
    """The one line in the table of commands is the first line of the command's own help."""
    context = main.lockgate.make_context("lockgate", ["policy"], resilient_parsing=True)

    said = {name: main.lockgate.get_command(context, name) for name in main.COMMANDS if name != "fail"}

    assert {name: command.get_short_help_str(200) for name, command in said.items() if command} == {
        name: entry.help for name, entry in main.COMMANDS.items() if name != "fail"
    }


@pytest.mark.clause("CO-49")
def test_a_closed_pipe_leaves_no_trace_and_no_outcome() -> None:
    """`lockgate --help | head -0` says nothing on standard error and does not leave by 1."""
    reading, writing = os.pipe()
    os.close(reading)

    ran = subprocess.run(
        [sys.executable, "-m", "lockgate", "--help"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )

    os.close(writing)
    assert (ran.returncode, ran.stderr) == (exit_codes.PIPE_CLOSED.code, "")


def test_completion_offers_commands_without_loading_them() -> None:
    """Click's completion reads names and help from the table."""
    completion = {"_LOCKGATE_COMPLETE": "bash_complete", "COMP_WORDS": "lockgate co", "COMP_CWORD": "1"}

    ran = subprocess.run([sys.executable, "-m", "lockgate"], env=completion, capture_output=True, text=True, check=True)

    assert ran.stdout == "plain,compare\n"
