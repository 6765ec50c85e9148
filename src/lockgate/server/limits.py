# SPDX-License-Identifier: Apache-2.0
"""Rates come in; a call of a key is let through by them, or refused with the time after which to try again.

What brings a rollback nearer is never held back altogether: each key may do each of it once a second, whatever else
was done. Whoever fails to show a key is slowed down as well, and nobody else by that: a right key is always let in.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lockgate.server.caller import Caller
from lockgate.server.problem import TOO_MANY, ProblemError
from lockgate.server.rates import Rate, Standing, Usage

# What a call costs of the bytes at least, so that no flood of empty ones is free.
LEAST_BYTES = 16 * 1024
# What the keys of an organisation may together, of what one may.
OF_ORG = 4
# Whole numbers are told of what is so near to one.
SLACK = 1e-3
UNLIMITED = Rate(0.0)
# Each key may do as much at once as these many seconds bring.
BURST_S, RUN_BURST_S = 2.0, 4.0
FAILURES = Rate(2.0, 30.0)
RESERVE = Rate(1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How much each key may: calls, and bytes of runs, which are counted instead; how often anybody may fail."""

    calls: Rate = UNLIMITED
    run_bytes: Rate = UNLIMITED
    failures: Rate = UNLIMITED


def usual_rates(calls: float, run_mib: float) -> Rates:
    """Return the rates of a server for so many calls, and MiB of runs, a second of each key; 0 is no limit.

    Without a limit of calls nobody who fails is slowed down either.
    """
    return Rates(
        calls=Rate(calls, BURST_S),
        run_bytes=Rate(run_mib * 2**20, RUN_BURST_S),
        failures=FAILURES if calls else UNLIMITED,
    )


@dataclass(frozen=True, slots=True)
class Demand:
    """What a call asks of its key's rates: `is_runs` is counted by bytes; `urgent` names what may be done anyway."""

    caller: Caller
    is_runs: bool = False
    urgent: Callable[[], str | None] = lambda: None


class Limits:
    """The rates of all callers of this server; `seconds` is a clock that never goes back."""

    def __init__(self, rates: Rates | None = None, seconds: Callable[[], float] = time.monotonic) -> None:
        found = rates or Rates()
        self._seconds = seconds
        self._calls = _both(found.calls)
        self._bytes = _both(found.run_bytes)
        self._reserve = Usage(RESERVE)
        self._failures = Usage(found.failures)

    def admit(self, demand: Demand) -> Mapping[str, str]:
        """Let a call through and return the headers that say how its key stands, or refuse it."""
        name, used = ("bytes", self._bytes) if demand.is_runs else ("calls", self._calls)
        cost, now = LEAST_BYTES if demand.is_runs else 1, self._seconds()
        if not used[0].rate.per_second:
            return {}
        stands = [each.take(who, now, cost) for each, who in zip(used, _names(demand.caller), strict=True)]
        worst = max(stands, key=lambda each: each.wait_s)
        if not worst.is_within and not self._is_reserved(demand, now):
            whose = "key" if worst is stands[0] else "organisation"
            raise _too_many(f"the {whose} has made too many calls", worst, _headers(name, used[0].rate, worst))
        return _headers(name, used[0].rate, stands[0])

    def _is_reserved(self, demand: Demand, now: float) -> bool:
        urgent = demand.urgent()
        return urgent is not None and self._reserve.take((*_names(demand.caller), urgent), now).is_within

    def count(self, demand: Demand, size: int) -> None:
        """Count the bytes of a call that was let through."""
        if demand.is_runs and size > LEAST_BYTES:
            now = self._seconds()
            for used, who in zip(self._bytes, _names(demand.caller), strict=True):
                used.take(who, now, size - LEAST_BYTES, is_forced=True)

    def fail(self, *who: str) -> None:
        """Count a failure to show a key, or a token, and slow down whoever fails too often."""
        now = self._seconds()
        stands = [self._failures.take(each, now) for each in who]
        worst = max(stands, key=lambda each: each.wait_s)
        if not worst.is_within:
            raise _too_many("too many calls came from there without a key that opens anything", worst, {})


def _both(rate: Rate) -> tuple[Usage, Usage]:
    """Return what keys and what organisations use."""
    return Usage(rate), Usage(Rate(rate.per_second * OF_ORG, rate.seconds))


def _names(caller: Caller) -> tuple[str, str]:
    return f"{caller.org} {caller.name}", caller.org


def _headers(name: str, rate: Rate, standing: Standing) -> dict[str, str]:
    """Return how a key stands, as draft-ietf-httpapi-ratelimit-headers writes it."""
    unit = ';qu="content-bytes"' if name == "bytes" else ""
    return {
        "ratelimit-policy": f'"{name}";q={math.floor(rate.quota)};w={math.ceil(rate.seconds)}{unit}',
        "ratelimit": f'"{name}";r={math.floor(standing.left + SLACK)};t={math.ceil(standing.full_s - SLACK)}',
    }


def _too_many(detail: str, standing: Standing, headers: Mapping[str, str]) -> ProblemError:
    wait = max(1, math.ceil(standing.wait_s - SLACK))
    advice = f"Try again in {wait} s, and wait longer each time."
    return ProblemError(TOO_MANY, detail, advice, {**headers, "retry-after": str(wait)})
