# SPDX-License-Identifier: Apache-2.0
"""The token of a job comes in; a key for what a trust rule allows such jobs goes out, for some minutes.

A token is used once: the mark of it and the key are kept in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.core.id_token import NO_RULE, IdToken, SilentIssuerError, read_id_token, refused, stranger, used
from lockgate.core.instant import HOUR, Instant
from lockgate.core.reply import KEPT, Reply
from lockgate.core.trust_rule import TrustRule, keys_url
from lockgate.crash_point import reach
from lockgate.errors import UnreachableError
from lockgate.operations.access.issue_key import IssuedKey, KeyOrder, issue
from lockgate.operations.vault.keeping import changing
from lockgate.ports.house import House
from lockgate.ports.id_tokens import IdTokens
from lockgate.ports.store import Transaction

# A key of a job stays listed for so long after its end; receipts keep whose it was.
LISTED: Instant = HOUR


def exchange(token: str, house: House, tokens: IdTokens) -> tuple[IssuedKey, TrustRule]:
    """Return a new key for a job, and the rule that it got it by."""
    with house.store.reading(house.org) as seen:
        rules = seen.trust_rules()
    claims = _signed(token, rules, tokens)
    if not any(rule.is_near(claims) for rule in rules):
        raise stranger()
    found = read_id_token(claims, house.clock.now())
    with changing(house) as work:
        # Whoever took a rule back meanwhile is heard.
        rule = _rule(work.trust_rules(), found)
        _use(work, found, house.clock.now())
        order = KeyOrder(
            name=rule.name,
            permissions=rule.permissions,
            apps=rule.apps or (),
            life_s=rule.life_s,
            created_by=found.claims.get("sub", "")[:200] or None,
            rule=rule.id,
            claims=rule.recorded(found),
        )
        issued = issue(work, order, house)
        reach("exchange.key_added")
        return issued, rule


def _signed(token: str, rules: tuple[TrustRule, ...], tokens: IdTokens) -> Mapping[str, object]:
    try:
        return tokens.claims(token, {rule.issuer: keys_url(rule) for rule in rules})
    except SilentIssuerError:
        raise
    except UnreachableError as error:
        raise SilentIssuerError(error.message, advice=error.advice) from error


def _rule(rules: tuple[TrustRule, ...], token: IdToken) -> TrustRule:
    claims = {**token.claims, "aud": token.audience}
    # Of a rule for another audience or repository a job learns nothing.
    near = {rule: rule.differing(token) for rule in rules if rule.is_near(claims)}
    if not near:
        raise stranger()
    rule, differing = min(near.items(), key=lambda each: len(each[1]))
    if differing:
        raise refused(
            f"no trust rule is for this job; of the nearest rule these differ: {', '.join(differing)}", NO_RULE
        )
    return rule


def _use(work: Transaction, token: IdToken, now: Instant) -> None:
    """Mark a token as used, or refuse one that was; marks last longer than any token."""
    key = f"token {token.mark()}"
    if work.reply(key) is not None:
        raise used()
    work.forget_replies(now - KEPT)
    work.put_reply(Reply(key=key, call="", at=now, status=200, body=b""))
    for each in work.api_keys():
        if each.rule is not None and each.expires_at < now - LISTED:
            work.drop_api_key(each.id)
