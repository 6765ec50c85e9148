# SPDX-License-Identifier: Apache-2.0
"""The commands, exit codes and policy schema come in as code; the pages of docs/reference go out.

`--check` compares instead of writing, and exits 1 when a page is not what the code says.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from lockgate.cli.exit_codes import EXIT_CODES
from lockgate.cli.main import lockgate
from lockgate.core.comparison_schema import comparison_schema
from lockgate.core.declaration.schema import policy_schema

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
GENERATED = "<!-- Written by `make reference` from the code; change the code instead. -->"
WIDTH = 100


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


def schema_file() -> str:
    """Return the JSON Schema of a policy, as editors and other programs read it."""
    return json.dumps(policy_schema(), indent=2, sort_keys=False, ensure_ascii=False) + "\n"


def comparison_schema_file() -> str:
    """Return the JSON Schema of what `lockgate compare --json` prints."""
    return json.dumps(comparison_schema(), indent=2, sort_keys=False, ensure_ascii=False) + "\n"


def policy_page() -> str:
    """Return the policy's fields as tables: its own, then those of each mapping inside it."""
    parts = [
        GENERATED,
        "# Policy",
        "A field that is not required has a default, and `lockgate policy show` spells each one out.",
        "The same as JSON Schema: [policy.schema.json](policy.schema.json).",
        *_tables("policy", policy_schema()),
    ]
    return "\n\n".join(parts) + "\n"


def _tables(name: str, definition: dict[str, Any]) -> Iterator[str]:
    properties: dict[str, dict[str, Any]] = definition["properties"]
    rows = []
    for field, shape in properties.items():
        default = "required" if field in definition.get("required", ()) else _default(shape)
        cells = [f"`{field}`", _type(shape, field), default, shape.get("description", "")]
        rows.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    yield "\n".join([f"## `{name}`", "", "| field | is | default | means |", "|---|---|---|---|", *rows])
    for field, shape in properties.items():
        for mapping in _mappings(shape):
            yield from _tables(field, mapping)


def _mappings(shape: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "properties" in shape:
        yield shape
    for part in (*shape.get("anyOf", ()), *([shape["items"]] if "items" in shape else ())):
        yield from _mappings(part)


def _type(shape: dict[str, Any], field: str) -> str:
    if "anyOf" in shape:
        return " or ".join(dict.fromkeys(_type(part, field) for part in shape["anyOf"]))
    if "enum" in shape:
        return ", ".join(f"`{value}`" for value in shape["enum"])
    if "const" in shape:
        return f"`{shape['const']}`"
    kinds = shape.get("type", "anything")
    return " or ".join(_kind(kind, shape, field) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _kind(kind: str, shape: dict[str, Any], field: str) -> str:
    if kind == "array":
        item = _type(shape.get("items", {}), field)
        return f"list of ({item})" if " or " in item else f"list of {item}"
    if kind == "object":
        return f"[mapping](#{field})" if "properties" in shape else "mapping"
    return {"string": "text", "boolean": "true or false"}.get(kind, kind)


def _default(shape: dict[str, Any]) -> str:
    return f"`{json.dumps(shape['default'], ensure_ascii=False)}`" if "default" in shape else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "compare.schema.json": comparison_schema_file,
    "exit-codes.md": exit_codes_page,
    "policy.md": policy_page,
    "policy.schema.json": schema_file,
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
