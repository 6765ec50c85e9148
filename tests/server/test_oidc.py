# SPDX-License-Identifier: Apache-2.0
"""Tokens of CI jobs come in; those that a trust rule means get a key for some minutes, and no other one does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from lockgate.adapters.issuers.fetching import Fetch
from lockgate.adapters.issuers.id_tokens import MAX_TOKEN, SignedIdTokens
from lockgate.adapters.issuers.key_sets import REFRESH_S, KeySets
from lockgate.core.address import read_networks
from lockgate.core.id_token import SKEW
from lockgate.core.instant import SECOND
from lockgate.core.permission import Permission
from lockgate.core.receipt import Actor
from lockgate.core.trust_rule import SAFE_EVENTS, Provider, TrustRule
from lockgate.operations.access.trust import TrustOrder, create_rule, delete_rule
from lockgate.operations.soundness.fsck import fsck
from lockgate.server.limits import Limits, Rates
from lockgate.server.rates import Rate
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.server.issuer import Issuer, answer, drip, issuing, private_key, public_jwk
from tests.server.served import API, Caller, Served, problem, served
from tests.spec.line import APP, created, predicate

TOKEN = f"{API}/oidc/token"
AUDIENCE = "https://lockgate.example.com"
ANN = Actor("person", "ann", "deploys of web")
PINS = (("repository_id", "74"), ("repository_owner_id", "65"), ("ref", "refs/heads/main"))
SKEW_S = SKEW // SECOND


@dataclass
class Seconds:
    """A clock of key sets, moved by hand, and how long an issuer is waited for, whose machine may stand still."""

    now: float = 1_000.0
    patience_s: float = 60.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@dataclass
class Shop:
    """A server, the issuer that it trusts, and the rule by which it does."""

    door: Served
    issuer: Issuer
    seconds: Seconds
    rule: TrustRule

    def claims(self, **other: object) -> dict[str, Any]:
        """Return what a token of GitHub claims, with a new id each time unless it is named."""
        now = self.door.world.clock.now() // SECOND
        self.made = getattr(self, "made", 0) + 1
        claims = {
            "aud": AUDIENCE,
            "jti": f"token {self.made}",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "sub": "repo:acme/web:ref:refs/heads/main",
            "repository": "acme/web",
            "repository_id": "74",
            "repository_owner_id": "65",
            "ref": "refs/heads/main",
            "event_name": "push",
            "run_id": "9001",
            "sha": "ab" * 20,
        }
        return {name: value for name, value in {**claims, **other}.items() if value is not None}

    def send(self, token: str, **other: object) -> httpx.Response:
        """Send a token."""
        return self.door.http.post(TOKEN, json={"token": token, **other})

    def ask(self, **other: object) -> httpx.Response:
        """Send a right token, but for some claims."""
        return self.send(self.issuer.token(self.claims(**other)))


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    """Return an issuer with a certificate of its own."""
    with issuing(tmp_path_factory.mktemp("issuer")) as opened:
        yield opened


def order(issuer: Issuer, **other: Any) -> TrustOrder:
    """Return a rule for a repository's main branch."""
    plain = TrustOrder(
        name="deploys of web",
        provider=Provider.GITHUB,
        audience=AUDIENCE,
        pins=PINS,
        permissions=(Permission.MANAGE, Permission.OVERRIDE),
        apps=(APP,),
        issuer=issuer.address,
    )
    return replace(plain, **other)


@pytest.fixture
def shop(issuer: Issuer, tmp_path: Path) -> Iterator[Shop]:
    """Return a server that trusts the jobs of one branch of one repository."""
    here, seconds = World(sqlite_store(tmp_path), 1), Seconds()
    issuer.documents.clear()
    issuer.publish(public_jwk())
    issuer.asked.clear()
    rule, near = create_rule(order(issuer), ANN, here.house), read_networks("127.0.0.0/8")
    keys = KeySets(lambda url: Fetch(near, issuer.context, seconds.patience_s)(url), seconds)  # noqa: PLW0108 -- as patient as it is then
    with served(here, id_tokens=SignedIdTokens(keys)) as door:
        yield Shop(door, issuer, seconds, rule)


