# SPDX-License-Identifier: Apache-2.0
"""The commands, exit codes, messages, endpoints and policy schema come in as code; the pages of docs/reference go out.

`--check` compares instead of writing, and exits 1 when a page is not what the code says.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
from prometheus_client import ProcessCollector

from lockgate import errors
from lockgate.cli.exit_codes import EXIT_CODES, of_error
from lockgate.cli.main import lockgate
from lockgate.cli.settings import FOREIGN, HANDED, SETTINGS
from lockgate.core.comparison_schema import comparison_schema
from lockgate.core.declaration.schema import policy_schema
from lockgate.core.permission import INCLUDED, MEANINGS, PRESETS, Permission
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.release_record_schema import release_record_schema
from lockgate.core.webhook import EVENTS, PING
from lockgate.server.app import DESCRIPTION
from lockgate.server.event_schemas import example_of
from lockgate.server.metrics import OF_PROCESS, OF_STORE, Metric
from lockgate.server.problem import KINDS as PROBLEMS
from lockgate.server.problem import TYPES
from lockgate.server.schema_names import SCHEMA_NAMES
from lockgate.server.table import ENDPOINTS, Endpoint
from tools.field_tables import cell, tables

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
GENERATED = "<!-- Written by `make reference` from the code; change the code instead. -->"
WIDTH = 100
SOURCE = Path(__file__).resolve().parent.parent / "src" / "lockgate"
KINDS: dict[str, type[errors.LockgateError]] = {
    **{
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, errors.LockgateError)
    },
    "VerifyError": VerifyError,
}
# Where a message stands among the arguments of its class; of all others it is the first.
PLACES = {"VerifyError": 1}
# What a message says of the very case.
UNKNOWN = "…"


# The one call that the table does not have, because its answer is made of the table.
OF_ITSELF = [f"`GET {DESCRIPTION}`", "Describe all of these, as OpenAPI 3.1", "nothing", "", "200 the description"]


def commands_page() -> str:
    """Return every command's own help, the root first."""
    parts = [GENERATED, "# Commands", "Each section is what `--help` prints."]
    for path, help_text in _commands("lockgate", lockgate, None):
        parts += [f"## `{path}`", f"```text\n{help_text}\n```"]
    return "\n\n".join(parts) + "\n"


def _commands(name: str, command: click.Command, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH, "color": False}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield context.command_path, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            if child is not None and not child.hidden:
                yield from _commands(child_name, child, context)


def exit_codes_page() -> str:
    """Return the table of exit codes."""
    rows = [f"| {row.code} | {row.name} | {row.meaning} |" for row in EXIT_CODES]
    table = "\n".join(["| code | name | means |", "|--:|---|---|", *rows])
    return f"{GENERATED}\n\n# Exit codes\n\nThey are the same for every command.\n\n{table}\n"


class Message(NamedTuple):
    """One message: the code that a command leaves by, what happened, and what to do."""

    code: int
    text: str
    advice: str


def messages() -> list[Message]:
    """Return every message of a failure once, by exit code and then by its words, as the source has them."""
    found = {message for path in SOURCE.rglob("*.py") for message in _of_file(path)}
    return sorted(found)


def _of_file(path: Path) -> Iterator[Message]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = {
        name.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for name in node.targets
        if isinstance(name, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in KINDS:
            continue
        place = PLACES.get(node.func.id, 0)
        text = _text(node.args[place], known) if len(node.args) > place else UNKNOWN
        if set(text) <= {UNKNOWN, ":", " "}:
            continue
        yield Message(_code(node.func.id), text, _advice(node, known))


def _advice(node: ast.Call, known: dict[str, ast.expr]) -> str:
    """Return what a failure advises: what does not verify, and is given no advice of its own, that of its reason."""
    given = next((_text(each.value, known) for each in node.keywords if each.arg == "advice"), "")
    named = node.args[0].attr if node.args and isinstance(node.args[0], ast.Attribute) else ""
    return given or (Reason[named].advice if named in Reason.__members__ else "")


def _code(kind: str) -> int:
    """Return the exit code of a class, as the table of exit codes has it."""
    error = KINDS[kind].__new__(KINDS[kind])
    return of_error(error)


def _text(node: ast.expr, known: dict[str, ast.expr]) -> str:
    if isinstance(node, ast.Name) and node.id in known:
        return _text(known[node.id], {})
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, known) for part in node.values)
    return UNKNOWN


