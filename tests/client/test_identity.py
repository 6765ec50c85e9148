# SPDX-License-Identifier: Apache-2.0
"""The environments of jobs come in; keys that were got for their tokens go out, renewed in time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lockgate.client import Client
from lockgate.client.identity import MARGIN_S, JobKeys, job_keys, job_token
from lockgate.client.transport import Reply, Timing
from lockgate.errors import NotPermittedError, UsageError

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


class Exchange:
    """Gives keys of some life for tokens, and writes down for which."""

    def __init__(self, life_s: int) -> None:
        self.life_s = life_s
        self.tokens: list[str] = []

    def __call__(self, token: str) -> Reply:
        """Return the next key."""
        self.tokens.append(token)
        times = {"created_at": BEGUN.isoformat(), "expires_at": (BEGUN + timedelta(seconds=self.life_s)).isoformat()}
        return Reply(200, {}, json.dumps({**times, "token": f"key {len(self.tokens)}"}).encode())


def numbered() -> Iterator[str]:
    """Yield tokens without end."""
    number = 0
    while True:
        number += 1
        yield f"token {number}"


@pytest.mark.clause("CL-60")
@pytest.mark.parametrize(("life_s", "renewed_after"), [(900, 900 - MARGIN_S), (100, 75)])
def test_a_key_is_renewed_before_it_ends(life_s: int, renewed_after: float) -> None:
    """One key serves all calls until shortly before its end, whatever the job's clock says of the server's times."""
    now, tokens, exchange = [5_000.0], numbered(), Exchange(life_s)
    keys = JobKeys(lambda: next(tokens), exchange, lambda: now[0])

    given = []
    for at in (0, 1, renewed_after - 1, renewed_after, renewed_after + 1):
        now[0] = 5_000.0 + at
        given.append(keys())

    assert given == ["key 1"] * 3 + ["key 2"] * 2
    assert exchange.tokens == ["token 1", "token 2"]


@pytest.mark.clause("CL-60")
def test_a_token_that_was_given_once_is_exchanged_once() -> None:
    """A job of GitLab that outlives its key is told what to do instead."""
    give = job_token({"LOCKGATE_ID_TOKEN": " one\n"}, "https://lockgate.example.com")
    assert give is not None

    first = give()

    assert first == "one"
    with pytest.raises(NotPermittedError, match="good for one key"):
        give()


@pytest.mark.clause("CL-60")
@pytest.mark.parametrize("environment", [{}, {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x"}, {"LOCKGATE_ID_TOKEN": ""}])
def test_what_is_no_job_gets_no_key(environment: dict[str, str]) -> None:
    """Without a token there is nothing to exchange."""
    assert job_keys(environment, "https://lockgate.example.com", Timing(), is_insecure=False) is None


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
