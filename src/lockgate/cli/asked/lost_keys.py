# SPDX-License-Identifier: Apache-2.0
"""A call that takes traffic away comes in; where its keys are lost, what it takes to do it all the same goes out."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lockgate.errors import NotPermittedError

NEW_KEYS = "lockgate new-keys"


@contextmanager
def with_lost_keys(words: Sequence[str], reason: str, by: str | None) -> Iterator[None]:
    """Let a call that takes traffic away and finds its keys lost be answered with all that it takes to do it now."""
    try:
        yield
    except NotPermittedError as error:
        if NEW_KEYS not in (error.advice or ""):
            raise
        who = [] if by is None else ["--by", by]
        again = shlex.join(["lockgate", *words, "--reason", reason, *who, "--yes"])
        raise NotPermittedError(
            error.message, advice=f"{error.advice}\nTo do it now: {NEW_KEYS} --reason TEXT --yes && {again}"
        ) from error
