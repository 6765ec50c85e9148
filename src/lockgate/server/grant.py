# SPDX-License-Identifier: Apache-2.0
"""A caller, and what a key allows, come in; whether that reaches further than the caller's own key goes out."""

from __future__ import annotations

from lockgate.core.api_key import ApiKey
from lockgate.core.permission import Permission
from lockgate.server.caller import Caller
from lockgate.server.problem import NOT_OF_KEY, ProblemError


def check_grant(caller: Caller, permissions: tuple[Permission, ...], apps: tuple[str, ...] | None) -> None:
    """Refuse what reaches further than the caller's own key."""
    for each in permissions:
        caller.check(each)
    if caller.apps is None:
        return
    if apps is None:
        raise ProblemError(
            NOT_OF_KEY, "the key is not for every app", f"Name apps: it is for {', '.join(caller.apps)}."
        )
    for app in apps:
        caller.check_app(app)


def is_seen(caller: Caller, key: ApiKey) -> bool:
    """Say whether a key is for nothing but apps that the caller's is for."""
    return caller.apps is None or (key.apps is not None and all(map(caller.covers, key.apps)))