@pytest.mark.clause("SV-66")
def test_a_job_gets_a_key_by_its_token_and_no_longer_than_allowed(shop: Shop) -> None:
    """For what the rule allows, at most 15 minutes; the keys of the issuer are fetched once for many tokens."""
    answers = [shop.ask() for _ in range(3)]
    key = answers[0].json()
    job = Caller(shop.door.http, key["token"])
    may, may_not = job.get(f"{API}/rollouts").status_code, problem(job.get(f"{API}/rollouts/rol_x/receipts"))
    shop.door.world.clock.advance(15 * 60)
    late = job.get(f"{API}/rollouts")

    assert [each.status_code for each in answers] == [200] * 3, answers[0].text
    assert (key["rule"], key["apps"], key["permissions"]) == (
        shop.rule.id,
        [APP],
        ["rollout.manage", "rollout.override"],
    )
    assert answers[0].headers["cache-control"] == "no-store"
    assert (may, may_not) == (200, (403, "permission-missing"))
    assert problem(late) == (401, "key-expired")
    assert shop.issuer.asked == ["/.well-known/jwks"]


@pytest.mark.clause("SV-68")
def test_receipts_name_the_job_in_everything_that_its_key_does(shop: Shop) -> None:
    """A create, a turn, and a step in: which repository, run and commit; and the store is sound with it."""
    job = Caller(shop.door.http, shop.ask().json()["token"])
    order = {"app_id": APP, "baseline": "v36", "candidate": "abc123", "mode": "shadow"}
    name = job.post(f"{API}/rollouts", order).json()["id"]
    assert job.post(f"{API}/rollouts/{name}/evaluate").status_code == 200
    assert job.post(f"{API}/rollouts/evaluate").status_code == 200
    assert job.post(f"{API}/rollouts/{name}/pause", {"reason": "look"}).status_code == 200
    assert job.post(f"{API}/apps/{APP}/freeze", {"reason": "stop"}).status_code == 200
    with shop.door.world.house.store.reading() as seen:
        log = [receipt for receipt in (seen.receipts(name)) if receipt.seq]
    actors = [predicate(each)["actor"] for each in log]

    assert [each["type"] for each in actors] == ["job", "tick", "tick", "job"]
    for each in actors:
        assert each["name"].startswith("deploys of web (rvk_")
        assert each["claims"] == {
            "sub": "repo:acme/web:ref:refs/heads/main",
            "repository_id": "74",
            "run_id": "9001",
            "sha": "ab" * 20,
        }
    assert fsck(shop.door.world.house).flaws == ()


@pytest.mark.clause("SV-223")
def test_a_job_that_renews_its_key_is_the_same_caller(shop: Shop) -> None:
    """What it asked for by one idempotency key is done once; another run of the same workflow is another caller."""
    order = {"app_id": APP, "baseline": "v36", "candidate": "abc123", "mode": "shadow"}
    jobs = [Caller(shop.door.http, shop.ask(run_id=run).json()["token"]) for run in ("9001", "9001", "9002")]

    answers = [each.post(f"{API}/rollouts", order, idempotency_key="deploy") for each in jobs]

    assert [each.status_code for each in answers] == [201, 201, 200]
    assert ["idempotency-replayed" in each.headers for each in answers] == [False, True, False]


