# SPDX-License-Identifier: Apache-2.0
"""Answers and broken connections come in; what the client makes of them goes out."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lockgate.client import Client, ProblemError, Timing
from lockgate.errors import LockgateError, TryAgainError, UnreachableError, UsageError
from tests.client.scripted import DROP, scripted

TOKEN = "rvk_00000000000000000000000000_secret"  # noqa: S105 -- it opens nothing
# Nobody listens there, and the system gives it to no other program of this machine, as it may one that was given back.
NOBODY = "http://127.0.0.1:9"
ROLLOUT = {"id": "rol_a", "status": "active"}
OK: tuple[int, dict[str, str], object] = (200, {}, ROLLOUT)
BUSY = {"content-type": "application/problem+json"}
PROBLEM = {"type": "urn:lockgate:problem:refused", "title": "No.", "status": 409, "detail": "d", "advice": "a"}


class _Opened(list[Client]):
    """Clients that are closed when the test ends."""

    def __call__(self, url: str | None = None, key: str | None = None, **rest: Any) -> Client:
        self.append(Client(url, key, **rest))
        return self[-1]


@pytest.fixture
def open_client() -> Iterator[_Opened]:
    """Return what opens clients."""
    opened = _Opened()
    yield opened
    for each in opened:
        each.close()


class Waits:
    """Sleeps no time and remembers how long it should have been; `now` is as much later."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.now = 5_000.0

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waited.append(seconds)
        self.now += seconds

    def timing(self, total_s: float = 60.0) -> Timing:
        """Return timing without chance whose sleep is this."""
        return Timing(total_s=total_s, sleep=self.sleep, draw=lambda: 1.0)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """Return what alone lets time pass: a machine that stands still for a second leaves as many tries as before."""
    waits = Waits()
    monkeypatch.setattr(time, "monotonic", lambda: waits.now)
    return waits


@pytest.mark.clause("CL-02")
@pytest.mark.parametrize("status", [DROP, 408, 425, 429, 502, 503, 504])
def test_a_safe_call_is_made_again(open_client: _Opened, status: int) -> None:
    """A broken connection, and each status that says so, is tried again with waits that double."""
    waits = Waits()
    with scripted((status, {}, {}), (status, {}, {}), OK) as script:
        found = open_client(script.url, TOKEN, timing=waits.timing()).rollout("rol_a")

    assert found["status"] == "active"
    assert len(script.asked) == 3
    assert waits.waited == [0.2, 0.4]


@pytest.mark.clause("CL-02")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 500, 501])
def test_what_another_try_would_not_change_is_not_tried_again(open_client: _Opened, status: int) -> None:
    """Every other refusal is raised at once."""
    with scripted((status, BUSY, {**PROBLEM, "status": status})) as script, pytest.raises(ProblemError) as raised:
        open_client(script.url, TOKEN, timing=Waits().timing()).rollout("rol_a")

    assert len(script.asked) == 1
    assert raised.value.status == status


@pytest.mark.clause("CL-02")
def test_a_call_that_changes_something_goes_again_by_the_same_key(open_client: _Opened) -> None:
    """The key is made once for a call; another call has another one."""
    with scripted((503, {}, {}), OK, OK) as script:
        client = open_client(script.url, TOKEN, timing=Waits().timing())
        client.pause("rol_a", "a reason")
        client.pause("rol_a", "a reason")

    first, again, other = (headers["idempotency-key"] for _, _, headers, _ in script.asked)
    assert first == again != other


@pytest.mark.clause("CL-02")
def test_the_wait_is_as_long_as_the_server_asks_and_is_bounded(open_client: _Opened) -> None:
    """`Retry-After` is waited for; where it is longer than there is time, the refusal is raised without a wait."""
    waits = Waits()
    answers = [(429, {"retry-after": "7"}, {}), (429, {**BUSY, "retry-after": "100"}, PROBLEM)]
    with scripted(*answers) as script, pytest.raises(ProblemError):
        open_client(script.url, TOKEN, timing=waits.timing()).rollout("rol_a")

    assert waits.waited == [7.0]


@pytest.mark.clause("CL-02")
def test_a_server_that_stays_away_is_given_up(open_client: _Opened, alone: Waits) -> None:
    """When the time is over the last failure is raised, with the address and advice."""
    with pytest.raises(UnreachableError) as raised:
        open_client(NOBODY, TOKEN, timing=alone.timing(total_s=0.3)).rollout("rol_a")

    assert "Connection refused" in str(raised.value)
    assert "LOCKGATE_URL" in raised.value.advice
    assert alone.waited


