# SPDX-License-Identifier: Apache-2.0
"""The words that each command takes, and the schemas by which they are described, come in; that they agree is held."""

from __future__ import annotations

from importlib import import_module
from typing import Any, get_type_hints

import msgspec
import pytest
from jsonschema import Draft202012Validator

from lockgate.cli.asked.table import ASKED
from lockgate.cli.typed import typed
from lockgate.server.body_schemas import BODY_SCHEMAS
from lockgate.server.routes.screens import NAMED, OF_PATH
from lockgate.server.screens import ALL, COMMANDS, Command
from tests.server.rows import rollout_of
from tests.server.served import API, Served
from tests.spec.line import APP


def _typed(command: Command) -> dict[str, Any]:
    """Return the schema of the type of a command's words."""
    found: dict[str, Any]
    module, function = ASKED[command.name]
    kind = get_type_hints(getattr(import_module(f"lockgate.cli.asked.{module}"), function))["words"]
    (found,) = msgspec.json.schema_components([kind], schema_hook=lambda _: {"title": "anything"})[1].values()
    return found


def _types(schema: dict[str, Any]) -> set[str]:
    """Return of which types of JSON a value may be."""
    if "anyOf" in schema:
        return {each for part in schema["anyOf"] for each in _types(part)}
    if "enum" in schema:
        return {"null" if each is None else "string" for each in schema["enum"]}
    kind = schema.get("type", "object")
    return {kind} if isinstance(kind, str) else set(kind)


@pytest.mark.clause("SV-987")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.path)
def test_a_command_is_described_by_the_words_that_it_takes(command: Command) -> None:
    """By name, by type and by which are needed; what the path names, and a program, which no call names, aside."""
    kind = _typed(command)
    words = BODY_SCHEMAS[command.takes]["properties"]["words"]
    aside = {*OF_PATH, *(name for of, name in NAMED.items() if f"{{{of}}}" in command.of)}

    named = {name: _types(each) for name, each in words["properties"].items() if name != "program"}
    known = {name: _types(each) for name, each in kind["properties"].items() if name not in {*aside, "program"}}
    assert named == known
    assert set(words["required"]) == set(kind.get("required", ())) - aside
    assert BODY_SCHEMAS[command.takes]["required"] == (["words"] if words["required"] else [])


@pytest.mark.clause("SV-987")
@pytest.mark.parametrize(
    ("order", "is_meant"),
    [({}, False), ({"app_id": None}, False), ({"app_id": "web"}, True), ({"policy": {"app": "web"}}, True)],
)
def test_a_rollout_names_its_app_by_itself_or_in_its_policy(order: dict[str, object], is_meant: bool) -> None:
    """One of the two is needed."""
    whole = {"$ref": "#/components/schemas/Order", "components": {"schemas": dict(BODY_SCHEMAS)}}

    assert Draft202012Validator(whole).is_valid({"candidate": "v37", **order}) is is_meant


WRONG = {
    "a link of one text": ("create", {"links": [["ci"]]}),
    "seconds of a thousand years": ("create", {"since_s": 10**12}),
    "less than nothing": ("create", {"since_s": -1}),
}


@pytest.mark.clause("SV-988")
@pytest.mark.parametrize(("name", "wrong"), WRONG.values(), ids=WRONG.keys())
def test_words_that_no_schema_takes_are_refused(shop: Served, name: str, wrong: dict[str, object]) -> None:
    """By 400, and nothing is done."""
    (command,) = (each for each in COMMANDS if (each.name, each.of) == (name, ALL))

    answer = shop.caller("admin").post(f"{API}{command.path}", {"words": {**command.words, **wrong}})

    assert answer.status_code == 400, answer.text


@pytest.mark.clause("SV-988")
def test_a_checkpoint_that_is_not_base64_is_refused(shop: Served) -> None:
    """By 400, as every call that cannot be meant."""
    path = f"{API}/rollouts/{rollout_of(shop)}/screens/receipts"

    answer = shop.caller("admin").post(path, {"words": {"kept": "no base64"}})

    assert (answer.status_code, "base64" in answer.json()["detail"]) == (400, True)


@pytest.mark.clause("SV-988")
def test_a_call_that_says_not_how_it_was_typed_is_told_by_what_it_says() -> None:
    """No option is needed for the way to begin anew to be told."""
    assert typed({"app_id": APP}, {"candidate": "v37"}) == f"lockgate create --app-id {APP} --candidate v37"


@pytest.mark.clause("SV-988")
def test_a_whole_number_with_a_point_is_one(shop: Served) -> None:
    """As JSON Schema has it, and as the other calls take it."""
    path = f"{API}/rollouts/{rollout_of(shop)}/screens/look"

    answer = shop.caller("admin").post(path, {"words": {"held": [], "untold": [], "over_s": 60.0}})

    assert answer.status_code == 200, answer.text
