# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether it keeps trust rules and knows its organisations as the ports promise.

It is a part of StoreContract.
"""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.permission import Permission
from lockgate.core.trust_rule import Provider, TrustRule
from lockgate.ports.store import Store
from lockgate.testing.access_contract import KEY, AccessContract
from lockgate.testing.vouchers_contract import VouchersContract

RULE = TrustRule(
    org="default",
    id="tru_2",
    name="deploys of web",
    provider=Provider.GITHUB,
    issuer="https://token.actions.githubusercontent.com",
    audience="https://lockgate.example.com",
    pins=(("repository_id", "74"), ("repository_owner_id", "65"), ("ref", "refs/heads/main")),
    permissions=(Permission.MANAGE,),
    apps=("web",),
    events=("workflow_run",),
    life_s=300,
    created_at=5,
    created_by="ada",
)
OLDER = replace(RULE, id="tru_9", provider=Provider.GITLAB, apps=None, events=(), created_by=None)


class TrustContract(AccessContract, VouchersContract):
    """What every store promises of trust rules, of keys that are forgotten, and of organisations."""

    def test_trust_rules_come_in_the_order_in_which_they_were_made(self, store: Store) -> None:
        """Every field comes back, as it was put last; what was dropped is gone, in its organisation alone."""
        with store.writing("acme") as work:
            work.put_trust_rule(replace(RULE, org="acme"))
        with store.writing() as work:
            work.put_trust_rule(OLDER)
            work.put_trust_rule(RULE)
            work.put_trust_rule(replace(OLDER, life_s=60))
            work.drop_trust_rule("tru_0")
            both = work.trust_rules()
        with store.writing() as work:
            work.drop_trust_rule(RULE.id)

        assert both == (replace(OLDER, life_s=60), RULE)
        with store.reading() as seen:
            assert seen.trust_rules() == (replace(OLDER, life_s=60),)
        with store.reading("acme") as seen:
            assert seen.trust_rules() == (replace(RULE, org="acme"),)

    def test_a_key_of_a_job_comes_back_and_can_be_forgotten(self, store: Store) -> None:
        """With its rule and claims; after it was dropped nobody has its id."""
        job = replace(KEY, rule="tru_2", claims=(("sub", "repo:acme/web:ref:refs/heads/main"), ("run_id", "7")))
        with store.writing() as work:
            work.put_api_key(job)
        with store.reading() as seen:
            assert seen.api_key(KEY.id) == job
        with store.writing() as work:
            work.drop_api_key(KEY.id)
            work.drop_api_key("rvk_9")

        with store.reading() as seen:
            assert seen.api_keys() == ()
        assert store.api_key(KEY.id) is None

    def test_an_organisation_is_there_when_it_has_a_key(self, store: Store) -> None:
        """By name, each once."""
        for org, ids in {"zeta": ("rvk_1",), "acme": ("rvk_2", "rvk_3")}.items():
            with store.writing(org) as work:
                for each in ids:
                    work.put_api_key(replace(KEY, org=org, id=each))

        assert store.orgs() == ("acme", "zeta")
