# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; where it stands and what each gate's evidence says go out, and nothing is moved."""

from __future__ import annotations

import click

from lockgate.cli import delivery, exit_codes, local, output


@click.command(epilog=exit_codes.LOOKED)
@local.takes_id
@click.option("--json", "as_json", is_flag=True, help="Print the rollout as JSON.")
def show(rollout_id: str, *, as_json: bool) -> int:
    """Show where a rollout stands, without a tick."""
    from lockgate.operations.queries import explain

    house = local.house_to_read()
    with local.named(rollout_id, house):
        said = explain(rollout_id, house)
    if as_json:
        from lockgate.operations.deliver import untold as left
        from lockgate.operations.overview import frozen_apps
        from lockgate.report.rollout_document import explanation_document
        from lockgate.report.telling import told_document

        waiting = [told_document(each) for each in left(house, said.rollout.app)]
        frozen = frozen_apps(house).get(said.rollout.app)
        output.emit_json({**explanation_document(said), "frozen": frozen, "untold": waiting})
    else:
        from lockgate.report.view import render_view

        ending = local.ending(said.rollout, house)
        untold = delivery.untold(house, said.rollout.app)
        output.say(render_view(said, house.clock.now(), local.screen(), ending, untold))
    return exit_codes.OK.code
