# SPDX-License-Identifier: Apache-2.0
"""The tokens of a CI job come in; a real server exchanges them, by a real proxy that loses answers, and keys go out."""

from __future__ import annotations

import http.server
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from lockgate.adapters.issuers.fetching import Fetch
from lockgate.adapters.issuers.id_tokens import SignedIdTokens
from lockgate.adapters.issuers.key_sets import KeySets
from lockgate.client import Client
from lockgate.core.address import read_networks
from lockgate.core.instant import SECOND
from lockgate.core.permission import Permission
from lockgate.core.receipt import Actor
from lockgate.core.trust_rule import Provider
from lockgate.operations.access.trust import TrustOrder, create_rule
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.doors.line import Door
from tests.server.issuer import Issuer, answer, issuing, public_jwk
from tests.server.served import API, Served, problem, served

AUDIENCE = "https://lockgate.example.com"
TOKEN = f"{API}/oidc/token"
LIFE_S = 900


@dataclass
class Shop:
    """A server behind a proxy, and the GitLab that it trusts; `lost` are the exchanges whose answer the proxy keeps."""

    door: Served
    issuer: Issuer
    lost: set[int] = field(default_factory=set)
    exchanged: int = 0
    url: str = ""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def token(self) -> str:
        """Return a new token of a job."""
        now = self.door.world.clock.now() // SECOND
        claims = {"aud": AUDIENCE, "jti": f"token {next(self._numbers)}", "iat": now, "exp": now + 4 * LIFE_S}
        return self.issuer.token({**claims, "project_id": "74", "ref": "main", "ref_protected": "true", "sub": "web"})


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Return a server that trusts the jobs of one branch of one project."""
    here = World(sqlite_store(tmp_path / "home"), 1)
    with issuing(tmp_path) as issuer:
        issuer.publish(public_jwk(), path="/oauth/discovery/keys")
        order = TrustOrder(
            name="deploys of web",
            provider=Provider.GITLAB,
            audience=AUDIENCE,
            pins=(("project_id", "74"), ("ref", "main")),
            permissions=(Permission.MANAGE,),
            issuer=issuer.address,
            life_s=LIFE_S,
        )
        create_rule(order, Actor("person", "ann", "deploys of web"), here.house)
        fetch = Fetch(read_networks("127.0.0.0/8"), issuer.context)
        with served(here, id_tokens=SignedIdTokens(KeySets(fetch))) as door:
            made = Shop(door, issuer)
            with behind_proxy(made):
                yield made


@contextmanager
def behind_proxy(shop: Shop) -> Iterator[None]:
    """Pass calls on to the server, and lose the answers to some exchanges after the server gave them."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            sent = {name: self.headers[name] for name in ("content-type", "authorization") if name in self.headers}
            found = shop.door.http.post(self.path, content=body, headers=sent)
            if self.path == TOKEN:
                shop.exchanged += 1
                if shop.exchanged in shop.lost:
                    self.close_connection = True
                    return
            answer(self, found.status_code, found.content, **{"content-type": found.headers["content-type"]})

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        shop.url = f"http://127.0.0.1:{proxy.server_address[1]}"
        try:
            yield
        finally:
            proxy.shutdown()
            thread.join(10)


@pytest.fixture
def job(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Return the server to a job of three tokens."""
    for name in ("LOCKGATE_ID_TOKEN", "LOCKGATE_ID_TOKEN_2", "LOCKGATE_ID_TOKEN_3"):
        monkeypatch.setenv(name, shop.token())
    monkeypatch.setenv("LOCKGATE_URL", shop.url)
    return shop


@pytest.mark.clause("SV-941")
def test_a_token_that_was_exchanged_before_is_refused_as_that(shop: Shop) -> None:
    """By a type of its own, with what to do instead; of a stranger's token that is not said."""
    token = shop.token()
    first, again = (shop.door.http.post(TOKEN, json={"token": token}) for _ in range(2))

    assert first.status_code == 200, first.text
    assert problem(again) == (401, "token-used")
    assert "lockgate keys exchange" in again.json()["advice"]
    assert problem(shop.door.http.post(TOKEN, json={"token": "a.b.c"})) == (401, "token-refused")


@pytest.mark.clause("CL-87", "CL-86")
def test_a_job_whose_exchange_was_cut_off_gets_a_key_by_its_next_token(job: Shop) -> None:
    """The server did exchange it, so that it is used up; the call is made all the same."""
    job.lost = {1}
    with Client() as lockgate:
        made = lockgate.create("web", "v2", baseline="v1", mode="shadow")

    assert made["candidate"] == "v2"
    # Lost, refused as used, and the next one.
    assert job.exchanged == 3


@pytest.mark.clause("CL-88", "CL-86")
def test_a_job_that_outlives_its_key_goes_on_by_its_next_token(job: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """By each of the three in turn, and then it is told what to do."""
    key = job.door.http.post(TOKEN, json={"token": job.token()}).json()["token"]
    monkeypatch.setenv("LOCKGATE_API_KEY", key)
    tells = []
    for _ in range(5):
        with Client() as lockgate:
            try:
                tells.append(str(lockgate.create("web", "v2", baseline="v1", mode="shadow")["candidate"]))
            except Exception as error:  # noqa: BLE001 -- which one it is says the assertion
                tells.append(f"{type(error).__name__}: {error}")
        job.door.world.clock.advance(LIFE_S)

    assert tells[:4] == ["v2"] * 4
    assert tells[4].startswith("NotPermittedError: each token of this job has been exchanged")


@pytest.mark.clause("CL-85")
def test_a_job_exchanges_once_for_all_of_its_commands(
    job: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The key is on standard output alone, and opens what the rule allows; each command else would use a token up."""
    door = Door(capsys)
    codes = [door("keys", "exchange")]
    key, told = door.out.strip(), door.err
    monkeypatch.setenv("LOCKGATE_API_KEY", key)
    codes += [door("create", "--app-id", "web", "-b", "v1", "-c", "v2", "--quiet"), door("list"), door("list")]

    assert codes == [0] * 4, door.err
    assert job.exchanged == 1
    assert key.startswith("rvk_")
    assert key.rpartition("_")[0] in told
    assert key not in told
    opens = {"authorization": f"Bearer {key}"}
    assert httpx.get(f"{job.door.http.base_url}{API}/rollouts", headers=opens, timeout=30).is_success


@pytest.mark.clause("CL-85")
def test_an_exchange_without_a_token_or_server_says_what_to_declare(
    job: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """64 where there is nothing to exchange, 77 where all were exchanged, each with what to do and no key."""
    door, said = Door(capsys), []
    for _ in range(4):
        code = door("keys", "exchange", "--json")
        said.append((code, bool(door.out)))
    used = door.err
    monkeypatch.delenv("LOCKGATE_ID_TOKEN")
    codes, untold = [door("keys", "exchange")], door.err
    monkeypatch.delenv("LOCKGATE_URL")
    codes.append(door("keys", "exchange"))

    assert said == [(0, True)] * 3 + [(77, False)]
    assert "LOCKGATE_ID_TOKEN_2" in used
    assert codes == [64, 64]
    assert "id-token: write" in untold
    assert "id_tokens" in untold
    assert "LOCKGATE_URL" in door.err
    assert job.exchanged == 3 + 6
