# SPDX-License-Identifier: Apache-2.0
"""Names and labels come in; the app, its releases and the slices that its runs are tallied by go out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lockgate.core.instant import Instant
from lockgate.core.intake import WHOLE, Slice
from lockgate.errors import UsageError

DEFAULT_ORG = "default"
DEFAULT_BUCKET_S = 60
# Runs with further combinations of labels are tallied together: one row each would let labels fill the store.
MAX_SLICES = 64
# No run can have it, because a label has a name.
OTHER: Slice = (("", "other"),)
_NAME = re.compile(r"[^\W_][^\s\x00-\x1f\x7f]{0,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What is released. `slices` are the combinations of labels that have tallies of their own.

    `champion` is the release that last reached full exposure, `former_champion` the one before it.
    `frozen`: why nothing may start or be promoted; None when it may.
    """

    name: str
    bucket_s: int = DEFAULT_BUCKET_S
    champion: str | None = None
    former_champion: str | None = None
    frozen: str | None = None
    slices: tuple[Slice, ...] = ()

    def with_slice(self, part: Slice) -> App:
        """Return the app that tallies one more combination of labels, if there is room."""
        is_known = part == WHOLE or part in self.slices or len(self.slices) >= MAX_SLICES
        return self if is_known else replace(self, slices=(*self.slices, part))

    def slice_of(self, part: Slice) -> Slice:
        """Return by which combination of labels a run is tallied."""
        return part if part == WHOLE or part in self.slices else OTHER

    def crowned(self, release: str, before: str) -> App:
        """Return the app whose traffic a release has taken over from the one before."""
        if release == self.champion:
            return self
        return replace(self, champion=release, former_champion=self.champion or before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version of an app, known from the first run or rollout that names it."""

    app: str
    name: str
    first_seen_at: Instant


def slice_from(labels: Mapping[str, str | None] | None) -> Slice:
    """Return a run's labels as a slice."""
    if not labels:
        return WHOLE
    return tuple(sorted((name, value) for name, value in labels.items() if value is not None))


def check_name(noun: str, name: str) -> str:
    """Return a name that can be stored, or refuse it."""
    if _NAME.fullmatch(name):
        return name
    raise UsageError(
        f"{name[:60]!r} is not the name of {noun}",
        advice="A name begins with a letter or digit and has at most 256 characters, none of them blank.",
    )
