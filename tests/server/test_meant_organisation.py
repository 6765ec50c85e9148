# SPDX-License-Identifier: Apache-2.0
"""Calls that mean one organisation and hold a key of another come in; they are refused, and nothing is done."""

from __future__ import annotations

import pytest

from lockgate.cli import main
from lockgate.client import Client, ProblemError
from lockgate.testing.world import World
from tests.server.served import problem, served
from tests.spec.line import created, world

OTHER = "acme"
MAKE = ["keys", "create", "--name", "sdk", "--allow", "sdk"]


@pytest.mark.clause("CL-40")
def test_a_command_for_another_organisation_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No key is made and nothing is listed; by a key of that very organisation both are."""
    here = world()
    theirs = created(World(here.house.store, 1, OTHER)).rollout.id
    with served(here) as door:
        monkeypatch.setenv("LOCKGATE_URL", str(door.http.base_url))
        monkeypatch.setenv("LOCKGATE_API_KEY", door.key("admin").token)
        monkeypatch.setenv("LOCKGATE_ORG", OTHER)
        refused = [main.run(words) for words in (MAKE, ["list"])]
        said = capsys.readouterr()
        monkeypatch.setenv("LOCKGATE_API_KEY", door.key("admin", org=OTHER).token)
        listed = main.run(["list", "--json"])
        with here.house.store.reading() as seen:
            names = [each.name for each in seen.api_keys()]

    assert (refused, listed, names) == ([64, 64], 0, ["admin"])
    assert "another organisation than its key" in said.err
    assert "LOCKGATE_ORG" in said.err
    assert theirs in capsys.readouterr().out


@pytest.mark.clause("CL-40")
def test_the_client_means_an_organisation() -> None:
    """It is refused by a problem document where its key is of another one, on an open server as well."""
    here = world()
    ours = created(here).rollout.id
    with served(here) as door, served(here, is_open=True) as open_door:
        key = door.key("admin").token
        with (
            Client(str(door.http.base_url), key, org=OTHER) as wrong,
            Client(str(door.http.base_url), key, org="default") as right,
        ):
            found = right.rollout(ours)["id"]
            with pytest.raises(ProblemError) as refused:
                wrong.rollout(ours)
        opened = open_door.http.get("/api/v1/rollouts", headers={"Lockgate-Org": OTHER})

    assert found == ours
    assert (refused.value.status, refused.value.type) == (400, "urn:lockgate:problem:invalid-call")
    assert problem(opened) == (400, "invalid-call")
