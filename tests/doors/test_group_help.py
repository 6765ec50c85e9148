# SPDX-License-Identifier: Apache-2.0
"""Groups of commands come in; their helps must say whole sentences: docs/spec.md."""

from __future__ import annotations

import re

import click
import pytest

from lockgate.cli import exit_codes, main
from lockgate.cli.command_group import CommandGroup
from lockgate.cli.main import COMMANDS
from tests.doors.line import Door


def _groups() -> dict[str, click.Group]:
    context = main.lockgate.make_context("lockgate", ["policy"], resilient_parsing=True)
    found = {name: main.lockgate.get_command(context, name) for name in COMMANDS if name != "fail"}
    return {name: each for name, each in found.items() if isinstance(each, click.Group)}


@pytest.fixture
def door(capsys: pytest.CaptureFixture[str]) -> Door:
    """Return the command line."""
    return Door(capsys)


@pytest.mark.clause("CL-82")
def test_the_help_of_a_group_says_the_whole_sentence_of_each_command(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the width of a small terminal too, where a sentence takes two lines."""
    monkeypatch.setenv("COLUMNS", "80")
    groups = _groups()

    for name, group in groups.items():
        assert isinstance(group, CommandGroup), name
        assert door(name, "--help") == exit_codes.OK.code
        shown = re.sub(r"\s+", " ", door.out.partition("\nCommands:\n")[2])
        assert "..." not in shown
        for command, each in group.commands.items():
            whole = re.sub(r"\s+", " ", (each.help or "").split("\n\n")[0]).strip()
            assert f"{command} {whole.partition('. ')[0].removesuffix('.')}" in shown
    assert {"keys", "webhooks", "log", "store"} < set(groups)
