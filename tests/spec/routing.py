# SPDX-License-Identifier: Apache-2.0
"""A world comes in; routers that its apps have, and what they were told, go out."""

from __future__ import annotations

from collections.abc import Sequence

from lockgate.core.delivery import Delivery, State
from lockgate.core.endpoint import Kind
from lockgate.operations.steering.actuator import Program, set_actuator
from lockgate.operations.webhooks.deliver import Bounds, Told, deliver
from lockgate.testing.router import Router
from lockgate.testing.world import World
from tests.spec.line import APP
from tests.spec.operators import ANN

PROGRAM = Program(argv=("/srv/shift.sh", "web"), folder="/srv")
READS_BACK = Program(argv=("/srv/shift.sh", "web"), folder="/srv", is_acknowledging=True)
EVERYTHING = Bounds(messages=1_000, seconds=3_600)


def routed(here: World, app: str = APP, program: Program = PROGRAM) -> Router:
    """Declare the program of an app, and return the router that stands for it."""
    set_actuator(app, program, ANN, here.house)
    return Router(is_reading_back=program.is_acknowledging)


def delivered(here: World, router: Router, bounds: Bounds = EVERYTHING) -> tuple[Told, ...]:
    """Let one deliverer send what is due."""
    return deliver(here.house, {Kind.COMMAND: router}, bounds)


def kept_deliveries(here: World, *states: State) -> tuple[Delivery, ...]:
    """Return deliveries as they are stored."""
    with here.house.store.reading() as seen:
        return seen.deliveries(*states)


def states(deliveries: Sequence[Delivery]) -> list[tuple[str, str]]:
    """Return what each delivery was of, and what became of it."""
    return [(each.event.value.partition(".")[2], each.state.value) for each in deliveries]


def told(router: Router) -> list[tuple[str, object]]:
    """Return what a router carried out, in order."""
    return [(message.event.value.partition(".")[2], message.data["weight"]) for message in router.told]
