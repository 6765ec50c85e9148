# SPDX-License-Identifier: Apache-2.0
"""What to try comes in as options or a file; a rollout's id, and what its policy promises, go out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import click

from lockgate.cli import exit_codes, local, output
from lockgate.errors import UsageError

EPILOG = """
Exit codes: 0 on trial (also when an equal rollout is active already), 64 usage, 65 faults in the policy,
75 another canary of the app is active, 77 the app is frozen.
"""
# What a rollout's file may say beside its policy.
ROLLOUT_FIELDS = ("baseline", "candidate", "since")


class Call(TypedDict):
    """What was called, as click hands it over."""

    app_id: str | None
    baseline: str | None
    candidate: str | None
    file: str | None
    policy: str | None
    mode: str | None
    steps: str | None
    min_runs: int | None
    require_pairwise: bool
    metrics: tuple[str, ...]
    since: float | None
    as_json: bool
    quiet: bool


@click.command(epilog=EPILOG)
@click.option("--app-id", metavar="APP", help="What is released.")
@click.option("--baseline", "-b", metavar="RELEASE", help="The release that is trusted. [default: the champion]")
@click.option("--candidate", "-c", metavar="RELEASE", help="The release on trial.")
@click.option("--mode", type=click.Choice(["shadow", "canary"]), help="Only advise, or act. [default: shadow]")
@click.option("--steps", metavar="WEIGHTS", help="The ramp in percent. [default: 5,25,50,100]")
@click.option("--min-runs", type=click.IntRange(1), metavar="N", help="Fresh runs at each step. [default: 30]")
@click.option("--require-pairwise", is_flag=True, help="Hold while the pairwise comparison is silent.")
@click.option("--metric", "metrics", multiple=True, metavar="METRIC", help="A gate by name; may be repeated.")
@click.option("--since", type=local.seconds, metavar="SPAN", help="Read runs that are there already, such as 2h.")
@click.option("--policy", metavar="FILE", help="The policy, in YAML or JSON; options win over it.")
@click.option("--file", "-f", metavar="FILE", help="A policy that also names baseline, candidate and since.")
@click.option("--json", "as_json", is_flag=True, help="Print the rollout as JSON, its id at the top.")
@click.option("--quiet", "-q", is_flag=True, help="Print the id and nothing else.")
def create(**call: object) -> int:
    """Put a candidate on trial against a baseline, under a policy that is then frozen."""
    return _answer(Call(**call))  # type: ignore[typeddict-item]


def _answer(call: Call) -> int:
    from lockgate.operations.create import Order
    from lockgate.operations.create import create as begin

    document, beside = _document(call)
    since = call["since"] if call["since"] is not None else _span(beside.get("since"))
    order = Order(
        app=_needed("app-id", call["app_id"] or document.get("app")),
        candidate=_needed("candidate", call["candidate"] or beside.get("candidate")),
        baseline=_text("baseline", call["baseline"] or beside.get("baseline")),
        policy=document,
        since_s=None if since is None else int(since),
        actor=local.actor(),
    )
    created = begin(order, local.house())
    if call["as_json"]:
        from lockgate.report.rollout_document import created_document

        local.emit(created_document(created.rollout, created.policy, created.warnings, existing=created.is_existing))
    elif call["quiet"]:
        output.say(f"{created.rollout.id}\n")
    else:
        from lockgate.report.created import render_created

        output.say(render_created(created.rollout, created.policy, local.screen(), existing=created.is_existing))
    for sentence in created.warnings:
        local.tell(f"warning: {sentence}")
    return exit_codes.OK.code


def _needed(option: str, value: object) -> str:
    text = _text(option, value)
    if text is None:
        raise UsageError(f"--{option} is missing", advice="Name it on the command line, or in the file of -f.")
    return text


def _text(option: str, value: object) -> str | None:
    if isinstance(value, str | int | None) and not isinstance(value, bool):
        return None if value is None else str(value)
    raise UsageError(f"{option} is not a name in the file", advice="Write it as text.")


def _span(value: object) -> float | None:
    return None if value is None else local.seconds(str(value))


def _document(call: Call) -> tuple[dict[str, object], Mapping[str, object]]:
    """Return the policy's document with what the options say of it, and what a file says of the rollout."""
    from lockgate.wiring import read_policy_file

    if call["file"] and call["policy"]:
        raise UsageError("-f and --policy both name a policy", advice="Call with one of them.")
    path = call["file"] or call["policy"]
    document = {} if path is None else dict(read_policy_file(path))
    beside = {name: document.pop(name) for name in ROLLOUT_FIELDS if call["file"] and name in document}
    if call["metrics"] and "gates" in document:
        raise UsageError("the file and --metric both name gates", advice="Name the metrics in the file.")
    stated: dict[str, object] = {name: call[name] for name in ("mode", "steps", "min_runs") if call[name] is not None}
    if call["require_pairwise"]:
        stated["require_pairwise"] = True
    if call["metrics"]:
        stated["gates"] = [{"metric": name} for name in dict.fromkeys(call["metrics"])]
    return {**document, **stated}, beside
