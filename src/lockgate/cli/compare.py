# SPDX-License-Identifier: Apache-2.0
"""Files of runs, or an app with kept ones, and two releases come in; a table, a document or a page goes out."""

from __future__ import annotations

import os
import shlex
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypedDict, cast

import click
from click.shell_completion import CompletionItem

from lockgate.cli import exit_codes, output
from lockgate.core.comparison import Comparison
from lockgate.core.metric import FIELDS, SCORE_PREFIX, SHARES
from lockgate.core.policy.policy import Policy
from lockgate.errors import UsageError

STDIN = "-"
COMPLETED_STATS = ("p50", "p95", "p99", "paired")
INPUT_SUFFIXES = frozenset((".ndjson", ".jsonl", ".json", ".csv", ".tsv", ".parquet", ".yaml", ".yml"))
EPILOG = """
Exit codes: 0 clean or proven, 1 regressed, 3 not enough runs (0 with --allow-thin) or a metric
that one release lacks, 64 the call cannot be meant, 65 bad data.
"""


class Call(TypedDict):
    """What was called, as click hands it over."""

    files: tuple[str, ...]
    app_id: str | None
    since: str | None
    baseline: str | None
    candidate: str
    policy: str | None
    metrics: tuple[str, ...]
    per_gate_level: float | None
    as_json: bool
    as_markdown: bool
    report: Path | None
    allow_thin: bool
    quiet: bool


