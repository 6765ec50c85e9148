# SPDX-License-Identifier: Apache-2.0
"""Servers that are away, refuse, or are something else come in; what the command line says, and its code, goes out."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from lockgate.cli import exit_codes
from lockgate.cli.asked.table import ASKED
from lockgate.cli.exit_codes import ExitCode
from lockgate.server.screens import COMMANDS
from tests.client.scripted import scripted
from tests.doors.both import Both, Made
from tests.doors.line import Door
from tests.server.served import served
from tests.spec.line import world

TOKEN = "rvk_00000000000000000000000000_secret"  # noqa: S105 -- it opens nothing
SAID = {
    "code": 0,
    "out": "drawn\n",
    "is_data": False,
    "told": ["a note"],
    "files": {},
    "question": "",
    "more": {},
}


def _problem(name: str, status: int) -> tuple[int, dict[str, str], object]:
    document = {
        "type": f"urn:lockgate:problem:{name}",
        "title": "t",
        "status": status,
        "detail": "what happened",
        "advice": "what to do",
    }
    # So long that nobody waits for it.
    return status, {"content-type": "application/problem+json", "retry-after": "9999"}, document


REFUSALS = {
    "invalid-call": (400, exit_codes.USAGE),
    "invalid-data": (400, exit_codes.DATA),
    "key-needed": (401, exit_codes.NOT_PERMITTED),
    "key-malformed": (401, exit_codes.NOT_PERMITTED),
    "key-expired": (401, exit_codes.NOT_PERMITTED),
    "key-revoked": (401, exit_codes.NOT_PERMITTED),
    "unknown-field": (400, exit_codes.USAGE),
    "too-many-runs": (413, exit_codes.DATA),
    "permission-missing": (403, exit_codes.NOT_PERMITTED),
    "not-found": (404, exit_codes.USAGE),
    "refused": (409, exit_codes.NOT_PERMITTED),
    "conflict": (409, exit_codes.TRY_AGAIN),
    "precondition-failed": (412, exit_codes.TRY_AGAIN),
    "rate-limited": (429, exit_codes.TRY_AGAIN),
    "internal": (500, exit_codes.INTERNAL),
    "store-unsound": (500, exit_codes.DATA),
    "store-older": (500, exit_codes.DATA),
    "store-held": (503, exit_codes.TRY_AGAIN),
    "store-later": (503, exit_codes.DATA),
    "unreachable": (503, exit_codes.UNREACHABLE),
    "store-left": (503, exit_codes.NOT_PERMITTED),
}


@pytest.fixture
def remote(door: Door, monkeypatch: pytest.MonkeyPatch) -> Door:
    """Return the command line with a key and no server yet."""
    monkeypatch.setenv("LOCKGATE_API_KEY", TOKEN)
    return door


@pytest.mark.clause("CL-21")
@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_has_the_code_that_it_has_on_the_store(
    remote: Door, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The problem's sentence is told with advice, and each kind leaves by its code."""
    status, code = REFUSALS[name]
    with scripted(_problem(name, status)) as script:
        monkeypatch.setenv("LOCKGATE_URL", script.url)
        left = remote("show", "rol_aaaaaaaaaaaaaaaa")

    assert (left, remote.out) == (code.code, "")
    assert remote.err.startswith("error: what happened\n")
    assert len(remote.err.splitlines()) == 2
    assert TOKEN not in remote.err


@pytest.mark.clause("CL-21")
@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("http://127.0.0.1:9", exit_codes.UNREACHABLE, "no answer from 127.0.0.1:9"),
        ("127.0.0.1:7300", exit_codes.USAGE, "LOCKGATE_URL is no address"),
        ("http://lockgate.example", exit_codes.USAGE, "the key would travel unencrypted"),
    ],
)
def test_an_address_where_nothing_answers_is_told(
    remote: Door, monkeypatch: pytest.MonkeyPatch, url: str, code: ExitCode, said: str
) -> None:
    """Nobody is there, or nothing can be sent there."""
    monkeypatch.setenv("LOCKGATE_URL", url)

    assert remote("list") == code.code
    assert said in remote.err
    assert TOKEN not in remote.err


