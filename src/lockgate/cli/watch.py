# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; it is ticked and shown until it ends, and its end is the exit code."""

from __future__ import annotations

import time
from contextlib import suppress

import click

from lockgate.cli import delivery, exit_codes, local
from lockgate.errors import TryAgainError
from lockgate.operations.queries import Explanation, explain
from lockgate.ports.house import House

EPILOG = f"""
Exit codes: 0 promoted, 1 rolled back (by --on-timeout rollback too), 2 the time is over and it is still on trial,
4 cancelled, or replaced by a newer rollout, 64 no such rollout; {exit_codes.OF_STORE}
In shadow mode they say what would have been.
"""
MIN_INTERVAL_S = 0.1


@click.command(epilog=EPILOG)
@click.option("--id", "rollout_id", required=True, metavar="ID", help="The rollout.")
@click.option("--interval", type=local.seconds, default="30s", show_default=True, metavar="SPAN", help="Between ticks.")
@click.option("--timeout", type=local.seconds, default="1h", show_default=True, metavar="SPAN", help="How long.")
@click.option(
    "--on-timeout",
    type=click.Choice(["leave", "rollback"]),
    default="leave",
    show_default=True,
    help="What becomes of it when the time is over.",
)
@click.option("--no-tick", is_flag=True, help="Only look, because somebody else ticks.")
@click.option("--json", "as_json", is_flag=True, help="Print each change as one line of JSON.")
def watch(rollout_id: str, interval: float, timeout: float, on_timeout: str, *, no_tick: bool, as_json: bool) -> int:
    """Tick a rollout and show it until it ends, and leave by how it ended."""
    from lockgate.cli.watching import view_on
    from lockgate.operations.successor import successor
    from lockgate.operations.tick import tick

    house = local.house_to_read() if no_tick else local.known_house()
    deadline = time.monotonic() + timeout
    with local.named(rollout_id, house), view_on(house, deadline, as_json=as_json) as view:
        while True:
            if not no_tick:
                # Somebody else may take this turn, or hold the store: what came of it is seen below.
                with suppress(TryAgainError):
                    tick(rollout_id, house)
            said = explain(rollout_id, house)
            app = said.rollout.app
            view.show(said, delivery.untold(house, app) if no_tick else delivery.tell(house, app))
            left = deadline - time.monotonic()
            if said.rollout.is_terminal or left <= 0:
                break
            view.wait(min(left, max(interval, MIN_INTERVAL_S)), rollout_id)
        if not said.rollout.is_terminal and on_timeout == "rollback":
            house = local.known_house()
            said = _roll_back(rollout_id, house, timeout)
            view.show(said, delivery.tell(house, said.rollout.app))
    if not said.rollout.is_terminal:
        from lockgate.report.standing import late

        local.tell(late(said.rollout, said.decision, round(timeout)))
    newer = successor(said.rollout, house)
    if newer is not None:
        local.tell(
            f"superseded: {newer.id} tries {newer.candidate} instead; `lockgate watch --id {newer.id}` watches it"
        )
    return exit_codes.of_status(said.rollout.status.value, superseded=newer is not None)


def _roll_back(rollout_id: str, house: House, timeout: float) -> Explanation:
    """Take the candidate out of traffic, because nobody waits for it any more."""
    from lockgate.core.receipt import operator
    from lockgate.core.wording import duration_words
    from lockgate.operations.rollback import rollback

    who = local.actor().name or "lockgate watch"
    rollback(rollout_id, operator(who, f"undecided when watching ended after {duration_words(round(timeout))}"), house)
    return explain(rollout_id, house)