WRONG_CLAIMS: dict[str, dict[str, object]] = {
    "another audience": {"aud": "https://other.example.com"},
    "two audiences": {"aud": [AUDIENCE, "https://other.example.com"]},
    "no audience": {"aud": None},
    "an audience that is part of ours": {"aud": AUDIENCE[:-1]},
    "an audience with a slash": {"aud": AUDIENCE + "/"},
    "expired": {"exp": 1_790_000_000 - SKEW_S},
    "an end without end": {"exp": 2**60},
    "no end": {"exp": None},
    "an end that is text": {"exp": "1790000300"},
    "an end that is true": {"exp": True},
    "a day long": {"exp": 1_790_000_000 + 86_400},
    "not yet": {"nbf": 1_790_000_000 + SKEW_S + 1},
    "made in the future": {"iat": 1_790_000_000 + SKEW_S + 1, "nbf": None},
    "no beginning": {"iat": None},
    "no id": {"jti": None},
    "an empty id": {"jti": ""},
    "another repository of the same name": {"repository_id": "75"},
    "another owner": {"repository_owner_id": "66"},
    "a number for a text": {"repository_id": 74},
    "no repository": {"repository_id": None},
    "a list of repositories": {"repository_id": ["74"]},
    "another branch": {"ref": "refs/heads/main2"},
    "a tag of that name": {"ref": "refs/tags/main"},
    "a branch that looks alike": {"ref": "refs/heads/m\u0430in"},
    "digits that look alike": {"repository_id": "7\uff14"},
    "a blank at the end": {"ref": "refs/heads/main "},
    "no event": {"event_name": None},
    "another issuer": {"iss": "https://token.actions.githubusercontent.com"},
    "no issuer": {"iss": None},
    "an issuer with a slash": {"iss": "https://127.0.0.1/"},
}


