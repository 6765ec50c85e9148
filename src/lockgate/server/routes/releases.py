# SPDX-License-Identifier: Apache-2.0
"""The name of an app comes in; its releases go out, a page at a time."""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.core.instant import instant_text
from lockgate.errors import UsageError
from lockgate.operations.asking.releases import Version, versions
from lockgate.server.call import MAX_PAGE, Answer, Call
from lockgate.server.cursor import page_of

PARAMETERS = ("app_id", "limit", "cursor")
PAGE = 100


def list_releases(call: Call) -> Answer:
    """Return a page of an app's releases, the first seen first."""
    app = call.text("app_id")
    if app is None:
        raise UsageError("app_id is missing in the query", advice="Name the app: ?app_id=APP.")
    call.caller.check_app(app)
    page, cursor = page_of(call, versions(app, call.house), PAGE, MAX_PAGE)
    return Answer(document={"app": app, "releases": [_document(each) for each in page], "cursor": cursor})


def _document(one: Version) -> dict[str, Json]:
    return {
        "name": one.release.name,
        "first_seen_at": instant_text(one.release.first_seen_at),
        "runs": one.runs,
        "attempts": one.attempts,
        "champion": one.is_champion,
    }
