# SPDX-License-Identifier: Apache-2.0
"""A server on a real store comes in; rollouts' bundles must come over HTTP as they are made beside it."""

from __future__ import annotations

import io
import json
import time
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from lockgate.client import Client
from lockgate.core.permission import Permission
from lockgate.operations.access.issue_key import IssuedKey
from lockgate.server import sending
from lockgate.server.caller import Caller
from lockgate.server.problem import ProblemError
from lockgate.server.rooms import room_name
from lockgate.server.routes import bundles
from lockgate.server.table import ENDPOINTS
from tests.doors.line import Door
from tests.server.served import served
from tests.spec.bundles import bundle_bytes, rolled_back
from tests.spec.line import APP

PATH = "/api/v1/rollouts/{id}/bundle"
PATIENCE_S = 60.0


def _by(key: IssuedKey) -> dict[str, str]:
    """Return the header of who calls by a key."""
    return {"authorization": f"Bearer {key.token}"}


@pytest.mark.clause("EX-31")
def test_a_bundle_over_http_is_the_same_bytes() -> None:
    """An auditor with a key needs nobody at the server."""
    here, rollout = rolled_back()
    expected = bundle_bytes(here.house, rollout)

    with served(here) as door:
        answer = door.http.get(PATH.format(id=rollout), headers=_by(door.key("auditor")))

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="{rollout}.zip"'
    assert answer.content == expected


@pytest.mark.clause("EX-31")
def test_a_bundle_since_a_checkpoint_comes_over_http() -> None:
    """The checkpoint goes along in the query."""
    here, rollout = rolled_back()
    with here.house.store.reading() as seen:
        kept = seen.checkpoint()
    assert kept is not None

    with served(here) as door:
        query = {"checkpoint": urlsafe_b64encode(kept).decode()}
        answer = door.http.get(PATH.format(id=rollout), params=query, headers=_by(door.key("auditor")))
        other = door.http.get(PATH.format(id=rollout), params={"checkpoint": "?"}, headers=_by(door.key("auditor")))

    with zipfile.ZipFile(io.BytesIO(answer.content)) as made:
        assert "log.consistency" in made.namelist()
    assert (other.status_code, other.json()["detail"]) == (400, "checkpoint is none in base64url")


@pytest.mark.clause("EX-31")
def test_a_key_for_some_apps_sees_nothing_of_the_organisation() -> None:
    """What was done to its custody is the organisation's business, and the bundle says that it is left out."""
    here, rollout = rolled_back()

    with served(here) as door:
        answer = door.http.get(PATH.format(id=rollout), headers=_by(door.key("auditor", apps=[APP])))
        other = door.http.get(PATH.format(id=rollout), headers=_by(door.key("auditor", apps=["billing"])))

    with zipfile.ZipFile(io.BytesIO(answer.content)) as made:
        assert not [name for name in made.namelist() if name.startswith("related/org/")]
        missing = json.loads(made.read("missing.json"))
    assert missing["related"] == [{"series": "org", "why": "whoever asked may see some apps only"}]
    assert other.status_code == 404


@pytest.mark.clause("EX-31")
def test_bundles_are_made_in_a_room_of_their_own() -> None:
    """Turns and stops wait for none."""
    (row,) = [each for each in ENDPOINTS if each.path == PATH]

    assert room_name(row) == "bundles"


@pytest.mark.clause("EX-52")
def test_only_so_many_bundles_are_sent_to_a_key_at_once() -> None:
    """Slow readers fill no disk; what was sent makes room again, and another key is answered meanwhile."""
    here, rollout = rolled_back()
    path = PATH.format(id=rollout)

    with served(here) as door:
        one, other = door.key("auditor"), door.key("auditor")
        for _ in range(bundles.MAX_OPEN + 1):
            assert door.http.get(path, headers=_by(one)).status_code == 200
            _wait_until_sent()
        slow = _caller(owner=one.key.id)
        for _ in range(bundles.MAX_OF_KEY):
            bundles.OPEN.take(slow)
        try:
            refused = door.http.get(path, headers=_by(one))
            answered = door.http.get(path, headers=_by(other))
        finally:
            for _ in range(bundles.MAX_OF_KEY):
                bundles.OPEN.give_back(slow)

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    assert refused.json()["detail"] == "2 bundles of the key are being sent already"
    assert answered.status_code == 200


def _wait_until_sent() -> None:
    """Wait for the server, which hears that all was read a little after who read it."""
    ends = time.monotonic() + PATIENCE_S
    while bundles.OPEN._taken:
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.mark.clause("EX-52")
@pytest.mark.parametrize(
    ("callers", "words"),
    [
        ([("acme", "a"), ("acme", "a"), ("acme", "a")], "2 bundles of the key"),
        ([("acme", name) for name in "abcde"], "4 bundles of the organisation"),
        ([(f"org{number}", "a") for number in range(9)], "8 bundles of all organisations"),
    ],
)
def test_bundles_are_shared_out(callers: list[tuple[str, str]], words: str) -> None:
    """The last one is refused, and takes nothing; once one was given back there is room."""
    opened = bundles.Open()
    *given, last = [_caller(org=org, owner=owner) for org, owner in callers]
    for caller in given:
        opened.take(caller)

    with pytest.raises(ProblemError, match=words):
        opened.take(last)
    opened.give_back(given[-1])
    opened.take(last)


@pytest.mark.clause("EX-52")
def test_whoever_reads_too_slowly_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader takes so many bytes a second after the first moments, or makes room for others."""
    monkeypatch.setattr(sending, "LEAST_RATE", 1e18)
    whole = b"".join(sending.Sending(iter([b"x" * 10, b"y"]), _nothing))
    monkeypatch.setattr(sending, "GRACE_S", -1.0)
    slow = iter(sending.Sending(iter([b"x" * 10, b"y"]), _nothing))

    with pytest.raises(TimeoutError, match="too slowly"):
        list(slow)

    assert whole == b"x" * 10 + b"y"


def _nothing() -> None:
    """Give nothing back."""


def _caller(org: str = "default", owner: str = "a") -> Caller:
    return Caller(org=org, owner=owner, name="ann", kind="person", permissions=(Permission.EXPORT,))


@pytest.mark.clause("EX-32")
def test_client_and_command_line_fetch_a_bundle(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the address and a key has the same file as somebody at the server."""
    here, rollout = rolled_back()
    expected = bundle_bytes(here.house, rollout)
    file = tmp_path / "out.zip"

    with served(here) as shop:
        token = shop.key("auditor").token
        with Client(str(shop.http.base_url), token) as client:
            fetched = client.bundle(rollout)
        monkeypatch.setenv("LOCKGATE_URL", str(shop.http.base_url))
        monkeypatch.setenv("LOCKGATE_API_KEY", token)
        code = Door(capsys)("export", "--rollout", rollout, "-o", file)

    assert code == 0
    assert fetched == file.read_bytes() == expected
