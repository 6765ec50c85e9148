# SPDX-License-Identifier: Apache-2.0
"""A metric's name comes in; what it measures, how, and which direction is worse go out.

A name is `name` or `name:stat`.
`error_rate`, `timeout_rate` and `pass_rate` are shares of runs;
the numeric fields of the run record take `mean`, a quantile such as `p95` or `p99.9`, `rate` (events per run);
a score that is true or false takes `pass`; everything takes `paired` (losses against wins by probe).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from fractions import Fraction

from lockgate.errors import UsageError


class Kind(StrEnum):
    """How runs become a number."""

    BINARY = "binary"
    MEAN = "mean"
    QUANTILE = "quantile"
    RATE = "rate"
    PAIRED = "paired"


class Worse(StrEnum):
    """Which direction of a metric is worse."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Metric:
    """One measurable: its name, the run field that it reads, its kind and its worse direction."""

    name: str
    field: str
    kind: Kind
    worse: Worse
    quantile: Fraction | None = None

    @property
    def is_share(self) -> bool:
        """Say whether the value is a share of runs, shown in percent."""
        return self.kind is Kind.BINARY

    @property
    def is_score(self) -> bool:
        """Say whether the field is an evaluator's score, whose natural range is 0 to 1."""
        return self.field.startswith(SCORE_PREFIX)


SCORE_PREFIX = "scores."
SHARES = {"error_rate": Worse.HIGHER, "timeout_rate": Worse.HIGHER, "pass_rate": Worse.LOWER}
FIELDS = ("latency_ms", "ttft_ms", "cost", "input_tokens", "output_tokens")
FIELD_STATS = "mean, rate, paired or a quantile such as p95"
# The tail that a sketch of bins can still tell from its last bin: one run in a million.
MAX_QUANTILE_DIGITS = 4

_QUANTILE = re.compile(rf"p(?P<percent>\d{{1,2}}(\.\d{{1,{MAX_QUANTILE_DIGITS}}})?)")
_SCORE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}")


def parse_metric(text: str, worse: Worse | None = None) -> Metric:
    """Return the metric that a name means, or raise a UsageError that lists what there is."""
    name, _, stat = text.strip().partition(":")
    metric = _share(name, stat) if name in SHARES else _field(name, stat)
    return metric if worse is None else replace(metric, worse=worse)


def _share(name: str, stat: str) -> Metric:
    if stat == "":
        return Metric(name, name, Kind.BINARY, SHARES[name])
    if stat == "paired":
        return Metric(f"{name}:paired", name, Kind.PAIRED, SHARES[name])
    raise UsageError(f"{name} has no stat '{stat}'", advice=f"Write {name} or {name}:paired.")


def _field(name: str, stat: str) -> Metric:
    if name not in FIELDS and not _is_score_name(name):
        known = ", ".join([*SHARES, *(f"{field}:p95" for field in FIELDS[:2]), *FIELDS[2:]])
        raise UsageError(
            f"unknown metric '{name}'{_meant(name, stat)}",
            advice=f"Known metrics: {known}, scores.NAME; with a stat: {FIELD_STATS}.",
        )
    worse = Worse.LOWER if name.startswith(SCORE_PREFIX) else Worse.HIGHER
    full = f"{name}:{stat}" if stat not in ("", "mean") else name
    if stat in ("", "mean"):
        return Metric(full, name, Kind.MEAN, worse)
    if stat == "rate":
        return Metric(full, name, Kind.RATE, worse)
    if stat == "paired":
        return Metric(full, name, Kind.PAIRED, worse)
    if stat == "pass" and name.startswith(SCORE_PREFIX):
        return Metric(full, name, Kind.BINARY, Worse.LOWER)
    match = _QUANTILE.fullmatch(stat)
    if match is None or Fraction(match["percent"]) == 0:
        raise UsageError(f"{name} has no stat '{stat}'", advice=f"Write {name}:STAT with STAT {FIELD_STATS}.")
    return Metric(full, name, Kind.QUANTILE, worse, Fraction(match["percent"]) / 100)


def _meant(name: str, stat: str) -> str:
    """Return a question about the name that may be meant; what is near no field may be a score."""
    known = (*SHARES, *FIELDS)
    begun = [field for field in known if name and field.startswith(f"{name}_")]
    near = begun or get_close_matches(name.lower(), known, 1)
    if not near and _SCORE_NAME.fullmatch(name) is None:
        return ""
    field = near[0] if near else f"{SCORE_PREFIX}{name}"
    return f"; did you mean {field}{f':{stat}' if stat else ''}?"


def _is_score_name(name: str) -> bool:
    return name.startswith(SCORE_PREFIX) and _SCORE_NAME.fullmatch(name.removeprefix(SCORE_PREFIX)) is not None
