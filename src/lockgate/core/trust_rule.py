# SPDX-License-Identifier: Apache-2.0
"""What an owner says of whom to trust comes in; a rule goes out, and whether the token of a job is one that it means.

Names of repositories and projects can be registered again by others, so a rule pins their numbers, and the branch or
environment whose jobs are meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from lockgate.core.canonical import Json, digest
from lockgate.core.id_token import IdToken
from lockgate.core.instant import Instant
from lockgate.core.permission import Permission
from lockgate.errors import UsageError

MAX_LIFE_S = 900
MAX_TEXT = 500
MAX_RULES = 1_000
Pins = tuple[tuple[str, str], ...]


class Provider(StrEnum):
    """Whose jobs a rule is for; the value is what is stored."""

    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True)
class Form:
    """What tokens of a provider look like: where they come from by default, and where the keys of an issuer are.

    `identity` are claims that a rule must pin, `place` those of which it must pin one, `may` those that it may pin.
    """

    issuer: str
    keys: str
    identity: tuple[str, ...]
    place: tuple[str, ...]
    may: tuple[str, ...]
    always: Pins = ()
    recorded: tuple[str, ...] = ()


FORMS = {
    Provider.GITHUB: Form(
        issuer="https://token.actions.githubusercontent.com",
        keys="/.well-known/jwks",
        identity=("repository_id", "repository_owner_id"),
        place=("ref", "environment"),
        may=("job_workflow_ref",),
        recorded=("sub", "repository_id", "run_id", "sha"),
    ),
    Provider.GITLAB: Form(
        issuer="https://gitlab.com",
        keys="/oauth/discovery/keys",
        identity=("project_id",),
        place=("ref", "environment"),
        may=(),
        always=(("ref_protected", "true"),),
        recorded=("sub", "project_id", "pipeline_id", "job_id", "sha"),
    ),
}
# What only those can set off who may write to a repository. All else needs leave: of many events, such as a comment,
# GitHub runs the job on the default branch, with the rights of the repository, on input of strangers.
SAFE_EVENTS = ("push", "workflow_dispatch", "schedule", "release", "merge_group", "deployment", "repository_dispatch")
# A host, and what may follow it; neither user, query nor fragment.
_ISSUER = re.compile(r"https://[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~-]+)*")
_EVENT = re.compile(r"[a-z][a-z_]{0,49}")
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRule:
    """Which jobs get a key without having one: claims of their token that must be as they are pinned, and for what.

    `events` are those of GitHub that the owner lets through although strangers may set them off.
    """

    org: str
    id: str
    name: str
    provider: Provider
    issuer: str
    audience: str
    pins: Pins
    permissions: tuple[Permission, ...]
    apps: tuple[str, ...] | None = None
    events: tuple[str, ...] = ()
    life_s: int = MAX_LIFE_S
    created_at: Instant
    created_by: str | None = None

    def pinned(self) -> Pins:
        """Return every claim that must be as it is written here."""
        return (*self.pins, *FORMS[self.provider].always)

    def is_near(self, claims: Mapping[str, object]) -> bool:
        """Say whether claims are of the very repository that the rule is for, and meant for here, whatever else."""
        pins, audience = dict(self.pins), claims.get("aud")
        if isinstance(audience, list) and len(audience) == 1:
            audience = audience[0]
        is_meant = (claims.get("iss"), audience) == (self.issuer, self.audience)
        return is_meant and all(claims.get(name) == pins[name] for name in FORMS[self.provider].identity)

    def differing(self, token: IdToken) -> tuple[str, ...]:
        """Return what of a token is not as the rule has it; of a token that the rule means, nothing."""
        stated = {**token.claims, "iss": token.issuer, "aud": token.audience}
        wanted = (("iss", self.issuer), ("aud", self.audience), *self.pinned())
        return (*(name for name, text in wanted if stated.get(name) != text), *self._risky(token))

    def recorded(self, token: IdToken) -> Pins:
        """Return the claims that receipts keep of a job."""
        return tuple((name, token.claims[name]) for name in FORMS[self.provider].recorded if name in token.claims)

    def document(self) -> dict[str, Json]:
        """Return the JSON form of what was declared."""
        return {
            "id": self.id,
            "name": self.name,
            "provider": self.provider.value,
            "issuer": self.issuer,
            "audience": self.audience,
            "claims": dict(self.pinned()),
            "permissions": [each.value for each in self.permissions],
            "apps": None if self.apps is None else list(self.apps),
            "events": list(self.events),
            "life_s": self.life_s,
        }

    def _risky(self, token: IdToken) -> tuple[str, ...]:
        if self.provider is not Provider.GITHUB:
            return ()
        event = token.claims.get("event_name")
        return () if event in SAFE_EVENTS or event in self.events else ("event_name",)


def check_rule(rule: TrustRule) -> TrustRule:
    """Return a rule, or refuse one that would trust more than one place of one repository."""
    _check_pins(rule)
    _check_grant(rule)
    if not _ISSUER.fullmatch(rule.issuer) or len(rule.issuer) > MAX_TEXT:
        raise UsageError(
            f"{rule.issuer!r} is no address of an issuer", advice="Write https://HOST, as the claim `iss` has it."
        )
    _check_events(rule)
    return rule


def _check_events(rule: TrustRule) -> None:
    for event in rule.events:
        if event in SAFE_EVENTS:
            raise UsageError(f"{event} needs no leave", advice=f"Nor do: {', '.join(SAFE_EVENTS)}.")
        if not _EVENT.fullmatch(event):
            raise UsageError(f"{event!r} is no event of GitHub", advice="Write it as in `on:`, such as pull_request.")
    if rule.events and rule.provider is not Provider.GITHUB:
        raise UsageError("only GitHub says which event it was", advice="Leave --event out.")


def _check_pins(rule: TrustRule) -> None:
    form, names = FORMS[rule.provider], [name for name, _ in rule.pins]
    for name in form.identity:
        if not _NUMBER.fullmatch(dict(rule.pins).get(name, "")):
            raise UsageError(f"{name} is not pinned to a number", advice=f"Give the number: --claim {name}=NUMBER.")
    if not set(form.place) & set(names):
        raise UsageError(
            f"neither {' nor '.join(form.place)} is pinned", advice="Say which: --claim ref=refs/heads/main."
        )
    known = (*form.identity, *form.place, *form.may)
    if len(set(names)) != len(names) or not set(names) <= set(known):
        raise UsageError("a claim is pinned twice, or is none of those", advice=f"Claims: {', '.join(known)}.")
    for text in (rule.audience, *dict(rule.pins).values()):
        if not text or len(text) > MAX_TEXT or not text.isprintable():
            raise UsageError(f"{text!r} cannot be what a claim says", advice=f"Write 1 to {MAX_TEXT} characters.")


def _check_grant(rule: TrustRule) -> None:
    if not 60 <= rule.life_s <= MAX_LIFE_S:
        raise UsageError("a key of a job is for 1 to 15 minutes", advice="Give another span.")
    if not rule.permissions:
        raise UsageError("a rule without a permission opens nothing", advice="Name a preset or a permission.")
    if Permission.MANAGE_KEYS in rule.permissions:
        raise UsageError(
            "a job may make no keys: they would live longer than its own", advice="Leave key.manage out, and admin."
        )


def keys_url(rule: TrustRule) -> str:
    """Return where the public keys of a rule's issuer are."""
    return rule.issuer + FORMS[rule.provider].keys


def rules_digest(rules: Iterable[TrustRule]) -> str | None:
    """Return the digest of all rules of an organisation, which the receipt of a change states; None where none is."""
    documents: Mapping[str, Json] = {rule.id: rule.document() for rule in rules}
    return digest(dict(documents)) if documents else None
