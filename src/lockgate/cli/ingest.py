# SPDX-License-Identifier: Apache-2.0
"""Files of runs come in; they are kept and tallied in the store, and how many they were goes out."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lockgate.cli import exit_codes, local, output

if TYPE_CHECKING:
    from lockgate.core.batch import Ingested
    from lockgate.core.dedupe import Dedupe

MAX_NAMED = 10
BAD = "bad data (nothing of these files is kept)"
EPILOG = f"Exit codes: 0 kept, 64 usage; {exit_codes.of_store({65: BAD})}"


@click.command(epilog=EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option("--app-id", metavar="APP", help="The app of runs that name none.")
@click.option(
    "--dedupe",
    type=click.Choice(["window", "strict"]),
    help="Know runs that come again by their ids, within a window (the default) or for good; stays with the apps.",
)
@click.option("--dedupe-window", metavar="SPAN", help="How long the window is, by ingest time, up to 1d. [default: 1d]")
@click.option("--json", "as_json", is_flag=True, help="Print what was kept as JSON.")
def ingest(
    files: tuple[str, ...], app_id: str | None, dedupe: str | None, dedupe_window: str | None, *, as_json: bool
) -> int:
    """Keep the runs in FILES, by the time at which they started.

    FILES are JSON lines (.ndjson or .jsonl), JSON, CSV, TSV or Parquet, all but Parquet also with .gz; - reads lines
    from standard input. Each run names its release, and its app unless --app-id does. The same file again changes
    nothing, nor does a run again whose id is known.
    """
    from lockgate.cli.keeping import keeping
    from lockgate.core.misnamed import misnamed
    from lockgate.errors import DataError
    from lockgate.operations.intake.counted_again import counted_again
    from lockgate.operations.intake.import_check import ImportCheck
    from lockgate.wiring import run_batches

    rule, old, taken, asked = _rule(dedupe, dedupe_window), 0, [], dict[str, None]()
    with keeping() as keeps, output.progress_on(sys.stderr, wanted=not as_json) as progress:
        plan = keeps.plan()
        for batch in run_batches().read(files, app_id, progress, ImportCheck(plan.now, plan.widths)):
            taken.append(keeps.keep(batch, rule))
            if len(asked) < MAX_NAMED:
                asked |= dict.fromkeys(misnamed(batch.body, by_start_time=True))
            # Where some of a batch are known, the window reaches as far back as it does.
            if not (taken[-1].is_repeated or taken[-1].duplicates):
                old += counted_again(batch, plan.there, plan.now)
    if not taken:
        raise DataError("there are no runs in these files", advice="Each run is one line with `app_id` and `release`.")
    kept = [each for each in taken if not each.is_repeated]
    apps = sum((Counter(each.apps) for each in kept), Counter[str]())
    counts = _counts(kept, sum(each.runs for each in taken if each.is_repeated))
    left_out, notes = _left_out(kept), [*asked][:MAX_NAMED]
    if as_json:
        output.emit_json({**counts, "apps": dict(sorted(apps.items())), "left_out": left_out, "notes": notes})
    else:
        output.say(_text(counts, apps))
        for note in notes:
            local.tell(f"note: {local.screen().text(note)}")
    _warn(counts, left_out, old)
    return exit_codes.OK.code


def _warn(counts: dict[str, int], left_out: dict[str, dict[str, int]], old: int) -> None:
    if sum(sum(each.values()) for each in left_out.values()) > counts["runs"]:
        local.tell(f"warning: {_most_left_out(counts, left_out)}")
    if old:
        local.tell(f"warning: {_old(old)}")


def _counts(kept: Sequence[Ingested], repeated: int) -> dict[str, int]:
    return {
        "runs": sum(each.runs for each in kept),
        "duplicates": sum(each.duplicates for each in kept),
        "repeated": repeated,
        "other": sum(each.other for each in kept),
        "crowded": sum(each.crowded for each in kept),
        "undated": sum(each.undated for each in kept),
    }


def _old(runs: int) -> str:
    from lockgate.core.wording import count_text

    began = f"{count_text(runs, 'run')} began before the window in which ids are known"
    return (
        f"{began}, and their releases have runs already; if these were among them, they count twice: "
        "`--dedupe strict` knows ids for as long as raw runs are kept"
    )


def _left_out(kept: Sequence[Ingested]) -> dict[str, dict[str, int]]:
    """Return how many runs did not count though other runs had come under their ids, by app and release."""
    found: dict[str, Counter[str]] = {}
    for each in kept:
        for app, releases in each.unlike.items():
            found.setdefault(app, Counter()).update(releases)
    return {app: dict(sorted(releases.items())) for app, releases in sorted(found.items())}


def _most_left_out(counts: dict[str, int], left_out: dict[str, dict[str, int]]) -> str:
    screen = local.screen()
    of = [
        f"{screen.text(app)} {screen.text(name)} {runs:,}"
        for app, each in left_out.items()
        for name, runs in each.items()
    ]
    named = f"{', '.join(of[:MAX_NAMED])}{', ...' if len(of) > MAX_NAMED else ''}"
    runs, whole = sum(sum(each.values()) for each in left_out.values()), counts["runs"] + counts["duplicates"]
    return (
        f"{runs:,} of {whole:,} runs did not count, because other runs came before under their ids ({named}); "
        "give every run an id of its own, and see `lockgate runs` for what came under these"
    )


def _rule(dedupe: str | None, window: str | None) -> Dedupe | None:
    from lockgate.core.dedupe import MAX_WINDOW_S, Dedupe
    from lockgate.errors import UsageError

    if dedupe is None and window is None:
        return None
    if dedupe == "strict":
        if window is not None:
            raise UsageError("strictly there is no window", advice="Leave --dedupe-window out, or --dedupe strict.")
        return Dedupe(is_strict=True)
    if window is None:
        return Dedupe()
    span = local.seconds(window)
    if span != int(span) or not 1 <= span <= MAX_WINDOW_S:
        raise UsageError(f"{window} is no window", advice="Give whole seconds from 1s to 1d, or --dedupe strict.")
    return Dedupe(window_s=int(span))


def _text(counts: dict[str, int], apps: Counter[str]) -> str:
    from lockgate.core.wording import count_text

    lines = [f"Kept {count_text(counts['runs'], 'run')}{f': {_of_apps(apps)}' if apps else ''}."]
    for name, what in (
        ("duplicates", "left out, known by id already"),
        ("repeated", "known already, byte for byte"),
        ("crowded", "tallied in no release, because their bucket had room for no further one"),
        ("other", "tallied in the whole and in no slice, because their labels found no room"),
    ):
        if counts[name]:
            lines.append(f"{count_text(counts[name], 'run')} {what}.")
    if counts["undated"]:
        runs = counts["undated"]
        named, they = ("run names", "it counts") if runs == 1 else ("runs name", "all of them count")
        lines.append(f"{runs:,} {named} no started_at, so that {they} as of now.")
    return "\n".join(lines) + "\n"


def _of_apps(apps: Counter[str]) -> str:
    """Return how many runs each app got; of many apps those with the most, and how many further ones there are."""
    from lockgate.core.wording import count_text

    named = dict(apps.most_common(MAX_NAMED))
    of = ", ".join(f"{local.screen().text(name)} {runs:,}" for name, runs in sorted(named.items()))
    further = len(apps) - len(named)
    return (
        f"{of} and {apps.total() - sum(named.values()):,} more of {count_text(further, 'further app')}"
        if further
        else of
    )
