# SPDX-License-Identifier: Apache-2.0
"""Two organisations on one store come in; one server takes the turns and tells the routers of both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.core.permission import permissions_of
from lockgate.core.receipt import operator
from lockgate.operations.access.issue_key import KeyOrder, issue_key
from lockgate.operations.create import Order, create
from lockgate.operations.steering.actuator import Program, set_actuator
from lockgate.ports.house import House
from lockgate.server.loop import Loop
from lockgate.wiring import actuators, signers, sqlite_store, system_clock

PATIENCE_S = 60.0
ORGS = ("default", "zeta")


@pytest.mark.clause("SV-135")
def test_a_server_works_for_every_organisation_that_has_a_key(tmp_path: Path) -> None:
    """What is on trial in the second is looked at too, and its router hears of it."""
    own = House(sqlite_store(tmp_path), system_clock(), signers(tmp_path / "keys"))
    rollouts = {org: _begun(replace(own, org=org), tmp_path) for org in ORGS}

    with Loop(own, actuators(), 0.1, lambda _: None):
        _wait_for(lambda: all(_is_told(tmp_path, org) for org in ORGS))
        _wait_for(lambda: all(_looks(replace(own, org=org), name) for org, name in rollouts.items()))


def _begun(house: House, folder: Path) -> str:
    issue_key(KeyOrder(name="all", permissions=permissions_of(["admin"]), apps=(), life_s=3_600), house)
    program = Program(argv=("/bin/sh", "-c", f"cat >> {folder}/{house.org}.told"), folder=str(folder))
    set_actuator("web", program, operator("ada", "drill"), house)
    return create(Order(app="web", candidate="v2", baseline="v1", policy={"mode": "canary"}), house).rollout.id


def _is_told(folder: Path, org: str) -> bool:
    path = folder / f"{org}.told"
    return path.exists() and b"created" in path.read_bytes()


def _looks(house: House, rollout: str) -> int:
    with house.store.reading(house.org) as seen:
        return len(seen.looks_after(rollout, 0, 10))


def _wait_for(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.02)
