# SPDX-License-Identifier: Apache-2.0
"""A recorded and a recomputed value come in; where they first differ goes out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from lockgate.core.canonical import Json


class Missing:
    """What stands for a value that is not there."""


MISSING = Missing()
Found = Json | Missing


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two values first differ: the path to it, and what either holds there as JSON; None where nothing is."""

    path: str
    recorded: str | None
    recomputed: str | None

    def sentence(self) -> str:
        """Return it in words."""
        recorded, recomputed = (each or "nothing" for each in (self.recorded, self.recomputed))
        return f"{self.path} is recorded as {recorded}, and recomputed as {recomputed}"

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {"path": self.path, "recorded": self.recorded, "recomputed": self.recomputed}


def first_difference(recorded: Json, recomputed: Json, path: str = "$") -> Difference | None:
    """Return where two JSON values first differ, members by name; None where they are the same."""
    return _between(path, recorded, recomputed)


def _between(path: str, recorded: Found, recomputed: Found) -> Difference | None:
    if isinstance(recorded, Mapping) and isinstance(recomputed, Mapping):
        names = sorted({*recorded, *recomputed})
        parts = ((f"{path}.{name}", recorded.get(name, MISSING), recomputed.get(name, MISSING)) for name in names)
    elif _is_list(recorded) and _is_list(recomputed):
        length = max(len(recorded), len(recomputed))
        parts = ((f"{path}[{at}]", _at(recorded, at), _at(recomputed, at)) for at in range(length))
    else:
        is_same = type(recorded) is type(recomputed) and recorded == recomputed
        return None if is_same else Difference(path, _shown(recorded), _shown(recomputed))
    found = (_between(*part) for part in parts)
    return next((each for each in found if each is not None), None)


def _is_list(value: Found) -> TypeGuard[Sequence[Json]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _at(value: Sequence[Json], place: int) -> Found:
    return value[place] if place < len(value) else MISSING


# What is shown of a value that is long.
MAX_SHOWN = 300


def _shown(value: Found) -> str | None:
    if isinstance(value, Missing):
        return None
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
