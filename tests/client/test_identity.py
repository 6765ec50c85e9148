# SPDX-License-Identifier: Apache-2.0
"""The environments of jobs come in; keys that were got for their tokens go out, renewed in time."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from lockgate.client import Client
from lockgate.client.identity import MARGIN_S, GivenTokens, JobKeys, Say, job_keys, job_tokens
from lockgate.client.transport import ProblemError, Reply, Timing, Transport
from lockgate.errors import LockgateError, NotPermittedError, TryAgainError, UnreachableError, UsageError
from tests.client.scripted import scripted

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


class Exchange:
    """Gives keys of some life for tokens, after it was cut off as often as is said, and writes down for which."""

    def __init__(self, life_s: int, *errors: LockgateError) -> None:
        self.life_s = life_s
        self.errors = list(errors)
        self.tokens: list[str] = []

    def __call__(self, token: str, _timing: Timing, _say: Say | None) -> Reply:
        """Return the next key."""
        self.tokens.append(token)
        if self.errors:
            raise self.errors.pop(0)
        times = {"created_at": BEGUN.isoformat(), "expires_at": (BEGUN + timedelta(seconds=self.life_s)).isoformat()}
        return Reply(200, {}, json.dumps({**times, "token": f"key {len(self.tokens)}"}).encode())


class Numbered:
    """Gives tokens without end."""

    def __init__(self) -> None:
        self.made = 0

    def token(self) -> str:
        """Return the next one."""
        self.made += 1
        return f"token {self.made}"

    def drop(self) -> None:
        """Do nothing: each is given once."""


class Waits:
    """A clock that is moved by those who sleep."""

    def __init__(self) -> None:
        self.now = 5_000.0
        self.timing = Timing(total_s=90.0, away_s=3.0, sleep=self.sleep)

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


CUT_OFF = TryAgainError("the connection broke before the answer came")
Answer = tuple[int, dict[str, str], object]
ALL_USED = "each token of this job has been exchanged"
ENDED: Answer = (401, {}, {"type": "urn:lockgate:problem:key-expired", "status": 401, "detail": "it has ended"})


def problem(name: str, status: int) -> ProblemError:
    """Return a refusal of the server; without a name a proxy answers."""
    kind = f"urn:lockgate:problem:{name}" if name else ""
    return ProblemError(type=kind, status=status, title="", detail=name, advice="")


@pytest.mark.clause("CL-60")
@pytest.mark.parametrize(("life_s", "renewed_after"), [(900, 900 - MARGIN_S), (100, 75)])
def test_a_key_is_renewed_before_it_ends(life_s: int, renewed_after: float) -> None:
    """One key serves all calls until shortly before its end, whatever the job's clock says of the server's times."""
    clock, exchange = Waits(), Exchange(life_s)
    keys = JobKeys(Numbered(), exchange, clock)

    given = []
    for at in (0, 1, renewed_after - 1, renewed_after, renewed_after + 1):
        clock.now = 5_000.0 + at
        given.append(keys(clock.timing))

    assert given == ["key 1"] * 3 + ["key 2"] * 2
    assert exchange.tokens == ["token 1", "token 2"]


@pytest.mark.clause("CL-87")
@pytest.mark.parametrize("broken", [CUT_OFF, problem("", 502), problem("issuer-silent", 503), problem("", 429)])
def test_an_exchange_whose_answer_was_lost_is_made_again_by_another_token(broken: LockgateError) -> None:
    """Whether the first was done nobody knows; who waits is told once."""
    clock, exchange, told = Waits(), Exchange(900, broken, broken, broken), list[str]()

    key = JobKeys(Numbered(), exchange, clock)(clock.timing, told.append)

    assert (key, exchange.tokens) == ("key 4", [f"token {number}" for number in (1, 2, 3, 4)])
    assert [each.partition(":")[0] for each in told] == ["this job has no key yet, and asks again"]


@pytest.mark.clause("CL-87")
@pytest.mark.parametrize(
    ("broken", "away_s", "least", "most"),
    [
        (CUT_OFF, 3.0, 0, 3),
        (CUT_OFF, 600.0, 500, 600),
        (problem("", 503), 3.0, 0, 3),
        (problem("held", 503), 3.0, 5, 15),
    ],
)
def test_it_is_made_again_for_as_long_as_the_call_waits(
    broken: LockgateError, away_s: float, least: float, most: float
) -> None:
    """And then left as it failed."""
    clock, exchange = Waits(), Exchange(900, *[broken] * 100)

    with pytest.raises(type(broken)):
        JobKeys(Numbered(), exchange, clock)(clock.timing._replace(away_s=away_s))

    assert least <= clock.now - 5_000.0 <= most


@pytest.mark.clause("CL-87")
@pytest.mark.parametrize(
    "final",
    [problem("token-refused", 401), problem("store-left", 503), UnreachableError("no answer"), UsageError("no")],
)
def test_what_would_fail_again_is_not_made_again(final: LockgateError) -> None:
    """A refusal, a store that goes on elsewhere, and what was waited for already."""
    clock, exchange = Waits(), Exchange(900, final)

    with pytest.raises(type(final)):
        JobKeys(Numbered(), exchange, clock)(clock.timing)

    assert (exchange.tokens, clock.now) == (["token 1"], 5_000.0)


@pytest.mark.clause("CL-86")
def test_the_tokens_of_a_job_of_gitlab_are_exchanged_one_after_another() -> None:
    """One that was used before is passed over, one whose answer was lost is sent again, and without any it is told."""
    clock, exchange = Waits(), Exchange(900, problem("token-used", 401), CUT_OFF)
    given = {"LOCKGATE_ID_TOKEN": " one\n", "LOCKGATE_ID_TOKEN_2": "two", "LOCKGATE_ID_TOKEN_3": "three"}
    tokens = job_tokens(given | {"LOCKGATE_ID_TOKEN_5": "of something else"}, "https://lockgate.example.com")
    assert tokens is not None
    keys = JobKeys(tokens, exchange, clock)

    first = keys(clock.timing)
    clock.now += 900
    second = keys(clock.timing)
    clock.now += 900

    assert (first, second) == ("key 3", "key 4")
    assert exchange.tokens == ["one", "two", "two", "three"]
    with pytest.raises(NotPermittedError, match=ALL_USED) as refused:
        keys(clock.timing)
    assert "lockgate keys exchange" in refused.value.advice


@pytest.mark.clause("CL-86")
def test_tokens_that_are_all_used_are_not_asked_for_without_end() -> None:
    """Whoever hands out nothing else is given up on."""
    clock, exchange = Waits(), Exchange(900, *[problem("token-used", 401)] * 1_000)

    with pytest.raises(ProblemError, match="token-used"):
        JobKeys(Numbered(), exchange, clock)(clock.timing)

    assert len(exchange.tokens) <= 101


@pytest.mark.clause("CL-87")
@pytest.mark.parametrize(("answers", "asked"), [([500, 200], 2), ([0, 200], 2), ([403, 200], 1)])
def test_github_is_asked_again_for_a_token_where_it_may_have_one(answers: list[int], asked: int) -> None:
    """An outage is waited for; that the job may have none is told at once."""
    clock, told = Waits(), {"value": "a.b.c"}
    with scripted(*[(status, {}, told) for status in answers]) as github:
        given = {"ACTIONS_ID_TOKEN_REQUEST_URL": github.url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of the runner"}
        tokens = job_tokens(given, "https://lockgate.example.com")
        assert tokens is not None
        keys, got = JobKeys(tokens, Exchange(900), clock), ""
        with suppress(UnreachableError):
            got = keys(clock.timing)

    assert (len(github.asked), got) == (asked, "key 1" if asked == 2 else "")
    assert github.asked[0][1] == "/?audience=https%3A%2F%2Flockgate.example.com"


@pytest.mark.clause("CL-88")
def test_tokens_follow_a_key_that_was_named_and_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The call is made again by the next key; only where the job gets none it is told that the named one has ended."""
    monkeypatch.setenv("LOCKGATE_ID_TOKEN", "a.b.c")
    monkeypatch.setenv("LOCKGATE_API_KEY", "rvk_named")
    times = {"created_at": BEGUN.isoformat(), "expires_at": (BEGUN + timedelta(seconds=900)).isoformat()}
    refused: Answer = (401, {}, {"type": "urn:lockgate:problem:token-refused", "status": 401, "detail": "a stranger"})
    made: Answer = (200, {}, {**times, "token": "rvk_made"})

    with scripted(ENDED, made, (200, {}, {"id": "rol_1"})) as server, Client(server.url) as client:
        found = client.rollout("rol_1")
    with scripted(ENDED, refused) as other, Client(other.url) as client, pytest.raises(ProblemError, match="has ended"):
        client.rollout("rol_1")

    assert found["id"] == "rol_1"
    assert [headers.get("authorization") for _, _, headers, _ in server.asked] == [
        "Bearer rvk_named",
        None,
        "Bearer rvk_made",
    ]


