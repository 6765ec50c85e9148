# SPDX-License-Identifier: Apache-2.0
"""What a server does, and what its store holds, comes in; metrics for Prometheus go out.

No label has a value that callers make up: neither paths nor apps, and a method that nobody knows is `other`. Counters
and histograms are of one process, gauges of the store and so the same at every server on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as MetricFamily
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from lockgate import __version__
from lockgate.core.decision.decision import Action
from lockgate.operations.soundness.store_gauges import Gauges
from lockgate.operations.tick import Turn
from lockgate.server.meter import Meter
from lockgate.server.problem import HELD, INTERNAL, UNREACHABLE, UNSOUND

OPENMETRICS = "application/openmetrics-text"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
OTHER = "other"
# What is worth an alarm is there before it happens, so that its first time is seen as a rise.
OF_STORE_ITSELF = (HELD, UNREACHABLE, UNSOUND, INTERNAL)
FAST = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table: a metric by the name that is scraped."""

    name: str
    kind: str
    meaning: str
    labels: tuple[str, ...] = ()


REQUESTS = Metric("lockgate_http_requests_total", "counter", "Calls that were answered.", ("method", "route", "status"))
REQUEST_SECONDS = Metric(
    "lockgate_http_request_seconds", "histogram", "How long calls took, to the last byte.", ("method", "route")
)
PROBLEMS = Metric(
    "lockgate_problems_total", "counter", "Calls of endpoints that were answered by a problem, by its type.", ("type",)
)
RUNS = Metric("lockgate_runs_ingested_total", "counter", "Runs that were kept.")
TURNS = Metric("lockgate_turns_total", "counter", "Turns of the loop, by what they decided.", ("action",))
TURN_PROBLEMS = Metric("lockgate_turn_problems_total", "counter", "Turns that could not be taken.")
ROUND_SECONDS = Metric("lockgate_round_seconds", "histogram", "How long a turn, or a turn of all rollouts, took.")
BUILD = Metric("lockgate_build_info", "info", "The version that runs.", ("version",))
OF_PROCESS = (REQUESTS, REQUEST_SECONDS, PROBLEMS, RUNS, TURNS, TURN_PROBLEMS, ROUND_SECONDS, BUILD)

ROLLOUTS = Metric("lockgate_rollouts", "gauge", "Rollouts: active, paused, or ended.", ("mode", "status"))
DELIVERIES = Metric("lockgate_deliveries", "gauge", "Messages to receivers: due, or given up.", ("state",))
OLDEST_DUE = Metric("lockgate_oldest_due_seconds", "gauge", "How long the oldest message has waited that is due.")
LAGGARD = Metric("lockgate_laggard_seconds", "gauge", "How long ago the active rollout was ticked that waits longest.")
LOG = Metric("lockgate_log_entries", "gauge", "Entries of the log of receipts.")
SIGNING = Metric(
    "lockgate_signing", "gauge", "1 where this server has the keys that sign, else 0: then nothing is decided."
)
OF_STORE = (ROLLOUTS, DELIVERIES, OLDEST_DUE, LAGGARD, LOG, SIGNING)


class Metrics(Meter):
    """Counts what one process does, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = self._counter(REQUESTS)
        self._request_seconds = self._histogram(REQUEST_SECONDS)
        self._problems = self._counter(PROBLEMS)
        self._runs = self._counter(RUNS)
        self._turns = self._counter(TURNS)
        self._turn_problems = self._counter(TURN_PROBLEMS)
        self._round_seconds = self._histogram(ROUND_SECONDS)
        Info(BUILD.name.removesuffix("_info"), BUILD.meaning, registry=self._registry).info({"version": __version__})
        for kind in OF_STORE_ITSELF:
            self._problems.labels(kind.name)
        for action in (Action.PROMOTE, Action.HOLD, Action.PAUSE, Action.REDUCE, Action.ROLLBACK):
            self._turns.labels(action.value)

    def answered(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count a call by the pattern of its path; None where there is no such path."""
        labels = (method if method in METHODS else OTHER, route or OTHER)
        self._requests.labels(*labels, str(status)).inc()
        self._request_seconds.labels(*labels).observe(seconds)

    def refused(self, problem: str) -> None:
        """Count a problem by the name of its type."""
        self._problems.labels(problem).inc()

    def turned(self, turns: Iterable[Turn], problems: int, seconds: float) -> None:
        """Count turns."""
        for turn in turns:
            self._turns.labels(turn.transition.decision.action.value).inc()
        self._turn_problems.inc(problems)
        self._round_seconds.observe(seconds)

    def ingested(self, runs: int) -> None:
        """Count runs."""
        self._runs.inc(runs)

    def exposition(self, gauges: Gauges, accept: str, *, has_process: bool) -> tuple[bytes, str]:
        """Return what is scraped, and its media type: OpenMetrics where the scraper takes it."""
        both = CollectorRegistry()
        if has_process:
            both.register(_Process(self._registry))
        both.register(_Store(gauges))
        if OPENMETRICS in accept.lower():
            return openmetrics.generate_latest(both), openmetrics.CONTENT_TYPE_LATEST  # type: ignore[no-untyped-call]  # its module has no types
        return generate_latest(both), CONTENT_TYPE_PLAIN_0_0_4

    def _counter(self, metric: Metric) -> Counter:
        name = metric.name.removesuffix("_total")
        return Counter(name, metric.meaning, metric.labels, registry=self._registry)

    def _histogram(self, metric: Metric) -> Histogram:
        return Histogram(metric.name, metric.meaning, metric.labels, registry=self._registry, buckets=FAST)


class _Process(Collector):
    """What a registry counts, without when it began to: that is the same for all, and a series more for each."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[MetricFamily]:
        """Yield each family."""
        for family in self._registry.collect():
            family.samples = [each for each in family.samples if not each.name.endswith("_created")]
            yield family


class _Store(Collector):
    """What a store holds, as gauges."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield each gauge."""
        found = self._gauges
        yield _family(ROLLOUTS, [((mode, status), count) for (mode, status), count in found.rollouts.items()])
        yield _family(DELIVERIES, [((state,), count) for state, count in found.deliveries.items()])
        yield _family(OLDEST_DUE, [((), found.oldest_due_s)])
        yield _family(LAGGARD, [((), found.laggard_s)])
        yield _family(LOG, [((), found.log_entries)])
        yield _family(SIGNING, [((), found.has_keys)])


def _family(metric: Metric, rows: Sequence[tuple[tuple[str, ...], float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in rows:
        family.add_metric(labels, value)
    return family