@pytest.mark.clause("SV-66")
@pytest.mark.parametrize("wrong", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
def test_a_token_with_a_claim_that_is_not_as_pinned_opens_nothing(shop: Shop, wrong: dict[str, object]) -> None:
    """It is well signed, and 401 all the same; no key is made, and nothing of the rule is told."""
    claims = {name: value for name, value in shop.claims(**wrong).items() if value is not None}
    said = {"iss": shop.issuer.address, **claims} if "iss" not in wrong else claims
    token = jwt.encode(said, private_key(), "RS256", headers={"kid": "one"})
    answered = shop.send(token)

    assert problem(answered) == (401, "token-refused"), answered.text
    assert "refs/heads/main" not in answered.text
    with shop.door.world.house.store.reading() as seen:
        assert seen.api_keys() == ()


@pytest.mark.clause("SV-226")
def test_a_list_of_keys_says_which_are_of_jobs(shop: Shop) -> None:
    """By which rule and for which run; of every other key there is neither."""
    admin = shop.door.caller("admin")
    shop.ask()
    listed = admin.get(f"{API}/api-keys").json()["keys"]
    shown = admin.post(f"{API}/screens/keys-list").json()["out"]

    assert [(each["rule"], each["claims"].get("run_id")) for each in listed] == [(None, None), (shop.rule.id, "9001")]
    assert all(each in shown for each in (f"job by {shop.rule.id}: ", "run_id=9001"))


SET_OFF_BY_STRANGERS = (
    *("issue_comment", "issues", "discussion", "discussion_comment", "pull_request_review_comment", "fork", "watch"),
    *("pull_request", "pull_request_target", "pull_request_review", "workflow_run", "dance", "Push", "push ", ""),
)


@pytest.mark.clause("SV-220")
def test_a_job_that_strangers_may_have_set_off_opens_nothing(shop: Shop) -> None:
    """On the very branch that the rule means; only where the rule names the event it does."""
    strange = [problem(shop.ask(event_name=event)) for event in SET_OFF_BY_STRANGERS]
    safe = [shop.ask(event_name=event).status_code for event in SAFE_EVENTS]
    create_rule(order(shop.issuer, events=("issue_comment",), name="chat"), ANN, shop.door.world.house)
    named = shop.ask(event_name="issue_comment")

    assert set(strange) == {(401, "token-refused")}
    assert safe == [200] * len(SAFE_EVENTS)
    assert named.status_code == 200, named.text
    assert problem(shop.ask(event_name="issues")) == (401, "token-refused")


@pytest.mark.clause("SV-221")
def test_a_stranger_learns_of_no_rule(shop: Shop) -> None:
    """Whoever signed nothing, signed it wrongly, or signed it elsewhere is told the same wherever it knocks."""
    make = shop.issuer.token
    tokens = {
        "of nobody": jwt.encode(shop.claims(iss="https://nobody.example"), private_key(), "RS256", {"kid": "one"}),
        "by an unknown key": make(shop.claims(), kid="two"),
        "by another key": make(shop.claims(), number=1),
        "of another repository": make(shop.claims(repository_id="75")),
        "of another one, and late": make(shop.claims(repository_id="75", exp=1)),
        "of another one, for two": make(shop.claims(repository_id="75", aud=[AUDIENCE, "https://b.example"])),
        "for another": make(shop.claims(aud="https://b.example")),
    }
    said = {(name, org): shop.send(token, org=org) for name, token in tokens.items() for org in ("default", "nope")}

    assert {each.content for each in said.values()} == {said["of nobody", "nope"].content}
    assert problem(said["of nobody", "nope"]) == (401, "token-refused")


@pytest.mark.clause("SV-221")
def test_who_makes_an_issuer_be_asked_in_vain_is_slowed_down(shop: Shop) -> None:
    """As whoever shows no key is: 403 and 503 count as 401 does."""
    limits, tokens = Limits(Rates(failures=Rate(1.0, 5.0)), lambda: 0.0), SignedIdTokens(KeySets(Fetch()))
    with served(shop.door.world, id_tokens=tokens, limits=limits) as door:
        codes = [door.http.post(TOKEN, json={"token": shop.issuer.token(shop.claims())}).status_code for _ in "1234567"]

    assert codes == [403] * 5 + [429] * 2


def _part(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def _by_hand(shop: Shop, header: dict[str, object]) -> str:
    """Return a token with any header, signed by HMAC with the public key, as a confused verifier would accept."""
    signed = f"{_part(header)}.{_part({'iss': shop.issuer.address, **shop.claims()})}"
    public = private_key().public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = public.public_bytes(serialization.Encoding.PEM, form)
    mac = hmac.digest(pem, signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.clause("SV-66")
def test_a_token_that_nobody_signed_opens_nothing(shop: Shop) -> None:
    """No algorithm, another one, another key, a key of the token's own, other bytes, and what is no token at all."""
    good = shop.issuer.token(shop.claims())
    head, body, signature = good.split(".")
    flipped = signature[:-4] + ("A" if signature[-4] != "A" else "B") + signature[-3:]
    own = {"alg": "RS256", "kid": "one", "jwk": public_jwk("one", 1), "jku": "https://evil.example/keys"}
    forged = {
        "no algorithm": f"{_part({'alg': 'none', 'kid': 'one'})}.{body}.",
        "no algorithm, otherwise written": f"{_part({'alg': 'nOnE', 'kid': 'one'})}.{body}.{signature}",
        "the public key as a secret": _by_hand(shop, {"alg": "HS256", "kid": "one"}),
        "a secret under the right name": _by_hand(shop, {"alg": "RS256", "kid": "one"}),
        "another hash": jwt.encode(
            shop.claims(iss=shop.issuer.address), private_key(), "RS512", headers={"kid": "one"}
        ),
        "another padding": jwt.encode(
            shop.claims(iss=shop.issuer.address), private_key(), "PS256", headers={"kid": "one"}
        ),
        "another key": shop.issuer.token(shop.claims(), number=1),
        "a key of its own": jwt.encode(shop.claims(iss=shop.issuer.address), private_key(1), "RS256", headers=own),
        "a key that nobody has": shop.issuer.token(shop.claims(), kid="two"),
        "no key": jwt.encode(shop.claims(iss=shop.issuer.address), private_key(), "RS256"),
        "a critical header": shop.issuer.token(shop.claims(), crit=["b64"], b64=False),
        "other bytes": f"{head}.{body}.{flipped}",
        "another body": f"{head}.{_part({'iss': shop.issuer.address, **shop.claims()})}.{signature}",
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "five parts": f"{good}.x.y",
        "nothing": "",
        "no token": "rvk_x",
        "no ASCII": good + "\u00e9",
        "a blank": f" {good}",
        "no object": f"{head}.{_part([1])}.{signature}",
        "a depth without end": f"{head}.{base64.urlsafe_b64encode(b'[' * 9_000).decode()}.{signature}",
        "an oversized one": good + "A" * MAX_TOKEN,
    }

    found = {name: problem(shop.send(token)) for name, token in forged.items()}

    assert found == dict.fromkeys(forged, (401, "token-refused"))
    assert shop.send(good).status_code == 200


@pytest.mark.clause("SV-66")
def test_a_token_is_used_once(shop: Shop) -> None:
    """Sent again, also much later and in another signature of the same id, it opens nothing; another one does."""
    claims = shop.claims()
    first = shop.send(shop.issuer.token(claims))
    again = [shop.send(shop.issuer.token(claims, typ=each)) for each in ("JWT", "at+jwt")]
    shop.door.world.clock.advance(300 + SKEW_S - 1)
    late = shop.send(shop.issuer.token(claims))

    assert first.status_code == 200
    assert [problem(each) for each in (*again, late)] == [(401, "token-used")] * 3
    assert "before" in late.json()["detail"]
    assert shop.ask().status_code == 200


@pytest.mark.clause("SV-66")
def test_clocks_may_differ_by_a_minute(shop: Shop) -> None:
    """In both directions, and by no second more."""
    now = shop.door.world.clock.now() // SECOND
    early = [shop.ask(iat=now + each, nbf=now + each).status_code for each in (SKEW_S, SKEW_S + 1)]
    late = [shop.ask(iat=now - 300, nbf=None, exp=now - each).status_code for each in (SKEW_S - 1, SKEW_S)]

    assert (early, late) == ([200, 401], [200, 401])


@pytest.mark.clause("SV-67")
def test_a_new_key_of_the_issuer_is_found_and_strangers_cannot_make_it_asked_often(shop: Shop) -> None:
    """An unknown key id asks the issuer at most every half a minute."""
    first = shop.ask().status_code
    shop.issuer.publish(public_jwk(), public_jwk("two", 1))
    early = [shop.send(shop.issuer.token(shop.claims(), kid=f"x{n}", number=1)).status_code for n in range(5)]
    shop.seconds.now += REFRESH_S
    late = shop.send(shop.issuer.token(shop.claims(), kid="two", number=1)).status_code
    beside = shop.ask().status_code

    assert (first, early, late, beside) == (200, [401] * 5, 200, 200)
    assert len(shop.issuer.asked) == 2


@pytest.mark.clause("SV-67")
@pytest.mark.parametrize("kind", ["huge", "slow", "redirect", "gone", "no JSON", "no set", "short"])
def test_an_issuer_that_does_not_tell_its_keys_keeps_nobody(shop: Shop, kind: str) -> None:
    """Nothing is followed, held or waited for; it is 503, and half a minute later the right answer is taken."""
    evil = json.dumps({"keys": [public_jwk()]}).encode()
    shop.issuer.documents = {
        "/.well-known/jwks": {
            "huge": lambda handler: answer(handler, 200, b" " * (1 << 20) + evil),
            "slow": drip,
            "redirect": lambda handler: answer(handler, 302, b"", location="/evil"),
            "gone": lambda handler: answer(handler, 500, b""),
            "no JSON": lambda handler: answer(handler, 200, b"<html>"),
            "no set": lambda handler: answer(handler, 200, b'{"keys": {"one": 1}}'),
            "short": lambda handler: answer(handler, 200, b"[]"),
        }[kind],
        "/evil": lambda handler: answer(handler, 200, evil),
    }
    shop.seconds.patience_s = 0.5 if kind == "slow" else 60.0
    failed, soon = shop.ask(), shop.ask()
    shop.issuer.publish(public_jwk())
    shop.seconds.patience_s, shop.seconds.now = 60.0, shop.seconds.now + REFRESH_S
    mended = shop.ask()

    assert problem(failed) == problem(soon) == (503, "issuer-silent")
    assert "disk" not in failed.text
    assert shop.issuer.asked == ["/.well-known/jwks"] * 2
    assert mended.status_code == 200, mended.text


@pytest.mark.clause("SV-67")
def test_a_key_that_is_too_weak_or_for_something_else_signs_nothing(shop: Shop) -> None:
    """Short ones, those for encryption or another algorithm, and secrets."""
    secret = {"kty": "oct", "kid": "one", "k": "AAAA", "alg": "HS256"}
    weak = {**public_jwk(), "n": base64.urlsafe_b64encode((2**1023 + 1).to_bytes(128, "big")).rstrip(b"=").decode()}
    for keys in ([public_jwk(use="enc")], [public_jwk(alg="RS512")], [secret], [weak], [{"kid": "one"}], []):
        shop.issuer.publish(*keys)
        shop.seconds.now += 3_600

        assert problem(shop.ask()) == (401, "token-refused")


@pytest.mark.clause("SV-67")
def test_an_issuer_at_an_address_that_may_not_be_called_is_not(shop: Shop) -> None:
    """Unless its network is named; nor is one whose certificate nobody vouches for."""
    url = f"{shop.issuer.address}/.well-known/jwks"
    fetches = (Fetch((), shop.issuer.context), Fetch(read_networks("127.0.0.1")))
    for each, said in zip(fetches, ((403, "issuer-not-allowed"), (503, "issuer-silent")), strict=True):
        with served(shop.door.world, id_tokens=SignedIdTokens(KeySets(each))) as door:
            answered = door.http.post(TOKEN, json={"token": shop.issuer.token(shop.claims())})

        assert problem(answered) == said, url
    assert shop.issuer.asked == []


@pytest.mark.clause("SV-69")
def test_a_rule_that_is_taken_back_ends_the_keys_that_came_by_it(shop: Shop) -> None:
    """At once; both changes are receipts of the organisation's own series, and the store is sound with them."""
    house = shop.door.world.house
    job = Caller(shop.door.http, shop.ask().json()["token"])
    before = job.get(f"{API}/rollouts").status_code
    delete_rule(shop.rule.id, ANN, house)

    assert before == 200
    assert problem(job.get(f"{API}/rollouts")) == (401, "key-revoked")
    assert problem(shop.ask()) == (401, "token-refused")
    assert fsck(house).flaws == ()


@pytest.mark.clause("SV-69")
def test_a_rule_that_is_changed_behind_the_receipts_is_a_flaw(shop: Shop) -> None:
    """Whoever writes to the store alone cannot let others in unseen."""
    house = shop.door.world.house
    with house.store.writing() as work:
        work.put_trust_rule(replace(shop.rule, pins=(("repository_id", "1"), ("repository_owner_id", "1"))))

    assert [flaw.rule.value for flaw in fsck(house).flaws] == ["standing"]


@pytest.mark.clause("SV-66")
def test_a_rule_is_of_one_organisation(shop: Shop) -> None:
    """A job names its organisation; in another one it is nobody, and of none that there is not it learns nothing."""
    token = shop.issuer.token(shop.claims())
    other = [problem(shop.send(token, org=org)) for org in ("acme", "nobody")]

    assert other == [(401, "token-refused")] * 2
    assert shop.send(token, org="default").status_code == 200
    assert problem(shop.send(token, org="a b")) == (400, "invalid-call")


@pytest.mark.clause("SV-66")
def test_jobs_of_gitlab_are_trusted_by_project_and_protected_branch(shop: Shop) -> None:
    """By the keys where GitLab publishes them; a branch that anybody may write to is none."""
    pins = (("project_id", "22"), ("ref", "main"))
    create_rule(order(shop.issuer, provider=Provider.GITLAB, pins=pins, name="gitlab"), ANN, shop.door.world.house)
    delete_rule(shop.rule.id, ANN, shop.door.world.house)
    shop.issuer.publish(public_jwk(), path="/oauth/discovery/keys")
    claims = {"repository_id": None, "event_name": None, "project_id": "22", "ref": "main", "pipeline_id": "7"}
    good = shop.ask(**claims, ref_protected="true")
    bad = [shop.ask(**claims, ref_protected=each) for each in ("false", True, None)]

    assert good.status_code == 200, good.text
    assert [problem(each) for each in bad] == [(401, "token-refused")] * 3
    assert shop.issuer.asked == ["/oauth/discovery/keys"]
    assert created(shop.door.world).rollout.app == APP
