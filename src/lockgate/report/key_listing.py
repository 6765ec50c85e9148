# SPDX-License-Identifier: Apache-2.0
"""API keys come in; the lines of a terminal and the documents of programs go out, without a token."""

from __future__ import annotations

from collections.abc import Sequence

from lockgate.core.api_key import ApiKey
from lockgate.core.canonical import Json
from lockgate.core.instant import Instant, instant_text
from lockgate.report.screen import Screen


def key_document(key: ApiKey) -> dict[str, Json]:
    """Return a key as programs read it."""
    return {
        "id": key.id,
        "name": key.name,
        "permissions": [each.value for each in key.permissions],
        "apps": None if key.apps is None else list(key.apps),
        "created_at": instant_text(key.created_at),
        "created_by": key.created_by,
        "expires_at": instant_text(key.expires_at),
        "revoked_at": None if key.revoked_at is None else instant_text(key.revoked_at),
        "last_used_at": None if key.last_used_at is None else instant_text(key.last_used_at),
        "rule": key.rule,
        "claims": dict(key.claims),
    }


def doubt_words(key_id: str, doubt: str) -> str:
    """Return what to do about a key that was revoked in a store of which there may be a newer one."""
    return f"{doubt}; if another store takes its place, revoke {key_id} there too"


def render_keys(keys: Sequence[ApiKey], now: Instant, screen: Screen) -> str:
    """Return keys, two lines each: whose it is and whether it opens anything; when it did, what; of a job, which."""
    lines = []
    for key in keys:
        fault = key.fault(now)
        state = f"until {instant_text(key.expires_at)}" if fault is None else fault
        apps = "every app" if key.apps is None else f"only {', '.join(key.apps)}"
        used = "" if key.last_used_at is None else f"last used {instant_text(key.last_used_at)}; "
        painted = screen.paint(state, "dim" if fault is None else "yellow")
        lines.append(f"{key.id}  {screen.text(key.name)}  {painted}")
        job = "" if key.rule is None else f"; job by {key.rule}: {', '.join(map('='.join, key.claims))}"
        lines.append(f"  {used}{', '.join(key.permissions)}; {screen.text(apps + job)}")
    return "\n".join(lines) + "\n" if lines else "There is no key; `lockgate keys create` makes one.\n"