@pytest.mark.clause("CL-89")
def test_tokens_follow_a_named_key_for_each_call_that_sent_it() -> None:
    """A call that another one overtakes meets the end of the key as well, and is made again as well."""
    away: Answer = (503, {}, {})

    def overtaken(_seconds: float) -> None:
        assert transport.call("GET", "/second", is_safe=True).status == 200

    with scripted(away, ENDED, (200, {}, {}), ENDED, (200, {}, {})) as server:
        transport = Transport(server.url, "rvk_named", Timing(sleep=overtaken), keys=lambda _timing, _say: "rvk_next")
        first = transport.call("GET", "/first", is_safe=True)
        transport.close()

    assert first.status == 200
    assert [(path, headers["authorization"]) for _, path, headers, _ in server.asked] == [
        ("/first", "Bearer rvk_named"),
        ("/second", "Bearer rvk_named"),
        ("/second", "Bearer rvk_next"),
        ("/first", "Bearer rvk_named"),
        ("/first", "Bearer rvk_next"),
    ]


@pytest.mark.clause("CL-90")
def test_the_key_that_follows_a_named_one_is_waited_for_within_the_time_of_the_call() -> None:
    """What the first try took is gone."""
    bounds = list[Timing]()

    def key(timing: Timing, _say: Say) -> str:
        bounds.append(timing)
        return "rvk_next"

    with scripted(ENDED, (200, {}, {})) as server:
        transport = Transport(server.url, "rvk_named", Timing(total_s=20.0, away_s=60.0), keys=key)
        transport.call("GET", "/")
        transport.close()

    [given] = bounds
    assert 0 < given.total_s < 20
    assert given.away_s == given.total_s


