# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; it is ticked and shown until it ends, and its end is the exit code."""

from __future__ import annotations

import time

import click

from lockgate.cli import door, exit_codes, local

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
    from lockgate.cli.watching import Watched, view_on

    deadline = time.monotonic() + timeout
    with (
        door.opened(away_s=timeout) as here,
        view_on(Watched(here, rollout_id, deadline, is_ticking=not no_tick), as_json=as_json) as view,
    ):
        while True:
            facts = view.show()
            left = deadline - time.monotonic()
            if facts.is_terminal or left <= 0:
                break
            view.wait(min(left, max(interval, MIN_INTERVAL_S)))
        if not facts.is_terminal:
            facts = view.end(round(timeout), is_rolling_back=on_timeout == "rollback")
    return exit_codes.of_status(facts.status, superseded=facts.is_superseded)