@pytest.mark.clause("CL-02")
def test_a_call_that_may_not_go_again_says_that_its_end_is_unknown(open_client: _Opened) -> None:
    """What was sent and got no answer is not sent again."""
    with scripted((DROP, {}, {}), OK) as script:
        client = open_client(script.url, TOKEN, timing=Waits().timing())
        with pytest.raises(TryAgainError):
            client._transport.call("POST", "/api/v1/anything", b"{}")

    assert len(script.asked) == 1


@pytest.mark.clause("CL-03")
def test_an_evaluation_that_rolled_back_is_an_answer(open_client: _Opened) -> None:
    """422 with a rollout is an answer; 422 of anybody else is a problem."""
    with scripted((422, {"idempotency-replayed": "true"}, ROLLOUT), (200, {}, ROLLOUT), (422, BUSY, PROBLEM)) as script:
        client = open_client(script.url, TOKEN, timing=Waits().timing())
        back, on = client.evaluate("rol_a"), client.evaluate("rol_a")
        with pytest.raises(ProblemError):
            client.evaluate("rol_a")

    assert (back.has_rolled_back, back.is_replayed, dict(back.rollout)) == (True, True, ROLLOUT)
    assert (on.has_rolled_back, on.is_replayed) == (False, False)


@pytest.mark.clause("CL-04")
def test_a_problem_has_the_fields_of_its_document(open_client: _Opened) -> None:
    """Type, status, title, detail and advice are there; what is no Lockgate says so."""
    with scripted((409, BUSY, PROBLEM), (418, {}, [])) as script:
        client = open_client(script.url, TOKEN, timing=Waits().timing())
        with pytest.raises(ProblemError) as raised:
            client.freeze("an app", "a reason")
        with pytest.raises(ProblemError, match="418 was answered, and not by Lockgate"):
            client.freeze("an app", "a reason")

    error = raised.value
    assert {name: getattr(error, name) for name in PROBLEM} == PROBLEM
    assert script.asked[0][1] == "/api/v1/apps/an%20app/freeze"


@pytest.mark.clause("CL-04")
def test_an_answer_that_is_no_document_is_told(open_client: _Opened) -> None:
    """A page of something else at that address is no answer."""
    with scripted((200, {}, "a page")) as script, pytest.raises(UnreachableError, match="no Lockgate"):
        open_client(script.url, TOKEN, timing=Waits().timing()).rollout("rol_a")


@pytest.mark.clause("CL-05")
def test_a_redirect_is_not_followed(open_client: _Opened) -> None:
    """The key goes to the address that was named and nowhere else."""
    with scripted(OK) as other, scripted((307, {"location": "x"}, {})) as script:
        script.answers[0][1]["location"] = other.url
        with pytest.raises(UnreachableError, match="no key is sent"):
            open_client(script.url, TOKEN, timing=Waits().timing()).rollout("rol_a")

    assert other.asked == []


