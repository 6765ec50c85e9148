# SPDX-License-Identifier: Apache-2.0
"""Calls about API keys come in; keys are made, shown and revoked by a key that allows at least as much.

A token is in the answer that makes it and nowhere else: it is neither kept nor repeated.
"""

from __future__ import annotations

from lockgate.core.api_key import ApiKey
from lockgate.core.permission import permissions_of
from lockgate.errors import UnknownError, UsageError
from lockgate.operations.access.api_keys import find_key, list_keys
from lockgate.operations.access.issue_key import DEFAULT_LIFE_S, KeyOrder, issue_key
from lockgate.operations.access.revoke_key import revoke_key
from lockgate.report.key_listing import doubt_words, key_document
from lockgate.server.call import MAX_PAGE, Answer, Call, names_of, needed, seconds_of, text_of
from lockgate.server.cursor import page_of
from lockgate.server.grant import check_grant, is_seen
from lockgate.server.problem import problem_of

FIELDS = ("name", "allow", "apps", "expires")
PAGE = 100
NO_STORE = {"cache-control": "no-store"}


def create_key(call: Call) -> Answer:
    """Make a key that allows no more than the caller's own, nor for longer; its token is answered this once."""
    document = call.document(*FIELDS)
    name = needed("name", text_of(document, "name"))
    words, apps = names_of(document, "allow"), names_of(document, "apps")
    if not words:
        raise UsageError("allow is missing", advice='Send {"allow": ["ci"]}: presets or permissions.')
    permissions = permissions_of(words)
    check_grant(call.caller, permissions, apps or None)
    life = seconds_of(document, "expires")
    order = KeyOrder(
        name=name,
        permissions=permissions,
        apps=apps,
        life_s=DEFAULT_LIFE_S if life is None else life,
        created_by=call.caller.name,
        until=call.caller.expires_at,
    )
    issued = issue_key(order, call.house)
    plain = key_document(issued.key)
    place = {"location": f"{call.path}/{issued.key.id}"}
    return Answer(
        document={**plain, "token": issued.token},
        status=201,
        headers={**place, **NO_STORE},
        kept={**plain, "token": None},
    )


def list_all(call: Call) -> Answer:
    """Return a page of the keys for apps that the caller's own is for, the oldest first, without their tokens."""
    found = [each for each in list_keys(call.house) if is_seen(call.caller, each)]
    page, cursor = page_of(call, found, PAGE, MAX_PAGE)
    return Answer(document={"keys": [key_document(each) for each in page], "cursor": cursor})


def show(call: Call) -> Answer:
    """Return a key, without its token."""
    return Answer(document=key_document(_known(call)))


def revoke(call: Call) -> Answer:
    """Let a key that allows no more than the caller's open nothing any more, for good."""
    call.document()
    key = _known(call)
    check_grant(call.caller, key.permissions, key.apps)
    revoked = revoke_key(key.id, call.house)
    doubt = None if revoked.doubt is None else doubt_words(key.id, problem_of(revoked.doubt).detail)
    return Answer(document={**key_document(revoked.key), "doubt": doubt})


def _known(call: Call) -> ApiKey:
    wanted = call.named["key"]
    found = find_key(wanted, call.house)
    if found is None or not is_seen(call.caller, found):
        raise UnknownError(f"there is no key {wanted}")
    return found
