# SPDX-License-Identifier: Apache-2.0
"""Whom to trust comes in; rules are kept, shown or taken back, by receipts of the organisation's own series."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from lockgate.core.api_key import check_apps, check_key_name
from lockgate.core.decision.decision import Action
from lockgate.core.permission import Permission
from lockgate.core.receipt import Actor
from lockgate.core.trust_rule import FORMS, MAX_LIFE_S, MAX_RULES, Pins, Provider, TrustRule, check_rule, rules_digest
from lockgate.errors import UnknownError, UsageError
from lockgate.operations.vault.acting import checked_actor
from lockgate.operations.vault.custody import change, standing
from lockgate.operations.vault.keeping import writing
from lockgate.ports.house import House
from lockgate.ports.store import Transaction

ID_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustOrder:
    """A rule to be: whose jobs, by which claims, for what; `issuer` is the provider's own where it is None."""

    name: str
    provider: Provider
    audience: str
    pins: Pins
    permissions: tuple[Permission, ...]
    apps: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    issuer: str | None = None
    life_s: int = MAX_LIFE_S


def create_rule(order: TrustOrder, actor: Actor, house: House) -> TrustRule:
    """Trust the jobs that an order means from now on."""
    rule = check_rule(
        TrustRule(
            org=house.org,
            id=f"tru_{secrets.token_hex(ID_BYTES)}",
            name=check_key_name(order.name),
            provider=order.provider,
            issuer=order.issuer or FORMS[order.provider].issuer,
            audience=order.audience,
            pins=order.pins,
            permissions=order.permissions,
            apps=check_apps(order.apps),
            events=tuple(dict.fromkeys(order.events)),
            life_s=order.life_s,
            created_at=house.clock.now(),
            created_by=actor.name,
        )
    )
    with writing(house) as work:
        if len(work.trust_rules()) >= MAX_RULES:
            raise UsageError(f"there are {MAX_RULES:,} trust rules", advice="Delete those that nobody needs.")
        work.put_trust_rule(rule)
        _state(work, house, Action.SET_TRUST, actor, f"{rule.id}: jobs of {rule.name} are trusted")
    return rule


def list_rules(house: House) -> tuple[TrustRule, ...]:
    """Return all rules, the oldest first."""
    with house.store.reading(house.org) as seen:
        return seen.trust_rules()


def delete_rule(rule_id: str, actor: Actor, house: House) -> TrustRule:
    """Trust jobs by a rule no more; keys that they have got by it open nothing from now on."""
    with writing(house) as work:
        found = next((each for each in work.trust_rules() if each.id == rule_id), None)
        if found is None:
            raise UnknownError(f"there is no trust rule {rule_id!r}", advice="`lockgate trust list` has them.")
        work.drop_trust_rule(rule_id)
        for key in work.api_keys():
            if key.rule == rule_id and key.revoked_at is None:
                work.put_api_key(replace(key, revoked_at=house.clock.now()))
        _state(work, house, Action.REMOVE_TRUST, actor, f"{rule_id}: jobs of {found.name} are trusted no more")
    return found


def _state(work: Transaction, house: House, action: Action, actor: Actor, said: str) -> None:
    after = replace(standing(work, house), trust=rules_digest(work.trust_rules()))
    change(work, house, after, action, checked_actor(actor), said)
