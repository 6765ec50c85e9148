# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout and what was seen of it come in; it moves one step, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import door, request


@click.command(epilog=request.DONE_IF_SEEN)
@request.of_rollout
@request.what_was_seen
@request.without_question
def promote(**call: object) -> int:
    """Move a rollout one step forward without waiting.

    Without --step and --revision it shows the rollout first, which needs a terminal.
    """
    return door.answer("promote", {**call, "may_ask": door.may_ask()})
