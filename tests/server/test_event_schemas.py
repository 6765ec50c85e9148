# SPDX-License-Identifier: Apache-2.0
"""Messages of a real store come in; each is what its event's schema and example say."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator

from lockgate.core.transition import Event
from lockgate.core.webhook import EVENTS
from lockgate.operations.steering.freeze import freeze, unfreeze
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from lockgate.operations.steering.rollback import rollback
from lockgate.server.event_schemas import example_of, schema_of
from tests.server.served import Served
from tests.spec.line import APP, EQUAL, created, world
from tests.spec.operators import ANN


@pytest.mark.clause("WH-74")
@pytest.mark.parametrize("event", EVENTS)
def test_an_example_of_an_event_is_what_its_schema_says(event: Event) -> None:
    """So is its kind: of a rollout, or of a whole app."""
    Draft202012Validator(schema_of(event)).validate(example_of(event))


@pytest.mark.clause("WH-74")
def test_what_is_sent_is_what_the_schema_says_and_the_example_shows() -> None:
    """Field by field: none is missing in the description, and none is in it that is not sent."""
    here = world()
    first = created(here).rollout
    pause(first.id, ANN, here.house)
    resume(first.id, ANN, here.house)
    here.walk(first.id, EQUAL, runs=4000, minutes=40)
    rollback(created(here, candidate="def456", baseline="abc123").rollout.id, ANN, here.house)
    freeze(APP, ANN, here.house)
    unfreeze(APP, ANN, here.house)
    with here.house.store.reading() as seen:
        bodies = {each.event: json.loads(each.body) for each in seen.messages()}

    for event, body in bodies.items():
        Draft202012Validator(schema_of(event)).validate(body)
        example = example_of(event)
        assert set(body) == set(example)
        assert set(body["data"]) == set(cast("dict[str, Any]", example["data"]))
    quiet = {Event.REDUCE, Event.APPROVAL_NEEDED, Event.OVERDUE, Event.UNTOLD}
    assert set(bodies) == set(EVENTS) - quiet


@pytest.mark.clause("WH-74")
def test_the_description_of_the_server_has_every_event(door: Served) -> None:
    """Under `webhooks`, as OpenAPI 3.1 has it."""
    assert set(door.http.get("/openapi.json").json()["webhooks"]) == {each.value for each in EVENTS}