class Level(click.FloatRange):
    """A level as a part of one, or in percent."""

    def convert(self, value: float | str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the level as a part of one."""
        text = str(value)
        if text.isdecimal() and int(text) > 1:
            self.fail(f"{text} is not a part of one; write {text}%.", param, ctx)
        try:
            value = float(Decimal(text.removesuffix("%")) / 100) if text.endswith("%") else value
        except InvalidOperation:
            self.fail(f"{text} is no level; write 95% or 0.95.", param, ctx)
        return float(super().convert(cast("float", value), param, ctx))


def _complete_metric(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    names = [*SHARES, *FIELDS, *(f"{field}:{stat}" for field in FIELDS for stat in COMPLETED_STATS), SCORE_PREFIX]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command(epilog=EPILOG)
@click.argument("files", nargs=-1, type=click.Path(), metavar="[FILES...]")
@click.option(
    "--baseline", "-b", metavar="RELEASE", help="The release that is trusted; needed unless every gate has max or min."
)
@click.option("--candidate", "-c", required=True, metavar="RELEASE", help="The release on trial.")
@click.option("--app-id", metavar="APP", help="Compare the kept runs of this app instead of files.")
@click.option("--since", metavar="SPAN", help="Of kept runs those of the last 2h, say. [default: all]")
@click.option("--policy", type=click.Path(), metavar="FILE", help="Gates from a policy, in YAML or JSON.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="METRIC",
    shell_complete=_complete_metric,
    help="A gate by name; may be repeated. [default: error_rate and, where there is latency, latency_ms:p95]",
)
@click.option(
    "--per-gate-level",
    type=Level(0.5, 1, min_open=True, max_open=True),
    metavar="LEVEL",
    help="Judge each gate at this level by itself, such as 95%, instead of sharing one error rate over all.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print a comment for a pull request.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Write one self-contained HTML page.")
@click.option("--allow-thin", is_flag=True, help="Leave by 0 also when there are not enough runs to tell.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing: the exit code is the answer.")
def compare(**call: object) -> int:
    """Say from the runs in FILES, or from kept ones, whether the candidate is worse.

    FILES are NDJSON, CSV or Parquet, by their suffix; a quoted pattern such as 'runs/*.parquet' works too,
    and - reads NDJSON from standard input. Each run names its release. With --app-id runs that `lockgate ingest`
    kept are compared, by the buckets that they stand in.
    """
    return _answer(cast("Call", call))


def _answer(call: Call) -> int:
    _check(call)
    if call["app_id"] is not None:
        return _ask(call, call["app_id"])
    comparison = _compare(call)
    command = command_of(call)
    if call["report"] is not None:
        from lockgate.report.page import render_page

        output.save(call["report"], render_page(comparison, command))
    if not call["quiet"]:
        _print(comparison, call, command)
    return exit_codes.of_outcome(comparison.outcome, allow_thin=call["allow_thin"])


def _ask(call: Call, app_id: str) -> int:
    """Compare kept runs, which are in this machine's store or in a server's."""
    from lockgate.cli import door, local
    from lockgate.wiring import read_policy_file

    form = "json" if call["as_json"] else "markdown" if call["as_markdown"] else "table"
    words = {
        "app_id": app_id,
        "candidate": call["candidate"],
        "command": command_of(call),
        "baseline": call["baseline"],
        "since_s": None if call["since"] is None else int(local.seconds(call["since"])),
        "policy": None if call["policy"] is None else dict(read_policy_file(call["policy"])),
        "metrics": list(call["metrics"]),
        "per_gate_level": call["per_gate_level"],
        "form": "none" if call["quiet"] else form,
        "has_page": call["report"] is not None,
        "allow_thin": call["allow_thin"],
    }
    with door.opened() as here:
        said = here.ask("compare", words)
    if call["report"] is not None:
        output.save(call["report"], said.files["page"].decode())
    return door.finish(said)


def _check(call: Call) -> None:
    """Refuse what cannot be meant before anything is read, because reading may take long."""
    _check_source(call)
    if call["quiet"] and (call["as_json"] or call["as_markdown"]):
        raise UsageError(
            "--quiet prints nothing, --json and --markdown print an answer", advice="Leave one of them out."
        )
    if call["as_json"] and call["as_markdown"]:
        raise UsageError("--json and --markdown cannot both be printed", advice="Call once for each.")
    if call["policy"] is not None and call["metrics"]:
        raise UsageError(
            "--policy and --metric both name gates", advice="Name the metrics in the policy, or leave it out."
        )
    if call["policy"] == STDIN and STDIN in call["files"]:
        raise UsageError(
            "the policy and the runs cannot both be standard input", advice="Write one of them into a file."
        )
    if call["report"] is not None:
        _check_report(call["report"], call)


def _check_source(call: Call) -> None:
    if not call["files"] and call["app_id"] is None:
        raise UsageError("no runs are named", advice="Name FILES of runs, or --app-id for those that are kept.")
    if call["files"] and call["app_id"] is not None:
        raise UsageError("runs in files and kept runs are two comparisons", advice="Leave out FILES or --app-id.")
    if call["since"] is not None and call["app_id"] is None:
        raise UsageError("--since is of kept runs", advice="Name their app with --app-id, or leave it out.")


def _check_report(report: Path, call: Call) -> None:
    """Refuse a target that is read, or whose suffix says that it holds runs or a policy."""
    if not report.parent.is_dir():
        raise UsageError(f"cannot write {report}: its folder is not there", advice=f"Make {report.parent} first.")
    target = output.resolved(report)
    inputs = [Path(name) for name in (*call["files"], call["policy"]) if name is not None]
    if any(target.exists() and path.exists() and target.samefile(path) for path in inputs):
        raise UsageError(f"{report} is read by this call", advice="Name another file for the report.")
    suffix = Path(target.stem if target.suffix.lower() == ".gz" else target).suffix.lower()
    if suffix in INPUT_SUFFIXES:
        raise UsageError(
            f"{report} is named as a file of runs or a policy", advice="A report is a page: name it report.html."
        )


def _compare(call: Call) -> Comparison:
    from lockgate.operations.asking import compare as operation
    from lockgate.wiring import run_files

    request = operation.Request(
        baseline=call["baseline"],
        candidate=call["candidate"],
        policy=_policy(call["policy"]),
        metrics=call["metrics"],
        per_gate_level=call["per_gate_level"],
    )
    with output.progress_on(sys.stderr, wanted=not call["quiet"]) as progress:
        return operation.compare(request, run_files(), call["files"], progress)


def _policy(path: str | None) -> Policy | None:
    if path is None:
        return None
    from lockgate.core.declaration.policy_declaration import declare
    from lockgate.wiring import read_policy_file

    return declare(read_policy_file(path))


def _print(comparison: Comparison, call: Call, command: str) -> None:
    if call["as_json"]:
        output.emit_json(comparison.document())
    elif call["as_markdown"]:
        from lockgate.report.markdown import render_markdown

        output.emit(render_markdown(comparison, command))
    else:
        from lockgate.report.table import render_table

        output.say(render_table(comparison, output.screen_of(sys.stdout, os.environ)))


def command_of(call: Call) -> str:
    """Return the command that asks the same again, whatever form its answer takes."""
    baseline = [] if call["baseline"] is None else ["--baseline", call["baseline"]]
    words = ["lockgate", "compare", *baseline, "--candidate", call["candidate"]]
    if call["app_id"] is not None:
        words += ["--app-id", call["app_id"]]
    if call["since"] is not None:
        words += ["--since", call["since"]]
    if call["policy"] is not None:
        words += ["--policy", call["policy"]]
    for metric in call["metrics"]:
        words += ["--metric", metric]
    if call["per_gate_level"] is not None:
        words += ["--per-gate-level", repr(call["per_gate_level"])]
    # Files come after --, so that one named like an option stays a file.
    marks = ["--"] if any(name.startswith("-") and name != "-" for name in call["files"]) else []
    return shlex.join([*words, *marks, *call["files"]])
