# SPDX-License-Identifier: Apache-2.0
"""Calls to compare come in; their times, taken in turn so that other load falls on all alike, go out."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

RESULTS = Path(__file__).resolve().parent / "results"


def interleaved(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each call in each round; every round makes each call once, after one round unmeasured."""
    for call in calls.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = perf_counter()
            call()
            seconds[name].append(perf_counter() - start)
    return seconds


def milliseconds(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the median of each call in milliseconds."""
    return {name: round(1000 * median(times), 4) for name, times in seconds.items()}


def write(name: str, results: Mapping[str, Any]) -> Path:
    """Write the results with what they were measured on, and return where they are."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    measured_on = {"python": platform.python_version(), "numpy": np.__version__}
    path.write_text(json.dumps({**results, **measured_on}, indent=2) + "\n", encoding="utf-8")
    return path
