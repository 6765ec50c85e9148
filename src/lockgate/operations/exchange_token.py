# SPDX-License-Identifier: Apache-2.0
"""The token of a job comes in; a key for what a trust rule allows such jobs goes out, for some minutes.

A token is used once: the mark of it and the key are kept in one transaction.
"""

from __future__ import annotations

from lockgate.core.id_token import IdToken, read_id_token, refused
from lockgate.core.instant import HOUR, Instant
from lockgate.core.reply import KEPT, Reply
from lockgate.core.trust_rule import TrustRule, keys_url
from lockgate.crash_point import reach
from lockgate.operations.issue_key import IssuedKey, KeyOrder, issue
from lockgate.ports.house import House
from lockgate.ports.id_tokens import IdTokens
from lockgate.ports.store import Transaction

# A key of a job stays listed for so long after its end; receipts keep whose it was.
LISTED: Instant = HOUR
NO_RULE = "`lockgate trust list` shows which jobs are trusted; its claims must be as they are pinned there."


def exchange(token: str, house: House, tokens: IdTokens) -> tuple[IssuedKey, TrustRule]:
    """Return a new key for a job, and the rule that it got it by."""
    with house.store.reading(house.org) as seen:
        rules = seen.trust_rules()
    claims = tokens.claims(token, {rule.issuer: keys_url(rule) for rule in rules})
    found = read_id_token(claims, house.clock.now())
    with house.store.writing(house.org) as work:
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


def _rule(rules: tuple[TrustRule, ...], token: IdToken) -> TrustRule:
    nearest: tuple[str, ...] | None = None
    for rule in rules:
        differing = rule.differing(token)
        if not differing:
            return rule
        # Of a rule for another audience or repository a job learns nothing.
        is_near = not {"iss", "aud", "repository_id", "repository_owner_id", "project_id"} & set(differing)
        if is_near and (nearest is None or len(differing) < len(nearest)):
            nearest = differing
    said = "" if nearest is None else f"; of the nearest rule these differ: {', '.join(nearest)}"
    raise refused(f"no trust rule is for this job{said}", NO_RULE)


def _use(work: Transaction, token: IdToken, now: Instant) -> None:
    """Mark a token as used, or refuse one that was; marks last longer than any token."""
    key = f"token {token.mark()}"
    if work.reply(key) is not None:
        raise refused("the token was used before")
    work.forget_replies(now - KEPT)
    work.put_reply(Reply(key=key, call="", at=now, status=200, body=b""))
    for each in work.api_keys():
        if each.rule is not None and each.expires_at < now - LISTED:
            work.drop_api_key(each.id)
