# SPDX-License-Identifier: Apache-2.0
"""How long what is kept comes in; what is older leaves the store, and how much it was goes out."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, TypedDict, cast

import click

from lockgate.cli import exit_codes, local, output, request

if TYPE_CHECKING:
    from lockgate.core.receipt import Actor
    from lockgate.core.retention import Retention
    from lockgate.operations.retention.prune import Pruned
    from lockgate.ports.house import House

EPILOG = f"Exit codes: 0 pruned, or nothing was old; 64 usage; {exit_codes.OF_STORE}"


class Call(TypedDict):
    """What was called, as click hands it over."""

    keep_raw: str | None
    keep_buckets: str | None
    save: bool
    dry_run: bool
    release_pins: str | None
    reason: str | None
    by: str | None
    as_json: bool


@click.command(epilog=EPILOG)
@click.option("--keep-raw", metavar="SPAN", help="How long raw runs are kept, from when they came; 14d if unset.")
@click.option("--keep-buckets", metavar="SPAN", help="How long buckets are kept, from when they came; 400d if unset.")
@click.option("--save", is_flag=True, help="Keep these spans for the next time.")
@click.option("--dry-run", is_flag=True, help="Only say how much is older.")
@click.option("--release-pins", metavar="ID", help="Only let go of the raw runs that this rollout has pinned.")
@click.option("--reason", metavar="TEXT", help="Why; the receipt keeps it. [default: what is dropped is old]")
@click.option("--by", metavar="NAME", envvar="LOCKGATE_ACTOR", help="Who. [default: the user of this machine]")
@click.option("--json", "as_json", is_flag=True, help="Print what was pruned as JSON.")
def prune(**call: object) -> int:
    """Drop raw runs and buckets that are older than they are kept.

    A rollback, a reduction or a pause pins the raw runs of both releases that it was decided on: they stay until
    --release-pins, as do buckets that an active rollout may read. With buckets go the looks of rollouts that have
    ended, and what became of messages that were told. Receipts, their log and messages stay for ever.
    """
    return _answer(cast("Call", call))


def _answer(call: Call) -> int:
    from lockgate.operations.retention import prune as pruning

    is_look = call["dry_run"] and call["release_pins"] is None
    house = local.house_to_read() if is_look else local.known_house()
    if call["release_pins"] is not None:
        return _release(call["release_pins"], house, call)
    retention = _spans(pruning.retained(house), call["keep_raw"], call["keep_buckets"])
    if call["dry_run"]:
        found = pruning.preview(house, retention)
    else:
        is_told = not call["as_json"] and sys.stderr.isatty()
        who = _actor(call, pruning.JOB)
        told = _told if is_told else lambda _what, _count: None
        found = pruning.prune(house, retention, save=call["save"], told=told, actor=who)
        if is_told:
            click.echo(err=True)
    if call["as_json"]:
        spans = {"keep_raw_s": retention.raw_s, "keep_buckets_s": retention.buckets_s}
        pinned = list(dict.fromkeys(pin.rollout for pin in pruning.pins(house)))
        answer = {**asdict(found), "receipts": _documents(found.receipts)}
        output.emit_json({**spans, "dry_run": call["dry_run"], **answer, "pins": pinned})
    else:
        output.say(_text(found, retention, is_dry=call["dry_run"]))
    return exit_codes.OK.code


def _actor(call: Call, otherwise: Actor) -> Actor:
    reason = otherwise.reason if call["reason"] is None else call["reason"]
    return request.actor(call["by"], reason or "")


def _release(rollout_id: str, house: House, call: Call) -> int:
    from lockgate.operations.retention.unpinning import LET_GO, release

    with local.named(rollout_id, house):
        receipt = release(rollout_id, house, _actor(call, LET_GO))
    signed = [] if receipt is None else [(receipt.rollout_id, receipt.seq)]
    if call["as_json"]:
        output.emit_json({"id": rollout_id, "released": receipt is not None, "receipts": _documents(signed)})
    elif receipt is None:
        output.say("It has pinned no raw runs.\n")
    else:
        output.say("\n".join(["The next prune treats its raw runs as any others.", *_signed(signed)]) + "\n")
    return exit_codes.OK.code


def _documents(receipts: Iterable[tuple[str, int]]) -> list[dict[str, object]]:
    return [{"id": series, "seq": seq} for series, seq in receipts]


def _signed(receipts: Iterable[tuple[str, int]]) -> list[str]:
    return [f"Signed by receipt {seq} of {series}." for series, seq in receipts]


def _spans(before: Retention, keep_raw: str | None, keep_buckets: str | None) -> Retention:
    raw_s = before.raw_s if keep_raw is None else _seconds("--keep-raw", keep_raw)
    buckets_s = before.buckets_s if keep_buckets is None else _seconds("--keep-buckets", keep_buckets)
    return replace(before, raw_s=raw_s, buckets_s=buckets_s)


def _seconds(option: str, text: str) -> int:
    from lockgate.core.policy.duration import duration_seconds

    span = duration_seconds(text)
    if span is None:
        raise click.BadParameter(f"{text!r} is not a span of time such as 36h, 14d or 400d.", param_hint=option)
    return span


def _told(what: str, count: int) -> None:
    click.echo(f"\r{count:,} {what} ", nl=False, err=True)


def _text(found: Pruned, retention: Retention, *, is_dry: bool) -> str:
    from lockgate.core.instant import instant_text
    from lockgate.core.policy.duration import duration_text
    from lockgate.core.wording import count_text

    verb = "Would drop" if is_dry else "Dropped"
    raw, buckets = count_text(found.raw, "segment"), count_text(found.buckets, "bucket")
    lines = [
        f"{verb} {raw} of raw runs older than {duration_text(retention.raw_s)}.",
        f"{verb} {buckets} older than {duration_text(retention.buckets_s)}.",
    ]
    if found.looks or found.deliveries:
        looks, told = count_text(found.looks, "look"), count_text(found.deliveries, "delivered message")
        lines.append(f"{verb} {looks} of rollouts that ended before, and what became of {told}.")
    if found.pinned:
        pinned = count_text(found.pinned, "older segment")
        lines.append(f"Pinned by rollouts: {pinned}; --release-pins ID lets them go.")
    lines.append(f"Raw runs are kept from {instant_text(found.until)} on.")
    return "\n".join([*lines, *_signed(found.receipts)]) + "\n"
