# SPDX-License-Identifier: Apache-2.0
"""A rollout, receipt, bundle or case comes in; whether its decisions, made again, are the recorded ones goes out."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.progress_line import ProgressLine
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from lockgate.core.replay.words import Extent
    from lockgate.operations.replay.replay import Replayed
    from lockgate.operations.replay.runs import Recounted
    from lockgate.ports.tell import Tell

EPILOG = (
    "Exit codes: 0 equal, 3 something could not be replayed here (another engine, pruned), 64 usage, 65 different, "
    "or no receipt, case or bundle. By an id also 69 disk or server fail, 75 the store is held, 77 it may not be."
)
_ID = re.compile("(rol|rcp)_[a-z2-7]+")
# What progress counts.
DECISIONS = "decisions"
# Named one by one; --json has them all.
MAX_NAMED = 20


class Call(TypedDict):
    """What was called, as click hands it over."""

    what: str
    receipt: str | None
    previous: str | None
    from_runs: bool
    as_json: bool


@click.command(epilog=EPILOG)
@click.argument("what", metavar="WHAT")
@click.option("--receipt", type=click.Path(), metavar="FILE", help="Where WHAT is a case: the receipt that it is of.")
@click.option("--previous", type=click.Path(), metavar="FILE", help="With --receipt: the receipt before it.")
@click.option("--from-runs", is_flag=True, help="Also count the buckets again from the raw runs that are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print what it came to as JSON.")
def replay(**call: object) -> int:
    """Make decisions again, and compare each with what was signed.

    They are compared byte for byte. WHAT is the id of a rollout or of a receipt that the store of this machine has; or
    a file: a bundle that `lockgate export` wrote (a zip, or the folder that it was unpacked to), or one case, with its
    receipt. Files need no store and no network. Where LOCKGATE_URL names a server a rollout's bundle is fetched from
    it, and replayed here.
    """
    return _answer(cast("Call", call))


def _answer(call: Call) -> int:
    from lockgate import __version__
    from lockgate.core.replay.outcome import Result
    from lockgate.core.replay.words import Extent

    _check(call)
    line = ProgressLine("replaying", is_wanted=sys.stderr.isatty() and not call["as_json"])
    counted = None
    try:
        found = _replayed(call, line)
        if call["from_runs"]:
            counted = _recounted(call["what"], line.tell)
    finally:
        line.clear()
    extent = Extent(
        decisions=found.count(Result.EQUAL),
        engine=__version__,
        left=found.left(),
        is_whole=found.is_whole,
        is_stored=not _is_file(call["what"]) and not _is_served(),
        is_asked=found.is_asked,
        has_looks=found.has_looks,
        recounted=None if counted is None else counted.batches,
    )
    if call["as_json"]:
        output.emit_json(_document(found, counted, extent))
    else:
        output.say_lines(_lines(found, counted, extent))
    return _code(found, counted)


def _check(call: Call) -> None:
    what = call["what"]
    if not _is_file(what) and ("/" in what or what.endswith((".zip", ".json"))):
        raise UsageError(f"there is no {what}", advice="Name a bundle, a case, or the id of a rollout or receipt.")
    is_case = _is_file(what) and what.endswith(".json")
    if is_case != (call["receipt"] is not None):
        raise UsageError("a case is replayed with its receipt", advice="Name both: CASE.json --receipt RECEIPT.json.")
    if call["previous"] is not None and call["receipt"] is None:
        raise UsageError("--previous is the receipt before that of --receipt", advice="Name that one too.")
    if call["from_runs"] and _is_file(what):
        raise UsageError("raw runs are in the store only", advice="Name the rollout by its id, where its store is.")
    if call["from_runs"]:
        local.check_here()
    if what.startswith("rcp_") and _is_served() and not _is_file(what):
        raise UsageError(
            f"a server has bundles of rollouts, and {what} is one receipt",
            advice="Replay its rollout by `lockgate replay ROLLOUT`; `lockgate list` has the ids.",
        )


def _is_file(what: str) -> bool:
    """Say whether something is named as a file; an id has no dot and no slash, and wins over a file named like it."""
    return _ID.fullmatch(what) is None and Path(what).exists()


def _is_served() -> bool:
    """Say whether what is named by an id is on a server."""
    return bool(os.environ.get(local.URL))


def _replayed(call: Call, line: ProgressLine) -> Replayed:
    if call["receipt"] is not None:
        from lockgate.cli.trusted import read
        from lockgate.operations.replay.bundle import replay_case

        previous = None if call["previous"] is None else read(call["previous"])
        return replay_case(read(call["receipt"]), _case_bytes(call["what"]), previous)
    if _is_file(call["what"]) or _is_served():
        from lockgate.core.bundle_layout import numbers, receipt_file
        from lockgate.operations.replay.bundle import replay_bundle

        files = _files(call["what"])
        line.expect(DECISIONS, len(numbers(files, receipt_file(1))))
        return replay_bundle(files, line.tell)
    from lockgate.operations.replay.replay import replay_stored

    house = local.house_to_read()
    line.expect_stored(house, call["what"], DECISIONS)
    return replay_stored(call["what"], house, line.tell)


def _recounted(what: str, tell: Tell) -> Recounted:
    from lockgate.operations.replay.runs import recounted
    from lockgate.wiring import run_batches

    return recounted(what, local.house_to_read(), run_batches().decode, tell)


def _case_bytes(name: str) -> bytes:
    from lockgate.core.replay.case_size import MAX_CASE_SIZE

    try:
        with Path(name).open("rb") as file:
            return file.read(MAX_CASE_SIZE + 1)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", advice="Name a file that can be read.") from error


def _files(what: str) -> Mapping[str, bytes]:
    """Return the files of a bundle that is here, or of the one that the server makes of a rollout."""
    if _is_file(what):
        from lockgate.cli.bundle_files import bundle_files

        return bundle_files(Path(what))
    from lockgate.cli.fetched_bundle import fetched_bundle
    from lockgate.core.bundle import decode

    return decode(fetched_bundle(what))


def _code(found: Replayed, counted: Recounted | None) -> int:
    from lockgate.core.replay.outcome import Result

    if found.count(Result.DIFFERENT) or _is_contradicted(counted):
        return exit_codes.DATA.code
    is_open = found.count(Result.UNREPLAYED) or (counted is not None and counted.left)
    return exit_codes.INSUFFICIENT.code if is_open else exit_codes.OK.code


def _document(found: Replayed, counted: Recounted | None, extent: Extent) -> dict[str, object]:
    from lockgate.core.replay.outcome import Result
    from lockgate.core.replay.words import proven, unproven

    is_equal = found.count(Result.EQUAL) == len(found.outcomes)
    return {
        "equal": is_equal and not _is_contradicted(counted),
        "engine": extent.engine,
        "counts": {result.value: found.count(result) for result in Result},
        "receipts": [outcome.document() for outcome in found.outcomes],
        "runs": None if counted is None else counted.document(),
        "left": [{"from": first, "to": last} for first, last in extent.left],
        "proven": list(proven(extent)) if _is_proof(found, counted) else [],
        "unproven": list(unproven(extent)),
    }


def _is_proof(found: Replayed, counted: Recounted | None) -> bool:
    """Say whether something was replayed, and nothing differs, raw runs that were counted again neither."""
    from lockgate.core.replay.outcome import Result

    is_same = bool(found.count(Result.EQUAL)) and not found.count(Result.DIFFERENT)
    return is_same and not _is_contradicted(counted)


def _is_contradicted(counted: Recounted | None) -> bool:
    """Say whether raw runs were counted again and are not what the buckets say."""
    return counted is not None and bool(counted.flaws)


def _others(found: Replayed) -> Iterator[str]:
    """Yield what is not equal, a line each; receipts in a row that were not replayed for one reason are one."""
    from lockgate.core.number_spans import receipts_text
    from lockgate.core.replay.outcome import Result

    for (result, sentence), alike in groupby(found.outcomes, lambda each: (each.result, each.sentence)):
        same = list(alike)
        if result is Result.UNREPLAYED and len(same) > 1:
            yield f"- {receipts_text([(same[0].seq, same[-1].seq)])}, {result.value}: {sentence}"
            continue
        for each in same if result is not Result.EQUAL else ():
            more = f": {each.difference.sentence()}" if each.difference is not None else ""
            yield f"- receipt {each.seq} ({each.receipt_id}), {result.value}: {sentence}{more}"


def _lines(found: Replayed, counted: Recounted | None, extent: Extent) -> list[str]:
    from lockgate.core.replay.outcome import Result
    from lockgate.core.replay.words import proven, unproven

    counts = ", ".join(f"{result.value} {found.count(result):,}" for result in Result if found.count(result))
    lines = [f"Replayed: {counts or 'nothing'}."]
    others = list(_others(found))
    lines += others[:MAX_NAMED]
    lines += [f"and {len(others) - MAX_NAMED:,} more"] if len(others) > MAX_NAMED else []
    lines += [] if counted is None else [f"- {sentence}" for sentence in (*counted.flaws, *counted.left)]
    if _is_proof(found, counted):
        which = "each that was replayed" if extent.left else "every decision"
        lines += [f"Equal: made again, {which} is the recorded one, byte for byte.", "", "Proven:"]
        lines += [f"  {sentence}" for sentence in proven(extent)]
        lines += ["", "Not proven:", *(f"  {sentence}" for sentence in unproven(extent))]
    return lines