@pytest.mark.clause("CL-63")
@pytest.mark.parametrize(
    ("words", "list_of_names"),
    [
        (("show", "rol_aaaaaaaaaaaaaaaa"), "lockgate list"),
        (("keys", "revoke", "nope"), "lockgate keys list"),
        (("webhooks", "show", "end_nope"), "lockgate webhooks list"),
        (("webhooks", "redeliver", "end_nope", "evt_no"), "lockgate webhooks deliveries"),
        (("log", "entry", "9999"), "lockgate log checkpoint"),
    ],
)
def test_what_is_not_there_is_told_with_the_list_of_its_kind(
    remote: Door, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], list_of_names: str
) -> None:
    """Who mistyped the id of a key is not sent to the list of rollouts."""
    with served(world()) as shop:
        monkeypatch.setenv("LOCKGATE_URL", str(shop.http.base_url).rstrip("/"))
        monkeypatch.setenv("LOCKGATE_API_KEY", shop.key("admin").token)
        left = remote(*words)

    assert left == exit_codes.USAGE.code
    assert f"`{list_of_names}" in remote.err


@pytest.mark.clause("CL-22")
@pytest.mark.parametrize("answer", [_problem("not-found", 404), (200, {}, {"code": 0})])
def test_a_server_of_another_version_is_told_by_its_version(
    remote: Door, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, dict[str, str], dict[str, object]]
) -> None:
    """A path that is not there, and an answer that is not understood, are told with both versions."""
    status, headers, document = answer
    document = {**document, "detail": "there is no path /x"} if status == 404 else document
    with scripted((status, headers, document), (200, {}, {"version": "9.9"})) as script:
        monkeypatch.setenv("LOCKGATE_URL", script.url)
        code = remote("show", "rol_aaaaaaaaaaaaaaaa")

    assert code == exit_codes.USAGE.code
    assert "it is Lockgate 9.9, and this is " in remote.err


@pytest.mark.clause("CL-23")
@pytest.mark.parametrize(
    "words",
    [
        ("serve", "--port", "0"),
        ("backup", "copy"),
        ("fsck",),
        ("prune",),
        ("new-keys", "--reason", "they are lost", "--yes"),
        ("actuator", "show"),
        ("actuator", "set", "--app-id", "web", "--", "true"),
        ("deliver",),
        ("trust", "list"),
        ("store", "copy", "here", "there"),
        ("store", "migrate"),
        ("orgs", "list"),
        ("create", "--app-id", "web", "-b", "1", "-c", "2", "--actuator", "true"),
    ],
    ids=" ".join,
)
def test_what_works_on_the_servers_machine_says_so(
    remote: Door, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """It is refused before anything is read, and says where to call it."""
    with scripted((200, {}, SAID)) as script:
        monkeypatch.setenv("LOCKGATE_URL", script.url)
        code = remote(*words)

    assert code == exit_codes.USAGE.code
    assert "Call it on the server's machine, or unset LOCKGATE_URL." in remote.err
    assert script.asked == []


@pytest.mark.clause("CL-24")
def test_a_command_that_is_asked_of_a_server_starts_light() -> None:
    """Neither numpy nor the core nor the reports are loaded to show what a server has drawn."""
    code = (
        "import sys; from lockgate.cli import main; code = main.run(['show', 'rol_a']); "
        "print([n for n in sys.modules if n == 'numpy' or n.startswith(('lockgate.core', 'lockgate.report'))], code)"
    )
    with scripted((200, {}, {**SAID, "told": []})) as script:
        here = {**os.environ, "LOCKGATE_URL": script.url, "LOCKGATE_API_KEY": TOKEN}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, env=here
        )

    assert done.stdout == "drawn\n[] 0\n"
    assert done.stderr == ""
    assert script.asked[0][1] == "/api/v1/rollouts/rol_a/screens/show"


@pytest.mark.clause("CL-20")
def test_a_server_has_an_endpoint_for_each_command_that_is_asked() -> None:
    """What the command line asks and what the server's table names are the same."""
    assert {each.name for each in COMMANDS} == set(ASKED)


@pytest.mark.clause("CL-25")
def test_the_screen_is_that_of_the_caller(both: Both, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Width and colour are those of the terminal that it is called from."""
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setenv("FORCE_COLOR", "1")

    here, there = both.local("show", made.names["good"]), both.remote("show", made.names["good"])

    assert "\x1b[" in there.out
    assert there.out == here.out


@pytest.mark.clause("CL-41")
def test_a_path_that_leads_nowhere_is_told(both: Both) -> None:
    """As of an address with the path of the interface at its end."""
    called = replace(both, url=f"{both.url}/api/v1").remote("list")

    assert called.code == 64
    assert "no Lockgate answers below /api/v1" in called.err
    assert "Leave the path out of LOCKGATE_URL" in called.err