@pytest.mark.clause("CL-05")
def test_proxies_of_the_environment_are_not_used(open_client: _Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call goes straight to the server."""
    with scripted(OK) as proxy, scripted(OK) as script:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        open_client(script.url, TOKEN, timing=Waits().timing()).rollout("rol_a")

    assert proxy.asked == []
    assert script.asked[0][2]["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.clause("CL-05")
@pytest.mark.parametrize("host", ["example.com", "127.evil.example", "10.0.0.1", "[2001:db8::1]"])
def test_a_key_does_not_travel_unencrypted(open_client: _Opened, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over plain HTTP it goes to this machine only, unless somebody says that the network is trusted."""
    monkeypatch.delenv("LOCKGATE_INSECURE", raising=False)
    with pytest.raises(UsageError, match="unencrypted") as raised:
        open_client(f"http://{host}", TOKEN)

    assert TOKEN not in str(raised.value)
    assert TOKEN not in repr(open_client(f"http://{host}", TOKEN, is_insecure=True))
    monkeypatch.setenv("LOCKGATE_INSECURE", "1")
    open_client(f"http://{host}", TOKEN)
    open_client(f"https://{host}", TOKEN, is_insecure=False)


@pytest.mark.clause("CL-05")
def test_no_failure_shows_the_key(open_client: _Opened) -> None:
    """Neither message nor trace of a problem, a refused connection or a wrong key holds it."""
    with scripted((401, BUSY, {**PROBLEM, "status": 401})) as script, pytest.raises(LockgateError) as refused:
        open_client(script.url, TOKEN, timing=Waits().timing()).rollout("rol_a")
    with pytest.raises(LockgateError) as away:
        open_client(NOBODY, TOKEN, timing=Waits().timing(total_s=0.1)).rollout("rol_a")
    with pytest.raises(UsageError) as wrong:
        open_client(NOBODY, f"{TOKEN}\r\nX-Other: 1")

    assert all(TOKEN not in f"{each.value!r} {each.value}" for each in (refused, away, wrong))


@pytest.mark.clause("CL-06")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:7300",
        "ftp://h",
        "http://",
        "http://h:99999",
        "http://u:p@h",
        "http://h/?a=1",
        "http://h/#x",
        "http://h /",
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(
    open_client: _Opened, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told before anything is sent, and not quoted, because it may hold a password."""
    monkeypatch.delenv("LOCKGATE_URL", raising=False)

    with pytest.raises(UsageError) as raised:
        open_client(url, TOKEN)

    assert "LOCKGATE_URL" in str(raised.value)
    assert "u:p" not in str(raised.value)


@pytest.mark.clause("CL-06")
def test_a_server_may_stand_below_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Address and key come from the environment, and a path of the address stands before every other."""
    with scripted(OK) as script:
        monkeypatch.setenv("LOCKGATE_URL", f"{script.url}/gate/")
        monkeypatch.setenv("LOCKGATE_API_KEY", f"{TOKEN}\n")
        with Client() as client:
            client.verdict("rol/../a")

    assert script.asked[0][1] == "/gate/api/v1/rollouts/rol%2F..%2Fa/verdict"


@pytest.mark.clause("CL-07")
def test_pages_are_fetched_as_they_are_needed(open_client: _Opened) -> None:
    """An iterator asks for the next page when the one before is used up."""
    pages: list[tuple[int, dict[str, str], Any]] = [
        (200, {}, {"rollouts": [{"id": "a"}, {"id": "b"}], "cursor": "b"}),
        (200, {}, {"rollouts": [{"id": "c"}], "cursor": None}),
    ]
    with scripted(*pages) as script:
        found = open_client(script.url, TOKEN).rollouts("an app", is_active=True)
        first = [next(found)["id"], next(found)["id"]]
        asked = len(script.asked)
        rest = [each["id"] for each in found]

    assert (first, asked, rest) == (["a", "b"], 1, ["c"])
    assert script.asked[1][1] == "/api/v1/rollouts?app_id=an+app&active=true&cursor=b"


@pytest.mark.clause("CL-08")
def test_the_client_needs_the_standard_library_only() -> None:
    """Importing it loads no other package, and no numpy."""
    code = (
        "import sys; import lockgate.client; "
        "print(sorted(n for n in {m.partition('.')[0] for m in sys.modules}"
        " if n not in sys.stdlib_module_names and n not in ('lockgate', '__main__') and not n.startswith('_')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"


@pytest.mark.clause("CL-02")
def test_a_call_may_wait_longer_for_a_server_that_is_away(open_client: _Opened, alone: Waits) -> None:
    """What one call says of that wins over what holds for all."""
    client = open_client(NOBODY, TOKEN, timing=alone.timing()._replace(away_s=0.0))

    with pytest.raises(UnreachableError):
        client._transport.call("GET", "/x", is_safe=True)
    none = list(alone.waited)
    with pytest.raises(UnreachableError):
        client._transport.call("GET", "/x", is_safe=True, timing=alone.timing()._replace(away_s=0.5))

    assert none == []
    assert len(alone.waited) > 1


@pytest.mark.clause("CL-61")
@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_that_finds_no_server_is_asked_as_long_as_a_server_may_be_away(
    open_client: _Opened, alone: Waits, status: int
) -> None:
    """And no longer, however long a call may take; the last try is made when that time is over."""
    with scripted((status, {}, "no server")) as script:
        client = open_client(script.url, TOKEN, timing=alone.timing()._replace(away_s=0.5))
        with pytest.raises(ProblemError):
            client.rollout("rol_a")

    assert len(script.asked) >= 3
    assert sum(alone.waited) == pytest.approx(0.45, abs=0.05)


@pytest.mark.clause("CL-62")
def test_a_store_that_goes_on_elsewhere_is_no_reason_to_try_again(open_client: _Opened) -> None:
    """It is raised at once."""
    left = {**PROBLEM, "status": 503, "type": "urn:lockgate:problem:store-left"}
    with scripted((503, BUSY, left), OK) as script, pytest.raises(ProblemError):
        open_client(script.url, TOKEN, timing=Waits().timing()).rollout("rol_a")

    assert len(script.asked) == 1


@pytest.mark.clause("CL-61")
def test_a_wait_for_a_server_is_told_once(open_client: _Opened, alone: Waits) -> None:
    """What is longer than a moment is told, with since when."""
    told: list[str] = []
    with scripted((503, {}, "no server")) as script:
        transport = open_client(script.url, TOKEN, timing=alone.timing())._transport
        transport.on_wait = told.append
        for _ in range(2):
            transport.call("GET", "/x", is_safe=True, timing=alone.timing()._replace(away_s=1.5))

    assert len(told) == 1
    assert "waiting for it" in told[0]
