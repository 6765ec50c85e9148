# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether it keeps API keys and replies as the ports promise.

It is a part of StoreContract.
"""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.api_key import ApiKey
from lockgate.core.permission import Permission
from lockgate.core.reply import Reply
from lockgate.ports.store import Store

KEY = ApiKey(
    org="default",
    id="rvk_3hFbGZiRpYAdSW",
    name="ci of web",
    digest="42" * 32,
    permissions=(Permission.MANAGE, Permission.WRITE_RUNS),
    apps=("web", "\N{SNOWMAN}"),
    created_at=5,
    created_by="ada",
    expires_at=9,
)
LATER = replace(KEY, id="rvk_0", apps=None, created_by=None, permissions=())
REPLY = Reply(
    key="rvk_0 evaluate 7",
    call="ab" * 32,
    at=5,
    status=422,
    headers=(("etag", '"7"'),),
    body=b'{"id":"rol_1"}',
)


class AccessContract:
    """What every store promises of who may call, and of what calls were answered."""

    def test_api_keys_come_in_the_order_in_which_they_were_made(self, store: Store) -> None:
        """Every field comes back, as it was put last, whatever the ids are."""
        with store.writing() as work:
            work.put_api_key(KEY)
            work.put_api_key(LATER)
        with store.writing() as work:
            work.put_api_key(replace(KEY, revoked_at=7, last_used_at=6))

        with store.reading() as seen:
            assert seen.api_keys() == (replace(KEY, revoked_at=7, last_used_at=6), LATER)
            assert (seen.api_key("rvk_0"), seen.api_key("rvk_9")) == (LATER, None)

    def test_an_api_key_is_of_one_organisation(self, store: Store) -> None:
        """Which one is known by its id alone, and no other organisation sees it."""
        with store.writing("acme") as work:
            work.put_api_key(replace(KEY, org="acme"))

        with store.reading() as seen:
            assert (seen.api_key(KEY.id), seen.api_keys()) == (None, ())
        assert (store.api_key(KEY.id), store.api_key("rvk_9")) == (replace(KEY, org="acme"), None)

    def test_a_reply_is_kept_until_it_is_forgotten(self, store: Store) -> None:
        """By its key and its organisation, and no longer than until then."""
        with store.writing() as work:
            work.put_reply(REPLY)
            work.put_reply(replace(REPLY, key="other", at=6))
        with store.writing() as work:
            work.put_reply(replace(REPLY, key="other", at=7))
            work.forget_replies(7)

        with store.reading() as seen:
            assert (seen.reply(REPLY.key), seen.reply("other")) == (None, replace(REPLY, key="other", at=7))
        with store.reading("acme") as seen:
            assert seen.reply("other") is None
