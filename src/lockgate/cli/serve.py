# SPDX-License-Identifier: Apache-2.0
"""A host and a port come in; the store of this machine is served there over HTTP until the process is ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from lockgate.cli import exit_codes, local, output
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from lockgate.ports.house import House
    from lockgate.ports.webhooks import Receivers
    from lockgate.server.loop import Loop
    from lockgate.server.metrics import Metrics

EPILOG = f"Exit codes: 0 ended by SIGINT or SIGTERM, 64 usage, or the port is taken; {exit_codes.OF_STORE}"
HOST, PORT = "127.0.0.1", 7300
# 0 sets no limit.
RATE: dict[str, Any] = {"type": click.FloatRange(0, 1e9), "metavar": "N", "show_default": True}


@click.command(epilog=EPILOG)
@click.option("--host", default=HOST, show_default=True, metavar="HOST", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65_535), default=PORT, show_default=True, help="0 takes a free one.")
@click.option("--tick-every", type=local.seconds, metavar="SPAN", help="Take a turn of every rollout so often.")
@click.option("--rate", envvar="LOCKGATE_RATE", **RATE, default=500, help="Calls a second of each key.")
@click.option("--run-rate", envvar="LOCKGATE_RUN_RATE", **RATE, default=256, help="MiB of runs a second of each key.")
@click.option("--dev", "is_open", is_flag=True, help="Answer without keys, on this machine only.")
def serve(host: str, port: int, tick_every: float | None, *, rate: float, run_rate: float, is_open: bool) -> int:
    """Answer over HTTP, and take turns of the loop where asked."""
    from lockgate.cli.asked.caller_place import answer_call
    from lockgate.server import serving
    from lockgate.server.app import Service, make_app
    from lockgate.server.key_uses import kept_uses
    from lockgate.server.limits import Limits, usual_rates
    from lockgate.server.metrics import Metrics
    from lockgate.wiring import id_tokens, receivers, run_batches

    if tick_every is not None and tick_every < 1:
        raise UsageError("--tick-every is less than a second", advice="30s is usual; buckets seal once a minute.")
    serving.end_when_asked()
    with serving.listening(host, port) as listener:
        if is_open and not serving.is_loopback(listener):
            raise UsageError(
                f"--dev answers without keys, and others reach {host}", advice="Leave --host out, or --dev."
            )
        house = local.house()
        received = receivers(is_dev=is_open)
        _warn(house, received)
        _tell(serving.address_of(listener), house, tick_every, is_open=is_open)
        if not is_open and not serving.is_loopback(listener):
            local.tell("note: keys travel unencrypted; put a proxy with TLS in front of this")
        metrics = Metrics()
        with kept_uses(house, local.tell) as uses, _turning(house, tick_every, metrics, is_open=is_open) as loop:
            service = Service(
                house=house,
                batches=run_batches(),
                is_open=is_open,
                is_ticking=tick_every is not None,
                ask=answer_call,
                wake=loop.wake,
                used=uses.note,
                metrics=metrics,
                receivers=received,
                id_tokens=id_tokens(),
                limits=Limits(usual_rates(rate, run_rate)),
            )
            serving.serve(make_app(service), listener)
    return exit_codes.OK.code


@contextmanager
def _turning(house: House, tick_every: float | None, metrics: Metrics, *, is_open: bool) -> Iterator[Loop]:
    """Take turns, tell routers and ask those outside who sign checkpoints, each in threads of its own."""
    from lockgate.server.loop import Loop
    from lockgate.server.vouching_loop import vouching_loop
    from lockgate.wiring import actuators, news, timestamp_authority, witness_list

    outside = vouching_loop(house, witness_list(), timestamp_authority(), local.tell)
    with outside, Loop(house, actuators(is_dev=is_open), tick_every, local.tell, news(), metrics) as loop:
        yield loop


def _warn(house: House, received: Receivers) -> None:
    """Refuse a store that is older than others know; say what this server cannot do, because its keys are others."""
    from dataclasses import replace

    from lockgate.operations.soundness.log_age import refuse_older_logs
    from lockgate.operations.soundness.readiness import refuse_left, unopened, unsigned
    from lockgate.operations.webhooks.webhooks import ONE_KEY
    from lockgate.wiring import witness_list

    refuse_left(house)
    for said in refuse_older_logs(house, witness_list()):
        local.tell(f"warning: {said}")
    lost = unsigned(house)
    if lost is not None:
        local.tell(f"warning: {lost}")
    for org in sorted({house.org, *house.store.orgs()}):
        if ids := unopened(replace(house, org=org), received):
            local.tell(
                f"warning: nothing is sent to {', '.join(ids)} from here: their secrets cannot be opened\n{ONE_KEY}"
            )


def _tell(address: str, house: House, tick_every: float | None, *, is_open: bool) -> None:
    """Say where it answers, to whom, and what it does not do."""
    from lockgate.operations.access.issue_key import issue_first_key

    first = None if is_open else issue_first_key(house, local.actor().name)
    if first is not None:
        output.say(f"{first.token}\n")
        local.tell("this first key may do everything for 90 days and is shown this once; `lockgate keys` makes others")
    if is_open:
        local.tell("open: every program of this machine may do everything, without a key")
    if tick_every is None:
        local.tell(
            "nothing ticks here: rollouts move when `lockgate tick --all` or POST /api/v1/rollouts/evaluate is called; "
            "--tick-every 30s lets this server do it"
        )
    local.tell(f"Lockgate answers at {address}")
