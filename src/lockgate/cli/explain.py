# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; why it holds, what would change that and how long it takes go out in words."""

from __future__ import annotations

import click

from lockgate.cli import exit_codes, local, output


@click.command(epilog=exit_codes.LOOKED)
@local.takes_id
@click.option("--json", "as_json", is_flag=True, help="Print headings and sentences as JSON.")
def explain(rollout_id: str, *, as_json: bool) -> int:
    """Say why a rollout holds, what would change it, and how long that takes at this rate."""
    from lockgate.operations.anytime import anytime_intervals
    from lockgate.operations.queries import explain as ask
    from lockgate.report.explained import explained, render_explained

    house = local.house_to_read()
    with local.named(rollout_id, house):
        said = ask(rollout_id, house)
        intervals = anytime_intervals(said.trial, house)
    now, ending = house.clock.now(), local.ending(said.rollout, house)
    if as_json:
        parts = explained(said, now, ending, intervals)
        output.emit_json(
            {
                "id": said.rollout.id,
                "parts": [{"heading": part.heading, "sentences": list(part.sentences)} for part in parts],
                "anytime": {interval.gate.id: interval.document() for interval in intervals},
            }
        )
    else:
        output.say(render_explained(said, now, local.screen(), ending, intervals))
    return exit_codes.OK.code
