# SPDX-License-Identifier: Apache-2.0
"""Bodies at the bounds by which they are described, and just beyond, come in; calls take the one and not the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import nextafter
from typing import Any

import pytest

from lockgate.server.body_schemas import BODY_SCHEMAS
from lockgate.server.field_schemas import NAME
from lockgate.server.schema_names import SCHEMA_NAMES
from lockgate.server.table import ENDPOINTS, Endpoint
from tests.server.rows import body_of, name_of, path_of
from tests.server.served import API, Served, problem
from tests.spec.line import APP

ROWS = [row for row in ENDPOINTS if row.body]
# What a policy file says is described by its own fields, whose tests hold it.
OF_POLICY = {"policy", "steps", "min_runs"}
# Of these no text of any letters can be meant; what each begins with, by the field that it is in.
BEGINNINGS = {"metrics": "scores.", "url": "https://hooks.example.com/"}
PAIRS = {"links": ("build", "https://ci.example.com/"), "digests": ("model", f"sha256:{'0' * 64}")}
WORDS = {"words": "ci", "allow": "ci", "events": "rollout.rollback"}
# A name that no app may have is not there.
NOT_THERE = {"app_id"}
Place = tuple[str | int, ...]
# A value at a bound, and one beyond it; None: nothing at it says more than the example of the body does.
Pair = tuple[Any, Any]


def bounds(schema: dict[str, Any], place: Place = ()) -> Iterator[tuple[Place, Pair]]:
    """Yield the bounds of a body's schema by their places in it."""
    for part in schema.get("anyOf", ()):
        yield from bounds(part, place)
    yield from ((place, pair) for of in (_of_number, _of_text, _of_list) for pair in of(schema, place))
    if "items" in schema:
        yield from bounds(schema["items"], (*place, 0))
    for name, part in schema.get("properties", {}).items():
        if name not in OF_POLICY:
            yield from bounds(part, (*place, name))


def _of_number(schema: dict[str, Any], _place: Place) -> Iterator[Pair]:
    for word, step in (("minimum", -1), ("maximum", 1)):
        if word in schema:
            yield schema[word], schema[word] + step
    for word, inside in (("exclusiveMinimum", 10), ("exclusiveMaximum", -10)):
        if word in schema:
            yield nextafter(schema[word], inside), schema[word]


def _of_text(schema: dict[str, Any], place: Place) -> Iterator[Pair]:
    if "maxLength" in schema:
        most, begun = schema["maxLength"], BEGINNINGS.get(_field(place), "")
        # No name of a metric is that long.
        yield None if _field(place) == "metrics" else begun.ljust(most, "x"), begun.ljust(most + 1, "x")
    if schema.get("minLength") == 1:
        yield None, ""
    if schema.get("pattern") == NAME["pattern"]:
        yield "a" * 256, "a" * 257
    if schema.get("pattern", "").endswith(r"\S"):
        yield None, " "


def _of_list(schema: dict[str, Any], place: Place) -> Iterator[Pair]:
    for word, step in (("minItems", -1), ("maxItems", 1)):
        if word in schema:
            yield _items(place, schema[word]), _items(place, schema[word] + step)
    if "maxProperties" in schema:
        most = schema["maxProperties"]
        yield dict(_items(place, most)), dict(_items(place, most + 1))


def _field(place: Place) -> str:
    return next(str(each) for each in reversed(place) if isinstance(each, str))


def _items(place: Place, count: int) -> list[Any]:
    """Return so many items of a list; of a pair in one, so many texts."""
    name = _field(place)
    if place[-1] == 0:
        return [*PAIRS[name], "more"][:count]
    if name in PAIRS:
        return [(f"{PAIRS[name][0]}{each}", PAIRS[name][1]) for each in range(count)]
    return [WORDS.get(name, f"{BEGINNINGS.get(name, '')}{each}") for each in range(count)]


def put(document: Any, place: Place, value: Any) -> Any:
    """Return a document with a value at a place, of lists the first."""
    if not place:
        return value
    first, *rest = place
    if isinstance(first, int):
        return [put(None, tuple(rest), value)]
    return {**(document or {}), first: put((document or {}).get(first), tuple(rest), value)}


def _id(bound: tuple[Endpoint, Place, Pair]) -> str:
    row, place, (at, beyond) = bound
    return f"{name_of(row)} {'.'.join(map(str, place))} {str(at)[:8]} {str(beyond)[:8]} {len(str(beyond))}"


ALL = [
    (row, place, pair) for row in ROWS for place, pair in bounds(dict(BODY_SCHEMAS[SCHEMA_NAMES[row.handler].takes]))
]


@pytest.mark.clause("SV-990")
@pytest.mark.parametrize("bound", ALL, ids=_id)
def test_a_bound_that_is_described_is_the_one_that_is_checked(
    shop: Served, bound: tuple[Endpoint, Place, Pair]
) -> None:
    """What is at it can be meant, though nothing may have that name and no run be so; what is beyond it is refused."""
    row, place, (at, beyond) = bound
    admin, path, document = shop.caller("admin"), path_of(shop, row), json.loads(body_of(row))

    refused, *taken = (
        admin.call(row.method, path, {"content-type": row.body[0]}, content=json.dumps(put(document, place, value)))
        for value in (beyond, *([] if at is None else [at]))
    )

    assert refused.status_code == 400 or (refused.status_code == 404 and _field(place) in NOT_THERE), refused.text
    assert not any(each.status_code == 400 and not each.json()["detail"].startswith("no run") for each in taken)
    assert all(each.status_code in (200, 201, 400, 404, 409) for each in taken)


@pytest.mark.clause("SV-991")
@pytest.mark.parametrize("wrong", [{"links": {"build": "no address"}}, {"digests": {"model": "no digest"}}])
def test_what_is_no_link_or_digest_is_refused_also_where_the_rollout_is_there(
    shop: Served, wrong: dict[str, object]
) -> None:
    """Nobody who is answered an earlier rollout takes such a word for kept."""
    order = {"app_id": APP, "baseline": "v36", "candidate": f"twice-{'-'.join(wrong)}"}
    admin = shop.caller("admin")
    first = admin.post(f"{API}/rollouts", order)

    again = [admin.post(f"{API}/rollouts", each) for each in (order, {**order, **wrong})]

    assert (first.status_code, again[0].json()["id"]) == (201, first.json()["id"])
    assert problem(again[1]) == (400, "invalid-call")
