# SPDX-License-Identifier: Apache-2.0
"""The name of an app comes in; the app goes out, or an error that names those that there are."""

from __future__ import annotations

from lockgate.core.app import App
from lockgate.core.declaration.nearest import question
from lockgate.errors import UnknownError
from lockgate.ports.store import Snapshot

# More names than this tell nobody more.
MAX_TOLD = 20


def known_app(seen: Snapshot, name: str) -> App:
    """Return an app that is known."""
    app = seen.app(name)
    if app is not None:
        return app
    names = [each.name for each in seen.apps()]
    if not names:
        raise UnknownError(f"there is no app {name}", advice="No app is known yet; `lockgate ingest` keeps runs.")
    told = ", ".join(names[:MAX_TOLD])
    more = f" and {len(names) - MAX_TOLD} more" if len(names) > MAX_TOLD else ""
    raise UnknownError(f"there is no app {name}", advice=f"{question(name, names)}Known: {told}{more}.")
