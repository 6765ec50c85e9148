# SPDX-License-Identifier: Apache-2.0
"""The options of a call and a file that declares a rollout come in; the one declaration that they make goes out.

Options win over the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lockgate.cli import local
from lockgate.core.link import Link
from lockgate.errors import UsageError

# What a rollout's file may say beside its policy.
ROLLOUT_FIELDS = ("baseline", "candidate", "since", "links")
POLICY_OPTIONS = ("mode", "steps", "min_runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What is to be tried: the candidate of an app, against a baseline, under a policy document."""

    app: str
    candidate: str
    baseline: str | None
    since_s: int | None
    links: tuple[Link, ...]
    policy: Mapping[str, object]


def declared(call: Mapping[str, object]) -> Declared:
    """Return what a call of `create` declares."""
    document, beside = _document(call)
    since = call["since"] if call["since"] is not None else beside.get("since")
    return Declared(
        app=_needed("app-id", call["app_id"] or document.get("app")),
        candidate=_needed("candidate", call["candidate"] or beside.get("candidate")),
        baseline=_text("baseline", call["baseline"] or beside.get("baseline")),
        since_s=None if since is None else int(local.seconds(str(since))),
        links=(*_links(beside.get("links", {})), *_named(call["links"])),
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


def _links(value: object) -> Iterator[Link]:
    """Yield the links of a file."""
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for pair in value.items() for text in pair):
        raise UsageError("links in the file are not names with addresses", advice="Write `links: {ci: https://...}`.")
    yield from value.items()


def _named(texts: object) -> Iterator[Link]:
    """Yield the links of options."""
    assert isinstance(texts, tuple)
    for text in texts:
        name, equals, url = text.partition("=")
        if not equals:
            raise UsageError(f"--link {text!r} has no address", advice="Write --link NAME=URL.")
        yield name, url


def _document(call: Mapping[str, object]) -> tuple[dict[str, object], Mapping[str, object]]:
    """Return the policy's document with what the options say of it, and what a file says of the rollout."""
    from lockgate.wiring import read_policy_file

    if call["file"] and call["policy"]:
        raise UsageError("-f and --policy both name a policy", advice="Call with one of them.")
    path, metrics = call["file"] or call["policy"], call["metrics"]
    document = {} if path is None else dict(read_policy_file(str(path)))
    beside = {name: document.pop(name) for name in ROLLOUT_FIELDS if call["file"] and name in document}
    if metrics and "gates" in document:
        raise UsageError("the file and --metric both name gates", advice="Name the metrics in the file.")
    stated: dict[str, object] = {name: call[name] for name in POLICY_OPTIONS if call[name] is not None}
    if call["require_pairwise"]:
        stated["require_pairwise"] = True
    if isinstance(metrics, tuple) and metrics:
        stated["gates"] = [{"metric": name} for name in dict.fromkeys(metrics)]
    return {**document, **stated}, beside
