# SPDX-License-Identifier: Apache-2.0
"""Names and labels come in; the app, its releases and the slices that its runs are tallied by go out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lockgate.core.canonical import Json, name_of
from lockgate.core.dedupe import Dedupe
from lockgate.core.instant import Instant
from lockgate.core.intake import WHOLE, Slice
from lockgate.errors import UsageError

DEFAULT_ORG = "default"
DEFAULT_BUCKET_S = 60
# Runs with further combinations of labels are tallied together: one row each would let labels fill the store.
MAX_SLICES = 64
# Of a slot; a batch may name as many releases as it has runs, and each costs a row of every field that one run has.
MAX_RELEASES = 32
# No run can be of it, because a release has a name.
UNNAMED_RELEASE = ""
# No run can have it, because a label has a name.
OTHER: Slice = (("", "other"),)
# Nor what no screen shows, what turns the letters after it round, and what is no character.
_UNSEEN = r"\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
NAME_PATTERN = rf"[^\W_][^\s{_UNSEEN}]{{0,255}}"
_NAME = re.compile(NAME_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What is released. `slices` are the combinations of labels that have tallies of their own.

    `watched`: what gates of active rollouts look at; a run that finds no room among `slices` is tallied by those of
    its labels, so that nobody who sends runs can blind a gate.

    `champion` is the release that has the traffic, but for what is on trial; `former_champion` had it before.
    `bucket_s` and `bucket_runs`: after how long, or how many runs of a candidate on trial, a bucket of live runs seals.
    `kept_from`: the number of the first slot that was not pruned.
    `frozen`: why nothing may start or be promoted; None when it may. `is_killed`: whether a kill froze it.
    `actuator`: the digest of the endpoint that moves its traffic; None where nothing does.
    """

    name: str
    bucket_s: int = DEFAULT_BUCKET_S
    bucket_runs: int | None = None
    champion: str | None = None
    former_champion: str | None = None
    frozen: str | None = None
    is_killed: bool = False
    slices: tuple[Slice, ...] = ()
    watched: tuple[Slice, ...] = ()
    dedupe: Dedupe = field(default_factory=Dedupe)
    kept_from: int = 0
    actuator: str | None = None

    def with_slice(self, part: Slice) -> App:
        """Return the app that tallies one more combination of labels, if there is room."""
        is_known = part == WHOLE or part in self.slices or len(self.slices) >= MAX_SLICES
        return self if is_known else replace(self, slices=(*self.slices, part))

    def slice_of(self, part: Slice) -> Slice:
        """Return by which combination of labels a run is tallied."""
        if part == WHOLE or part in self.slices:
            return part
        found = {pair for each in self.watched if set(each) <= set(part) for pair in each}
        return tuple(sorted(found)) or OTHER

    def deduped(self, dedupe: Dedupe) -> App:
        """Return the app that knows runs that come again by another rule."""
        return replace(self, dedupe=dedupe)

    def crowned(self, release: str, before: str) -> App:
        """Return the app whose traffic a release has taken over from the one before."""
        if release == self.champion:
            return self
        return replace(self, champion=release, former_champion=self.champion or before)

    def resting_on(self, baseline: str) -> App:
        """Return the app of a canary that begins: what the candidate leaves is its baseline's, and no champion's."""
        return self if self.champion in (None, baseline) else self.returned(baseline)

    def returned(self, release: str | None) -> App:
        """Return the app whose traffic an earlier champion has taken back; there is no way further back."""
        return replace(self, champion=release, former_champion=None)

    def dethroned(self, release: str, target: str | None) -> App:
        """Return the app whose traffic goes from a release, its champion or not, to a target."""
        return self.returned(target) if release == self.champion else self

    def froze(self, reason: str, *, is_killed: bool = False) -> App:
        """Return the app in which nothing may start or be promoted; frozen before, it keeps its reason."""
        if self.frozen is not None and self.is_killed >= is_killed:
            return self
        return replace(self, frozen=reason, is_killed=is_killed)

    def unfroze(self) -> App:
        """Return the app in which rollouts may start and be promoted."""
        return replace(self, frozen=None, is_killed=False)

    def moved_by(self, endpoint: str | None) -> App:
        """Return the app whose traffic the endpoint of a digest moves from now on, or nothing."""
        return replace(self, actuator=endpoint)

    def pruned(self, kept_from: int) -> App:
        """Return the app whose slots before a number are gone."""
        return replace(self, kept_from=kept_from)

    def document(self) -> dict[str, Json]:
        """Return the JSON form of where the app stands, without its slices."""
        # Only its digest: a command may name what is nobody else's business, and receipts are for everybody.
        actuator: Json = None if self.actuator is None else {"sha256": self.actuator.removeprefix("sha256:")}
        return {
            "champion": self.champion,
            "formerChampion": self.former_champion,
            "frozen": self.frozen,
            "killed": self.is_killed,
            "actuator": actuator,
        }

    def standing(self) -> dict[str, Json]:
        """Return the JSON form of all that the app's own receipts bind: also which of its buckets were pruned."""
        return {**self.document(), "keptFrom": self.kept_from}


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version of an app, known from the first run or rollout that names it."""

    app: str
    name: str
    first_seen_at: Instant


def series_name(org: str, app: str) -> str:
    """Return the id under which an app's own receipts are counted, as a rollout's are under its."""
    return name_of("app", org, app)


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
        advice="A name begins with a letter or digit and has at most 256 characters, none of them blank or unseen.",
    )