def messages_page() -> str:
    """Return every message of a failure, by exit code."""
    parts = [
        GENERATED,
        "# Messages",
        "What a command says on standard error when it fails, and what it advises; `…` stands for what was met.",
    ]
    found = messages()
    for row in EXIT_CODES:
        lines = [f"| {cell(each.text)} | {cell(each.advice)} |" for each in found if each.code == row.code]
        if lines:
            table = "\n".join(["| says | advises |", "|---|---|", *lines])
            parts += [f"## {row.code} {row.name}", f"{row.meaning[:1].upper()}{row.meaning[1:]}.", table]
    return "\n\n".join(parts) + "\n"


def api_page() -> str:
    """Return every endpoint, what keys may be for, and every type of problem."""
    return _page(
        "# HTTP API",
        "What `lockgate serve` answers, as `/openapi.json` tells programs; [serve](../howto/serve.md) begins earlier.",
        "What a call holds and what it is answered are schemas of that description, by the names in these columns.",
        "## Endpoints",
        _table("call", "does", "needs", "takes", "answers", rows=[*map(_endpoint, ENDPOINTS), OF_ITSELF]),
        "## Permissions",
        _table("permission", "a key with it may", rows=([f"`{each}`", MEANINGS[each]] for each in Permission)),
        "## Presets",
        _table("preset", "permissions", rows=([f"`{name}`", _permissions(of)] for name, of in PRESETS.items())),
    )


def problems_page() -> str:
    """Return every type of problem."""
    return _page(
        "# Problems",
        "What the [HTTP API](api.md) answers instead of what was asked for, by RFC 9457.",
        f"The `type` of a problem is `{TYPES}` and one of these names, which stay.",
        "`detail` says what is wrong with the very call, and `advice` what to do.",
        _table("name", "status", "means", rows=([f"`{each.name}`", str(each.status), each.title] for each in PROBLEMS)),
    )


def metrics_page() -> str:
    """Return every metric."""
    return _page(
        "# Metrics",
        "What `GET /metrics` answers to a key with `metrics.read`: the text format of Prometheus, or OpenMetrics.",
        "No label holds what callers write: a route is the pattern of a path.",
        "## Of one server",
        "Each process counts for itself, from its start; add them up over servers.",
        "They are of all organisations together, so only keys of `default`, whose server it is, are told them.",
        _table("metric", "kind", "labels", "means", rows=map(_metric, OF_PROCESS)),
        "Beside them, on Linux, are those that Prometheus has of any process:",
        _table("metric", "kind", "means", rows=_usual_metrics()),
        "## Of the store",
        "They are of the key's organisation, and the same at every server on the store.",
        "They count every app, so a key that is for some apps only is refused.",
        _table("metric", "kind", "labels", "means", rows=map(_metric, OF_STORE)),
    )


def _metric(each: Metric) -> list[str]:
    return [f"`{each.name}`", each.kind, ", ".join(f"`{label}`" for label in each.labels), each.meaning]


def _usual_metrics() -> Iterator[list[str]]:
    for family in ProcessCollector(registry=None).collect():
        yield [f"`{family.samples[0].name}`", family.type, family.documentation]


def settings_page() -> str:
    """Return every variable of the environment."""
    read = [*SETTINGS, *FOREIGN]
    return _page(
        "# Settings",
        "What Lockgate reads from the environment; options of [commands](commands.md) go before it.",
        _table(
            "variable",
            "read by",
            "if not set",
            "means",
            rows=([f"`{each.name}`", each.read_by, each.default, each.meaning] for each in read),
        ),
        "## What a program that moves traffic is handed",
        "With the message on its standard input; [actuator](../howto/actuator.md) has an example.",
        _table("variable", "holds", rows=([f"`{each.name}`", each.meaning] for each in HANDED)),
    )


