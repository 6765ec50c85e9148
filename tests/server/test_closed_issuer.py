# SPDX-License-Identifier: Apache-2.0
"""An issuer of tokens stands in a network that the server may not call; its jobs are told whom to ask."""

from __future__ import annotations

import jwt
import pytest

from lockgate import wiring
from lockgate.core.instant import SECOND
from lockgate.core.permission import permissions_of
from lockgate.core.receipt import operator
from lockgate.core.trust_rule import Provider
from lockgate.operations.access.trust import TrustOrder, create_rule
from tests.server.issuer import private_key
from tests.server.served import API, problem, served
from tests.spec.line import world

ADDRESS = "10.9.8.7"
AUDIENCE = "https://lockgate.example.com"
PINS = {"repository_id": "74", "repository_owner_id": "65", "ref": "refs/heads/main"}


@pytest.mark.clause("SV-965")
def test_a_job_of_an_issuer_that_may_not_be_called_is_told_so_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    """It need not try again, and learns no address; standard error has that for who can mend it."""
    here, issuer = world(), f"https://{ADDRESS}"
    order = TrustOrder(
        name="deploys",
        provider=Provider.GITHUB,
        audience=AUDIENCE,
        pins=tuple(PINS.items()),
        permissions=permissions_of(["ci"]),
        issuer=issuer,
    )
    create_rule(order, operator("ann", "no keys in pipelines"), here.house)
    now = here.clock.now() // SECOND
    claims = {"iss": issuer, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 300, "event_name": "push", **PINS}
    with served(here, id_tokens=wiring.id_tokens()) as door:
        answers = [
            door.http.post(
                f"{API}/oidc/token", json={"token": jwt.encode(each, private_key(), "RS256", {"kid": "one"})}
            )
            for each in ({**claims, "jti": f"{number}"} for number in range(3))
        ]

    assert [problem(each) for each in answers] == [(403, "issuer-not-allowed")] * 3
    assert all("ask whoever runs the server" in each.json()["advice"] for each in answers)
    assert ADDRESS not in "".join(each.text for each in answers)
    assert f"{ADDRESS} is no address of the internet" in capsys.readouterr().err
