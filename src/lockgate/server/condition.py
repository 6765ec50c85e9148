# SPDX-License-Identifier: Apache-2.0
"""The entity tag of what a call is about and the call's conditions come in; whether they hold (RFC 9110) goes out.

A tag is a rollout's revision or an app's version: it changes with what is decided or done, not with each run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lockgate.errors import UsageError
from lockgate.server.problem import STALE, ProblemError

ANY = "*"
IF_MATCH, IF_NONE_MATCH = "if-match", "if-none-match"
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_LIST = re.compile(rf"[ \t,]*(?:{_TAG.pattern}[ \t]*(?:,[ \t,]*|$))+")


def tag_of(number: int) -> str:
    """Return the entity tag of a revision or a version."""
    return f'"{number}"'


def has_condition(headers: Mapping[str, str]) -> bool:
    """Say whether a call is to be done under a condition only."""
    return IF_MATCH in headers or IF_NONE_MATCH in headers


def check_conditions(headers: Mapping[str, str], tag: str | None, *, is_change: bool) -> bool:
    """Say whether what a call asks for is to be sent; refuse it where its condition does not hold.

    `tag` is the current one, with its quotes, None where there is none.
    """
    wanted = headers.get(IF_MATCH)
    if wanted is not None and not _is_strong(wanted, tag):
        raise _stale(tag)
    unwanted = headers.get(IF_NONE_MATCH)
    if unwanted is None or not _is_weak(unwanted, tag):
        return True
    if is_change:
        raise _stale(tag)
    return False


def _is_strong(text: str, tag: str | None) -> bool:
    """Say whether one of the tags is this very one; a weak tag never is."""
    if text.strip() == ANY:
        return True
    return any(not is_weak and f'"{opaque}"' == tag for is_weak, opaque in _tags(text))


def _is_weak(text: str, tag: str | None) -> bool:
    if text.strip() == ANY:
        return tag is not None
    return any(f'"{opaque}"' == tag for _, opaque in _tags(text))


def _tags(text: str) -> list[tuple[str, str]]:
    if not _LIST.fullmatch(text):
        raise UsageError("a condition is no list of entity tags", advice='Send If-Match: "7", the ETag of an answer.')
    return _TAG.findall(text)


def _stale(tag: str | None) -> ProblemError:
    if tag is None:
        return ProblemError(STALE, "what this path names has no ETag", "Leave the condition out.")
    return ProblemError(STALE, f"what this path names has ETag {tag} by now", "GET it and look again, then decide.")
