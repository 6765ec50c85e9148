# SPDX-License-Identifier: Apache-2.0
"""Names that look like paths come in; each call finds what it means and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lockgate.cli import main
from lockgate.client import Client
from lockgate.errors import UsageError
from tests.server.raw import exchange, head
from tests.server.served import API, Served, problem, served
from tests.spec.line import world

NAMES = ("team/web", "a/../b", "a%2Fb", "a%252Fb", "web/kill", "a?b#c", "w\u00e4+b&c", "a//b")


@pytest.fixture
def shop() -> Iterator[Served]:
    """Return a server."""
    with served(world()) as opened:
        yield opened


@pytest.mark.clause("SV-250")
@pytest.mark.parametrize("name", NAMES)
def test_an_app_is_looked_at_and_killed_by_any_name_that_it_may_have(shop: Served, name: str) -> None:
    """What one app is told meets no other one whose name looks alike."""
    with Client(str(shop.http.base_url), shop.key("admin").token) as client:
        for each in dict.fromkeys((name, "a", "b", "team", "web", "a/b")):
            client.create(each, "abc123", baseline="v36", mode="canary")
        killed = client.kill(name, "because of this test")
        frozen = {each["app"]: each["frozen"] is not None for each in client.apps()}

        assert client.app(name)["app"] == killed["app"] == name
        assert frozen == {each: each == name for each in frozen}


@pytest.mark.clause("SV-250")
def test_a_key_of_one_app_reaches_no_other_by_how_its_name_is_written(shop: Served) -> None:
    """Whoever may see `team` may not see `team/web`, in whatever way it is sent."""
    narrow = shop.caller("admin", apps=["team"])
    shop.caller("admin").post(f"{API}/rollouts", {"app_id": "team/web", "candidate": "2", "baseline": "1"})

    answers = [narrow.get(f"{API}/apps/team{each}web") for each in ("%2F", "%2f", "/", "%252F")]

    assert [each.status_code for each in answers] == [403, 403, 404, 403]
    assert all('"app"' not in each.text for each in answers)


@pytest.mark.clause("SV-250")
@pytest.mark.parametrize("name", ["", ".", ".."])
def test_what_a_proxy_may_take_for_no_part_of_a_path_is_not_sent(shop: Served, name: str) -> None:
    """`/apps/../kill` is everything's to whoever tidies paths up, so nobody is asked."""
    with Client(str(shop.http.base_url), shop.key("admin").token) as client:
        with pytest.raises(UsageError):
            client.kill(name, "because of this test")
        with pytest.raises(UsageError):
            client.evaluate(name)


@pytest.mark.clause("SV-250")
def test_the_command_line_reaches_an_app_by_its_name(
    shop: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A kill over HTTP finds the app that a create over HTTP has named."""
    monkeypatch.setenv("LOCKGATE_URL", str(shop.http.base_url))
    monkeypatch.setenv("LOCKGATE_API_KEY", shop.key("admin").token)
    assert main.run(["create", "--app-id", "team/web", "-b", "1", "-c", "2", "--mode", "canary"]) == 0

    code = main.run(["kill", "--app-id", "team/web", "--yes", "--reason", "because of this test"])

    assert code == 0
    assert "team/web" in capsys.readouterr().out


@pytest.mark.clause("SV-251")
@pytest.mark.parametrize("path", [f"{API}/rollouts/", f"{API}/apps/a/", f"/{API}/rollouts", "/healthz/", "//healthz"])
def test_nobody_is_led_to_another_path(shop: Served, path: str) -> None:
    """A path with a slash too many is not there, and the host that a caller names is told to nobody."""
    answer = shop.http.get(path, headers={"host": "evil.test"}, follow_redirects=False)

    assert problem(answer) == (404, "not-found")
    assert "evil.test" not in f"{answer.headers}{answer.text}"


@pytest.mark.clause("SV-251")
def test_letters_that_are_written_by_their_numbers_are_the_same(shop: Served) -> None:
    """`%68ealthz` is `healthz`, and what is no UTF-8 is nothing."""
    said = [
        exchange(shop, head(f"GET {path} HTTP/1.1", "Host: x", "Connection: close"))
        for path in ("/%68ealthz", "/%ff", "/%")
    ]

    assert [each.split(b" ")[1] for each in said] == [b"200", b"404", b"404"]