def events_page() -> str:
    """Return every event that webhooks hear."""
    told = [*((each.value, meaning) for each, meaning in EVENTS.items()), ("endpoint.ping", PING)]
    return _page(
        "# Events",
        "What a webhook may hear: the `type` of a message.",
        _table("event", "is told when", rows=([f"`{name}`", meaning] for name, meaning in told)),
        "`/openapi.json` has the schema of each under `webhooks`; later versions may add fields.",
        "## Bodies",
        *(f"### {each.value}\n\n```json\n{json.dumps(example_of(each), indent=2)}\n```" for each in EVENTS),
    )


def _page(*parts: str) -> str:
    return "\n\n".join((GENERATED, *parts)) + "\n"


def _size(count: int) -> str:
    """Return a size in the larger unit that it is whole in."""
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count >> 10} KiB"


def _endpoint(each: Endpoint) -> list[str]:
    query = f"?{'&'.join(f'{name}=' for name in each.query)}" if each.query else ""
    needs = "nothing" if each.permission is None else f"`{each.permission}`"
    bodies, kinds = SCHEMA_NAMES[each.handler], " or ".join(f"`{kind}`" for kind in each.body)
    takes = f"{bodies.takes}: {kinds}, {_size(each.max_body)}" if each.body else ""
    gives = f"{' or '.join(map(str, bodies.succeeds))} {bodies.gives}"
    return [f"`{each.method} {each.path}{query}`", each.summary, needs, takes, gives]


def _permissions(granted: tuple[Permission, ...]) -> str:
    included = {each for one in granted for each in INCLUDED.get(one, ())}
    return ", ".join(f"`{each}`" for each in granted if each not in included)


def _table(*heads: str, rows: Iterable[list[str]]) -> str:
    lines = [f"| {' | '.join(cell(text) for text in row)} |" for row in (list(heads), ["---"] * len(heads), *rows)]
    return "\n".join(lines)


def schema_file() -> str:
    """Return the JSON Schema of a policy, as editors and other programs read it."""
    return json.dumps(policy_schema(), indent=2, sort_keys=False, ensure_ascii=False) + "\n"


def comparison_schema_file() -> str:
    """Return the JSON Schema of what `lockgate compare --json` prints."""
    return json.dumps(comparison_schema(), indent=2, sort_keys=False, ensure_ascii=False) + "\n"


def release_record_schema_file() -> str:
    """Return the JSON Schema of a bundle's release-record.json."""
    return json.dumps(release_record_schema(), indent=2, sort_keys=False, ensure_ascii=False) + "\n"


def policy_page() -> str:
    """Return the policy's fields as tables: its own, then those of each mapping inside it."""
    return _page(
        "# Policy",
        "A field that is not required has a default, and `lockgate policy show` spells each one out.",
        "The same as JSON Schema: [policy.schema.json](policy.schema.json).",
        *tables("policy", policy_schema()),
    )


PAGES: dict[str, Callable[[], str]] = {
    "api.md": api_page,
    "commands.md": commands_page,
    "compare.schema.json": comparison_schema_file,
    "release-record.schema.json": release_record_schema_file,
    "events.md": events_page,
    "exit-codes.md": exit_codes_page,
    "messages.md": messages_page,
    "metrics.md": metrics_page,
    "policy.md": policy_page,
    "policy.schema.json": schema_file,
    "problems.md": problems_page,
    "settings.md": settings_page,
}


def main(arguments: list[str]) -> None:
    """Write the pages, or with `--check` name those that differ from the code."""
    written = {REFERENCE / name: page() for name, page in PAGES.items()}
    if arguments == ["--check"]:
        stale = [path.name for path, text in written.items() if not path.is_file() or path.read_text("utf-8") != text]
        raise SystemExit(f"docs/reference: {', '.join(stale)} not up to date; run `make reference`" if stale else 0)
    if arguments:
        raise SystemExit("usage: reference.py [--check]")
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