@pytest.mark.clause("CL-90")
@pytest.mark.parametrize("github_status", [500, 200])
def test_no_issuer_is_waited_for_longer_than_the_call_may_take(github_status: int) -> None:
    """Neither GitHub nor the server that asks for its public keys."""
    clock, told = Waits(), {"value": "a.b.c"}
    silent = [problem("issuer-silent", 503)] * 100
    with scripted((github_status, {}, told)) as github:
        given = {"ACTIONS_ID_TOKEN_REQUEST_URL": github.url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of the runner"}
        tokens = job_tokens(given, "https://lockgate.example.com")
        assert tokens is not None
        with pytest.raises(LockgateError):
            JobKeys(tokens, Exchange(900, *silent), clock)(clock.timing._replace(total_s=4.0))

    assert clock.now - 5_000.0 <= 4.0


@pytest.mark.clause("CL-91")
@pytest.mark.parametrize("failing", [None, UnreachableError("no answer"), problem("issuer-silent", 503)])
def test_a_key_without_another_is_used_until_its_end(failing: LockgateError | None) -> None:
    """The last token may be spent, or nobody may answer, when it is renewed."""
    clock, exchange = Waits(), Exchange(900)
    keys = JobKeys(GivenTokens(["one", "two"] if failing else ["one"]), exchange, clock)
    first = keys(clock.timing)
    exchange.errors = [failing] * 100 if failing else []

    clock.now = 5_000.0 + 845
    late = keys(clock.timing)
    clock.now = 5_000.0 + 900
    with pytest.raises(type(failing) if failing else NotPermittedError):
        keys(clock.timing)

    assert (first, late) == ("key 1", "key 1")


@pytest.mark.clause("CL-92")
@pytest.mark.parametrize("is_example", [True, False])
def test_tokens_last_for_as_long_as_the_page_says(*, is_example: bool) -> None:
    """The first is exchanged for all commands; a `watch` has the others, as many as are declared, after that."""
    page = (ROOT / "docs" / "howto" / "oidc.md").read_text()
    said = re.search(r"the example above has (\d+) minutes, \[`gitlab-rollout\.yml`\]\S+ (\d+)\.", page)
    block = re.search(r"# \.gitlab-ci\.yml\n(.+?)```", page, re.DOTALL)
    assert said is not None
    assert block is not None
    example = (ROOT / "examples" / "ci" / "gitlab-rollout.yml").read_text()
    [job] = yaml.safe_load(example if is_example else block[1]).values()
    clock = Waits()
    tokens = job_tokens(dict.fromkeys(job["id_tokens"], "a.b.c"), "https://lockgate.example.com")
    assert tokens is not None
    tokens.drop()
    keys, minutes = JobKeys(tokens, Exchange(900), clock), 15

    with suppress(NotPermittedError):
        while minutes < 1_000:
            clock.now = 5_000.0 + 60 * minutes
            keys(clock.timing)
            minutes += 1

    assert minutes == int(said[2 if is_example else 1])
    assert minutes >= 14 * len(job["id_tokens"])


@pytest.mark.clause("CL-93")
def test_each_command_that_begins_without_a_key_exchanges_a_token_of_its_own() -> None:
    """What the one before it got is lost with it, and its token is passed over."""
    clock, exchange = Waits(), Exchange(900)
    given = {"LOCKGATE_ID_TOKEN": "one", "LOCKGATE_ID_TOKEN_2": "two"}
    commands = [job_tokens(given, "https://lockgate.example.com") for _ in range(3)]
    found = []

    for used, tokens in enumerate(commands):
        assert tokens is not None
        exchange.errors = [problem("token-used", 401)] * used
        with suppress(NotPermittedError):
            found.append(JobKeys(tokens, exchange, clock)(clock.timing))

    assert (found, exchange.tokens) == (["key 1", "key 3"], ["one", "one", "two", "one", "two"])


@pytest.mark.clause("CL-60")
@pytest.mark.parametrize("environment", [{}, {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x"}, {"LOCKGATE_ID_TOKEN": ""}])
def test_what_is_no_job_gets_no_key(environment: dict[str, str]) -> None:
    """Without a token there is nothing to exchange."""
    assert job_keys(environment, "https://lockgate.example.com", is_insecure=False) is None


@pytest.mark.clause("CL-60")
def test_the_token_of_a_job_does_not_travel_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a secret as a key is: to another machine it goes by https, and nothing is sent otherwise."""
    monkeypatch.setenv("LOCKGATE_ID_TOKEN", "a.b.c")

    with pytest.raises(UsageError, match="travel unencrypted"):
        Client("http://lockgate.example.com:7300").rollout("rol_1")


@pytest.mark.clause("CL-60")
def test_a_key_that_is_named_is_used_and_no_token_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the owner of a job set comes first."""
    monkeypatch.setenv("LOCKGATE_ID_TOKEN", "a.b.c")
    monkeypatch.setenv("LOCKGATE_API_KEY", "rvk_named")

    with pytest.raises(UsageError, match="travel unencrypted"):
        Client("http://lockgate.example.com:7300")
