# SPDX-License-Identifier: Apache-2.0
"""The options of a call and a file that declares a rollout come in; the one declaration that they make goes out.

Options win over the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import click

from lockgate.cli import local
from lockgate.core.link import Link
from lockgate.core.release_digest import ReleaseDigest
from lockgate.errors import UsageError

# What a rollout's file may say beside its policy.
ROLLOUT_FIELDS = ("baseline", "candidate", "since", "links")
POLICY_OPTIONS = ("mode", "steps", "min_runs")
_NAMED = {"--link": ("address", "URL"), "--digest": ("digest", "sha256:HEX")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What is to be tried: the candidate of an app, against a baseline, under a policy document."""

    app: str
    candidate: str
    baseline: str | None
    since_s: int | None
    links: tuple[Link, ...]
    digests: tuple[ReleaseDigest, ...]
    policy: Mapping[str, object]


def declared(call: Mapping[str, object]) -> Declared:
    """Return what a call of `create` declares."""
    document, beside = _document(call)
    since = call["since"] if call["since"] is not None else span(beside.get("since"))
    return Declared(
        app=_needed("app-id", call["app_id"] or document.get("app")),
        candidate=_needed("candidate", call["candidate"] or beside.get("candidate")),
        baseline=_text("baseline", call["baseline"] or beside.get("baseline")),
        since_s=None if since is None else int(float(str(since))),
        links=(*named_links(beside.get("links", {})), *_named("--link", call["links"])),
        digests=tuple(_named("--digest", call["digests"])),
        policy=document,
    )


def _needed(option: str, value: object) -> str:
    text = _text(option, value)
    if text is None:
        raise UsageError(f"--{option} is missing", advice="Name it on the command line, or in the file of -f.")
    return text


def _text(option: str, value: object) -> str | None:
    if isinstance(value, str | int | None) and not isinstance(value, bool):
        return None if value is None else str(value)
    raise UsageError(f"{option} is not a name in the file", advice="Write it as text.")


def span(value: object) -> float | None:
    """Return the seconds of `since` in a file."""
    try:
        return None if value is None else local.seconds(str(value))
    except click.BadParameter as error:
        raise UsageError(f"since in the file: {error.message}", advice="Write `since: 2h`.") from error


def without_rollout(document: Mapping[str, object]) -> dict[str, object]:
    """Return the policy in a file that may name a rollout too, or refuse what the file says of that."""
    beside, policy = apart(document)
    for name in ("baseline", "candidate"):
        _text(name, beside.get(name))
    span(beside.get("since"))
    tuple(named_links(beside.get("links", {})))
    return policy


def apart(document: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Return what a file says of the rollout, and its policy; what looks like one of the first is refused."""
    from lockgate.core.declaration.nearest import suggestion
    from lockgate.core.declaration.schema import policy_schema

    known = policy_schema()["properties"]
    assert isinstance(known, dict)
    for name in document:
        meant = "" if name in known else suggestion(name, (*ROLLOUT_FIELDS, *known))
        if name not in ROLLOUT_FIELDS and any(f"'{field}'" in meant for field in ROLLOUT_FIELDS):
            raise UsageError(f"{name} is no field of the file{meant}", advice="Mend its name in the file.")
    beside = {name: value for name, value in document.items() if name in ROLLOUT_FIELDS}
    return beside, {name: value for name, value in document.items() if name not in beside}


def named_links(value: object) -> Iterator[Link]:
    """Yield the links of a file."""
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for pair in value.items() for text in pair):
        raise UsageError("links in the file are not names with addresses", advice="Write `links: {ci: https://...}`.")
    yield from value.items()


def _named(option: str, texts: object) -> Iterator[Link]:
    """Yield the names and what they stand for of options."""
    what, form = _NAMED[option]
    assert isinstance(texts, tuple)
    for text in texts:
        name, equals, url = text.partition("=")
        if not equals:
            raise UsageError(f"{option} {text!r} has no {what}", advice=f"Write {option} NAME={form}.")
        yield name, url


def _document(call: Mapping[str, object]) -> tuple[dict[str, object], Mapping[str, object]]:
    """Return the policy's document with what the options say of it, and what a file says of the rollout."""
    from lockgate.wiring import read_policy_file

    if call["file"] and call["policy"]:
        raise UsageError("-f and --policy both name a policy", advice="Call with one of them.")
    path, metrics = call["file"] or call["policy"], call["metrics"]
    document: Mapping[str, object] = {} if path is None else read_policy_file(str(path))
    beside, document = apart(document) if call["file"] else ({}, document)
    if metrics and "gates" in document:
        raise UsageError("the file and --metric both name gates", advice="Name the metrics in the file.")
    stated: dict[str, object] = {name: call[name] for name in POLICY_OPTIONS if call[name] is not None}
    if call["require_pairwise"]:
        stated["require_pairwise"] = True
    if isinstance(metrics, tuple) and metrics:
        stated["gates"] = [{"metric": name} for name in dict.fromkeys(metrics)]
    return {**document, **stated}, beside
