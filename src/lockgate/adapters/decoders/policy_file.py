# SPDX-License-Identifier: Apache-2.0
"""The text of a policy file, YAML or JSON, comes in; a plain mapping goes out, or where its syntax is wrong.

The YAML is the part that means one thing only: no anchors, aliases, tags or repeated keys,
and words such as `on`, `no`, `1:30` or `010` are text, as in YAML 1.2.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

from lockgate.errors import DataError, UsageError

MAX_BYTES = 1_000_000
MAX_DEPTH = 16
MAX_NODES = 50_000
# Longer digits are no number that a policy can mean, and cost Python quadratic time.
MAX_DIGITS = 64
STDIN = "-"

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]

_NULLS = ("", "~", "null", "Null", "NULL")
_FLAGS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_PLAIN_ADVICE = "A policy is plain data: write each value where it is meant, and `lockgate policy init` for an example."


def read_policy_file(path: str) -> Mapping[str, Plain]:
    """Return the mapping that a file holds; `-` is standard input."""
    name = "standard input" if path == STDIN else path
    if path == STDIN and sys.stdin is None:
        raise UsageError("standard input is closed", advice="Pipe a policy into it, or name a file.")
    try:
        if path == STDIN:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read {name}: {error.strerror or error}", advice="Name a policy file, or `-` for standard input."
        ) from error
    if len(data) > MAX_BYTES:
        raise DataError(f"{name} is larger than {MAX_BYTES:,} bytes", advice="A policy is a page of text.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(f"{name}, line {line}: not UTF-8 text", advice="Save the file as UTF-8.") from error
    return decode_policy(text, name)


def decode_policy(text: str, name: str = "policy") -> Mapping[str, Plain]:
    """Return the mapping that a text declares; a name that ends in .json says that it is JSON, else it is YAML."""
    value = _json(text, name) if name.endswith(".json") else _yaml(text, name)
    if value is None:
        raise DataError(f"{name} is empty", advice="`lockgate policy init` writes an example.")
    if not isinstance(value, dict):
        raise DataError(f"{name} must hold a mapping of fields, such as app, gates and steps", advice=_PLAIN_ADVICE)
    return value


def encode_policy(document: Mapping[str, Any]) -> str:
    """Return a document as YAML that `decode_policy` reads back as the same values."""
    text: str = yaml.dump(
        json.loads(json.dumps(document)), Dumper=_Writer, sort_keys=False, allow_unicode=True, width=100
    )
    return text


class _Writer(yaml.SafeDumper):
    """Quotes every text that the reading here would take for something else."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 -- PyYAML hands it over
        """Indent lists below their field, as people do."""
        super().increase_indent(flow, False)


_Writer.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(rf"^(?:{_FLOAT.pattern})$"), list("-+.0123456789"))


def _json(text: str, name: str) -> Plain:
    try:
        value: Plain = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        where = f"{name}, line {error.lineno}, column {error.colno}"
        raise DataError(f"{where}: {error.msg}", advice="Mend the JSON there.") from error
    except RecursionError as error:
        raise DataError(f"{name} is nested deeper than {MAX_DEPTH} levels", advice=_PLAIN_ADVICE) from error
    except ValueError as error:
        raise DataError(f"{name}: {error}", advice="Mend the JSON there.") from error
    return value


def _pairs(pairs: list[tuple[str, Plain]]) -> dict[str, Plain]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        repeated = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the field {repeated!r} is there twice")
    return fields


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _yaml(text: str, name: str) -> Plain:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Document(yaml.parse(text, Loader=loader), name).value()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
        raise DataError(f"{where}: {error.problem or error.context}", advice="Mend the YAML there.") from error
    except yaml.YAMLError as error:
        first = str(error).partition("\n")[0]
        raise DataError(f"{name}: {first}", advice="Mend the YAML there.") from error


class _Document:
    """Builds one value from YAML events and refuses, at its line, what a policy does not need."""

    def __init__(self, events: Iterator[yaml.Event], name: str) -> None:
        self._events = events
        self._name = name
        self._nodes = 0

    def value(self) -> Plain:
        """Return the only document's value; None when there is none."""
        event = self._next()
        while isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        value = self._node(event, 1)
        self._next()
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(after, "a second document starts; a file holds one policy")
        return value

    def _next(self) -> yaml.Event:
        return next(self._events)

    def _node(self, event: yaml.Event, depth: int) -> Plain:
        self._nodes += 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            self._refuse(event, "anchors and aliases are not read")
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._refuse(event, f"tags such as {tag!r} are not read")
        if depth > MAX_DEPTH:
            self._refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        if self._nodes > MAX_NODES:
            self._refuse(event, f"more than {MAX_NODES:,} values")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(depth)
        assert isinstance(event, yaml.ScalarEvent)
        return _scalar(event.value) if event.implicit[0] else event.value

    def _mapping(self, depth: int) -> dict[str, Plain]:
        fields: dict[str, Plain] = {}
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent):
                self._refuse(key, "a field's name must be a word")
            self._node(key, depth)
            if key.value in fields:
                self._refuse(key, f"the field {key.value!r} is there twice")
            fields[key.value] = self._node(self._next(), depth + 1)
        return fields

    def _sequence(self, depth: int) -> list[Plain]:
        items: list[Plain] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return items

    def _refuse(self, event: yaml.Event, message: str) -> NoReturn:
        mark = event.start_mark
        assert mark is not None
        where = f"{self._name}, line {mark.line + 1}, column {mark.column + 1}"
        raise DataError(f"{where}: {message}", advice=_PLAIN_ADVICE)


def _scalar(text: str) -> Plain:
    """Return what an unquoted word means by the core schema of YAML 1.2 (10.3), less octal, hexadecimal and NaN."""
    if text in _NULLS:
        return None
    if text in _FLAGS:
        return _FLAGS[text]
    if len(text) <= MAX_DIGITS:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text
