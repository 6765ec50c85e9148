# SPDX-License-Identifier: Apache-2.0
"""The commands of a group come in; a help that says of each the whole sentence goes out."""

from __future__ import annotations

import sys

import click


class CommandGroup(click.Group):
    """A group whose help wraps what its commands are for, where click would cut it off."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, each with the first sentence of its own help."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, each.get_short_help_str(sys.maxsize)) for name, each in found if each and not each.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
