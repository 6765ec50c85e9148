# SPDX-License-Identifier: Apache-2.0
"""The headers of a request come in; who calls, and what they may do, goes out, or the problem that they are nobody."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from lockgate.core.api_key import ApiKey
from lockgate.core.app import DEFAULT_ORG
from lockgate.core.canonical import digest
from lockgate.core.instant import Instant
from lockgate.core.permission import Permission, is_allowed
from lockgate.core.receipt import Actor
from lockgate.errors import ClosedStoreError, ExpiredKeyError, MalformedKeyError, NotPermittedError, RevokedKeyError
from lockgate.operations.access.authenticate import ADVICE, authenticate
from lockgate.operations.tick import LOOP
from lockgate.ports.house import Clock
from lockgate.ports.store import Store
from lockgate.server.problem import NO_KEY, NOT_A_CALL, NOT_ALLOWED, NOT_LOCAL, NOT_OF_KEY, ProblemError, problem_of

SCHEME = "bearer"
# Who sends it means that organisation, and no other that its key may be of.
ORG_HEADER = "lockgate-org"
# What proxies add to the calls that they pass on; a program of this machine has no reason to send any of it.
PASSED_ON = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls: of which organisation, by which name, and for which permissions and apps (None: all).

    `owner` is a word that no other caller has: what is kept for whoever calls again is kept for it. `key_id` and
    `expires_at`: of the key, and when it ends; None where none is needed.
    """

    org: str
    owner: str
    name: str
    kind: str
    permissions: tuple[Permission, ...]
    apps: tuple[str, ...] | None = None
    claims: tuple[tuple[str, str], ...] = ()
    key_id: str | None = None
    expires_at: Instant | None = None

    def actor(self, reason: str | None = None) -> Actor:
        """Return who a receipt says that it was."""
        return Actor(self.kind, self.name, reason, self.claims)

    def ticker(self) -> Actor:
        """Return who a receipt says that took a turn: the loop, and the job that asked for it if one did."""
        return replace(LOOP, name=self.name, claims=self.claims) if self.claims else LOOP

    def covers(self, app: str) -> bool:
        """Say whether the caller may see an app."""
        return self.apps is None or app in self.apps

    def check(self, permission: Permission) -> None:
        """Refuse a caller who has not a permission, and name it."""
        if not is_allowed(self.permissions, permission):
            raise ProblemError(
                NOT_ALLOWED, f"the key lacks the permission {permission}", "Call with a key that has it."
            )

    def check_app(self, app: str) -> None:
        """Refuse what is of an app that the key is not for; whether there is such an app is not told."""
        if not self.covers(app):
            raise ProblemError(NOT_OF_KEY, f"the key is not for {app}", f"It is for {', '.join(self.apps or ())}.")

    def check_every_app(self) -> None:
        """Refuse a caller whose key is for some apps only."""
        if self.apps is not None:
            raise ProblemError(NOT_OF_KEY, "the key is not for every app", f"It is for {', '.join(self.apps)}.")


ANYBODY = Caller(
    org=DEFAULT_ORG,
    owner="anybody",
    name="anybody on this machine",
    kind="open",
    permissions=tuple(Permission),
)


def caller_of(headers: Mapping[str, str], store: Store, clock: Clock) -> Caller:
    """Return whose key the `Authorization` header holds."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != SCHEME or not token:
        raise ProblemError(NO_KEY, "the call has no bearer token", ADVICE)
    try:
        return _meant(headers, _of_key(authenticate(token.strip(), store, clock)))
    except ClosedStoreError:
        # The store let nobody in, which says nothing of the key.
        raise
    except (ExpiredKeyError, MalformedKeyError, RevokedKeyError) as error:
        raise ProblemError(problem_of(error).kind, error.message, error.advice) from error
    except NotPermittedError as error:
        raise ProblemError(NO_KEY, error.message, error.advice) from error


def local_caller(headers: Mapping[str, str]) -> Caller:
    """Return the caller of an open server; what a browser sends for a page of elsewhere, or a proxy, is refused."""
    passed_on = next((name for name in PASSED_ON if name in headers), None)
    if passed_on is not None:
        raise ProblemError(
            NOT_LOCAL,
            f"the call has {passed_on}: a proxy passed it on, and may do so for anybody",
            "Call the server itself, or serve with keys behind a proxy, without --dev.",
        )
    origin = headers.get("origin")
    if not _is_local(f"//{headers.get('host', '')}") or not (origin is None or _is_local(origin)):
        raise ProblemError(
            NOT_LOCAL,
            "the call was made for another host or from a page of another one",
            "Call http://127.0.0.1 or http://localhost, or serve with keys.",
        )
    return _meant(headers, ANYBODY)


def _meant(headers: Mapping[str, str], caller: Caller) -> Caller:
    """Return a caller who means the organisation that they are of, or names none."""
    named = headers.get(ORG_HEADER)
    if named in (None, caller.org):
        return caller
    raise ProblemError(
        NOT_A_CALL,
        "the call is for another organisation than its key",
        "Call with a key of the organisation that LOCKGATE_ORG names, or unset LOCKGATE_ORG.",
    )


def _of_key(key: ApiKey) -> Caller:
    return Caller(
        org=key.org,
        owner=_owner(key),
        name=f"{key.name} ({key.id})",
        kind="key" if key.rule is None else "job",
        permissions=key.permissions,
        apps=key.apps,
        claims=key.claims,
        key_id=key.id,
        expires_at=key.expires_at,
    )


def _owner(key: ApiKey) -> str:
    """Return whose key it is: a job that gets another one between two tries is the same job."""
    return key.id if key.rule is None else f"job:{digest([key.rule, *(list(each) for each in key.claims)])}"


def _is_local(address: str) -> bool:
    try:
        name = urlsplit(address).hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
