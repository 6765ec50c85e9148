# SPDX-License-Identifier: Apache-2.0
"""What a key is for, or its id, comes in; a token that is shown once, the list of keys, or a revoked one goes out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.core.instant import instant_text
from lockgate.core.permission import permissions_of
from lockgate.core.wording import listed
from lockgate.errors import UnknownError
from lockgate.operations.access.api_keys import list_keys, made_by
from lockgate.operations.access.issue_key import KeyOrder, issue_key
from lockgate.operations.access.revoke_key import revoke_key
from lockgate.report.key_listing import doubt_words, key_document, render_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWords:
    """What was called to make a key."""

    name: str
    words: list[str]
    apps: list[str]
    life_s: int
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called to list keys, or to revoke one."""

    key_id: str | None = None
    as_json: bool = False


def answer_create(words: NewWords, desk: Desk) -> Said:
    """Make a key and hand out its token, which is kept nowhere and never shown again."""
    order = KeyOrder(
        name=words.name,
        permissions=permissions_of(words.words),
        apps=tuple(words.apps),
        life_s=words.life_s,
        created_by=desk.place.actor().name,
        until=desk.place.key_ends(),
    )
    desk.place.check_grant(order.permissions, order.apps or None)
    issued = issue_key(order, desk.place.new_house())
    if words.as_json:
        desk.emit_json({**key_document(issued.key), "token": issued.token})
    else:
        desk.say(f"{issued.token}\n")
        desk.tell(f"{issued.key.id} is made; its token is shown this once")
    if issued.key.expires_at == order.until:
        desk.tell(f"it ends at {instant_text(issued.key.expires_at)}, with the key that made it")
    return desk.said()


def answer_list(words: Words, desk: Desk) -> Said:
    """List keys, also those that open nothing any more."""
    house = desk.place.known_house()
    found = [each for each in list_keys(house) if desk.place.sees_key(each)]
    if words.as_json:
        desk.emit_json({"keys": [key_document(each) for each in found]})
    else:
        desk.say(render_keys(found, house.clock.now(), desk.screen))
    return desk.said()


def answer_revoke(words: Words, desk: Desk) -> Said:
    """Let a key open nothing any more, for good."""
    house, identity = desk.place.known_house(), words.key_id or ""
    found = next((each for each in list_keys(house) if each.id == identity), None)
    if found is not None:
        if not desk.place.sees_key(found):
            raise UnknownError(f"there is no key {identity}")
        desk.place.check_grant(found.permissions, found.apps)
    revoked = revoke_key(identity, house)
    key = revoked.key
    made = made_by(key, list_keys(house), house.clock.now())
    if made:
        desk.tell(f"{listed([each.id for each in made])}: made by it, and not revoked with it")
    doubt = None if revoked.doubt is None else doubt_words(key.id, revoked.doubt.message)
    if doubt is not None:
        desk.tell(f"warning: {doubt}")
    if words.as_json:
        desk.emit_json({**key_document(key), "doubt": doubt})
    else:
        desk.say(render_keys([key], house.clock.now(), desk.screen))
    return desk.said()
