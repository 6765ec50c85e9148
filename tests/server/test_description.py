# SPDX-License-Identifier: Apache-2.0
"""The description of the server is fetched; it is a whole OpenAPI document, and says what is really answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from jsonschema import Draft202012Validator

from lockgate.cli.main import COMMANDS, GROUPS
from lockgate.core.canonical import Json
from lockgate.server.answer_schemas import ANSWER_SCHEMAS
from lockgate.server.body_schemas import BODY_SCHEMAS
from lockgate.server.description import describe
from lockgate.server.schema_names import SCHEMA_NAMES
from lockgate.server.table import ENDPOINTS, Endpoint
from tests.server.rows import CLOSED, name_of, path_of, rollout_of, send_to
from tests.server.served import Served

RULES = Path(__file__).parent.parent / "vectors" / "openapi_3_1.json"


@cache
def _described() -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(json.dumps(describe(ENDPOINTS))))


def _fits(name: str, document: Json) -> list[str]:
    """Return what keeps a document from being what a schema of the description says."""
    whole = {"$ref": f"#/components/schemas/{name}", "components": _described()["components"]}
    return [f"{error.json_path}: {error.message[:200]}" for error in Draft202012Validator(whole).iter_errors(document)]


def _operation(row: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = _described()["paths"][row.path][row.method.lower()]
    return found


def _response(row: Endpoint, status: int) -> dict[str, Any]:
    """Return what the description says of a status of a row."""
    found: dict[str, Any] = _operation(row)["responses"][str(status)]
    name = found.get("$ref", "").rpartition("/")[2]
    return _described()["components"]["responses"][name] if name else found


def _refs(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from _refs(each)
    elif isinstance(part, list):
        for each in part:
            yield from _refs(each)


@pytest.mark.clause("SV-30")
def test_the_description_is_whole_openapi() -> None:
    """By the schema that the OpenAPI Initiative publishes; each schema in it is one, and whatever is named is there."""
    document = _described()

    assert not list(Draft202012Validator(json.loads(RULES.read_text("utf-8"))).iter_errors(document))
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema, name
    for ref in set(_refs(document)):
        part = document
        for step in ref.removeprefix("#/").split("/"):
            part = part[step]


@pytest.mark.clause("SV-30")
def test_every_row_says_what_it_takes_and_gives() -> None:
    """Each handler of the table, and nothing else, has its bodies named, and each name has a schema that is used."""
    assert {row.handler for row in ENDPOINTS} == set(SCHEMA_NAMES)
    assert {each.gives for each in SCHEMA_NAMES.values()} <= set(ANSWER_SCHEMAS)
    used = {ref.rpartition("/")[2] for ref in _refs(_described())} | {"Run"}
    assert set(BODY_SCHEMAS) | set(ANSWER_SCHEMAS) <= used


@pytest.mark.clause("SV-30")
@pytest.mark.parametrize("name", BODY_SCHEMAS)
def test_the_example_of_a_body_fits_its_schema(name: str) -> None:
    """And a field that nobody knows does not, as the server has it."""
    (example,) = BODY_SCHEMAS[name]["examples"]

    assert _fits(name, example) == []
    assert name == "Run" or _fits(name, {**example, "unheard of": 1}) != []


def _check(row: Endpoint, answer: httpx.Response) -> None:
    """Compare an answer with what the description says of its status: media type, headers and body."""
    said = _response(row, answer.status_code)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    assert kind in said["content"], (kind, list(said["content"]))
    named = {name.lower() for name in said.get("headers", {})}
    own = {name for name in answer.headers if name.startswith("lockgate-")}
    told = own | {"etag", "location", "www-authenticate", "idempotency-replayed"} & set(answer.headers)
    assert told <= named
    if kind.endswith(("/json", "+json")):
        assert _fits(said["content"][kind]["schema"]["$ref"].rpartition("/")[2], answer.json()) == []


@pytest.mark.clause("SV-30")
@pytest.mark.parametrize("row", ENDPOINTS, ids=name_of)
def test_what_is_answered_is_as_described(shop: Served, row: Endpoint) -> None:
    """To who may call, with what is there, and again by the same key."""
    admin, path = shop.caller("admin"), path_of(shop, row)

    key = {"idempotency_key": f"described {row.summary}"} if row.is_once else {}
    first, again = (send_to(path, admin, row, **key) for _ in range(2))

    # A token of elsewhere opens nothing here, there may be nobody to ask for its issuer, and no manifest of keys.
    refused = (409, 503) if row.permission is not None else (401, 404, 503)
    assert first.status_code in (*SCHEMA_NAMES[row.handler].succeeds, *refused), first.text
    for answer in (first, again):
        _check(row, answer)


@pytest.mark.clause("SV-30")
@pytest.mark.parametrize("row", CLOSED, ids=name_of)
def test_what_is_refused_is_as_described(shop: Served, row: Endpoint) -> None:
    """No key, no permission, no such thing, a body or a query that cannot be meant, a condition that does not hold."""
    admin, path = shop.caller("admin"), path_of(shop, row)
    needed = shop.caller("sdk" if row.permission != "run.write" else "viewer")
    absent = path.replace(rollout_of(shop), "rol_none").replace("claims-agent", "nobody")
    answers = [
        shop.http.request(row.method, path),
        send_to(path, needed, row),
        send_to(absent, admin, row),
        admin.call(row.method, path, {"content-type": "text/plain"}, content=b"x"),
        admin.call(row.method, path, {"content-type": "application/json"}, content=b"{"),
        send_to(path, admin, row, if_match='"99"'),
        send_to(path, admin, row, if_match="99"),
    ]

    for answer in answers:
        _check(row, answer)
    assert [each.status_code for each in answers[:2]] == [401, 403]


@pytest.mark.clause("SV-30")
def test_a_method_that_is_not_is_told_which_there_are(shop: Served) -> None:
    """405 with Allow, at each path."""
    paths: dict[str, set[str]] = {}
    for row in ENDPOINTS:
        paths.setdefault(row.path, set()).add(row.method)
    for path, methods in paths.items():
        answer = shop.http.request("TRACE", path.replace("{", "").replace("}", ""))
        assert answer.status_code == 405
        assert methods <= set(answer.headers["allow"].split(", "))


@pytest.mark.clause("SV-30")
def test_a_turn_that_rolled_back_is_described(shop: Served) -> None:
    """422 has the schema of 200, and is a problem nowhere."""
    for row in ENDPOINTS:
        responses = _operation(row)["responses"]
        if "422" in responses:
            assert row.path.endswith("{id}/evaluate")
            assert responses["422"]["content"] == responses["200"]["content"]


@pytest.mark.clause("SV-30")
def test_what_a_query_has_to_have_is_needed(shop: Served) -> None:
    """A call without it is 400."""
    needy = [row for row in CLOSED if row.needs]
    assert needy
    for row in needy:
        assert shop.caller("admin").get(path_of(shop, row)).status_code == 400
        assert [each["name"] for each in _operation(row)["parameters"] if each["required"]] == list(row.needs)


@pytest.mark.clause("SV-241")
def test_what_answers_the_command_line_names_its_commands() -> None:
    """What only a watch or an import asks is said by the command that a person types."""
    named = {each.summary.split("`")[1] for each in ENDPOINTS if each.summary.startswith("Answer `lockgate")}

    assert {"lockgate watch", "lockgate ingest", "lockgate keys create"} < named
    assert [each for each in named if each.split()[1] not in COMMANDS and each.split()[1] not in GROUPS] == []
