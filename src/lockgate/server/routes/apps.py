# SPDX-License-Identifier: Apache-2.0
"""Calls about apps come in; they are shown, frozen or killed, and where they stand goes out."""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.operations.asking.overview import Overview, overview, overview_page
from lockgate.operations.steering.freeze import freeze, freeze_all, unfreeze, unfreeze_all
from lockgate.operations.steering.kill import kill
from lockgate.operations.vault.app_series import AppStanding
from lockgate.report.app_listing import overview_document
from lockgate.report.signed import signed_app, signed_apps
from lockgate.server.call import MAX_PAGE, Answer, Call
from lockgate.server.condition import tag_of
from lockgate.server.cursor import next_cursor, place_of

PAGE = 50


def list_all(call: Call) -> Answer:
    """Return a page of the apps that the key is for, by name, each as it stands."""
    page = overview_page(call.caller.covers, place_of(call), call.whole("limit", PAGE, MAX_PAGE), call.house)
    cursor = None if page.last is None else next_cursor(call, page.last)
    return Answer(document={"apps": [_document(each) for each in page.apps], "cursor": cursor})


def show(call: Call) -> Answer:
    """Return where an app stands."""
    one = overview(call.house, call.named["app"])[0]
    return Answer(document=_document(one), headers=_tag(one.version))


def freeze_one(call: Call) -> Answer:
    """Let nothing of an app start or be promoted; rollback always works."""
    stands = freeze(call.named["app"], call.actor(call.document("reason")), call.house)
    return _stands(call, stands)


def unfreeze_one(call: Call) -> Answer:
    """End an app's freeze, whether a freeze or a kill began it."""
    stands = unfreeze(call.named["app"], call.actor(call.document("reason")), call.house)
    return _stands(call, stands)


def kill_one(call: Call) -> Answer:
    """Roll back everything on trial in an app, or return it to its former champion; freeze it."""
    stands = kill(call.named["app"], call.actor(call.document("reason")), call.house)
    return _stands(call, stands[0])


def kill_all(call: Call) -> Answer:
    """Do that to every app that is known, by a key that is for every app."""
    call.caller.check_every_app()
    return _stand(call, kill(None, call.actor(call.document("reason")), call.house))


def freeze_every(call: Call) -> Answer:
    """Let nothing of any app that is known start or be promoted, by a key that is for every app."""
    call.caller.check_every_app()
    return _stand(call, freeze_all(call.actor(call.document("reason")), call.house))


def unfreeze_every(call: Call) -> Answer:
    """End the freeze of every app that is known, by a key that is for every app."""
    call.caller.check_every_app()
    return _stand(call, unfreeze_all(call.actor(call.document("reason")), call.house))


def _tag(version: int) -> dict[str, str]:
    """Return the ETag of an app: its version."""
    return {"etag": tag_of(version)}


def _stands(call: Call, stands: AppStanding) -> Answer:
    call.wake()
    return Answer(document=signed_app(stands, call.house), headers=_tag(stands.version))


def _stand(call: Call, stands: tuple[AppStanding, ...]) -> Answer:
    call.wake()
    return Answer(document={"apps": signed_apps(stands, call.house)})


def _document(one: Overview) -> dict[str, Json]:
    # Which program moves the traffic is this machine's business.
    return {**overview_document(one), "actuator": None if one.endpoint is None else {"id": one.endpoint.id}}
