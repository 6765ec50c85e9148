# SPDX-License-Identifier: Apache-2.0
"""How long the lane of faults runs comes in by FAULTS (short or long); lengths and counts go out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.faults.homes import Homes

IS_LONG = os.environ.get("FAULTS") == "long"
COUNTS: dict[str, int] = {}

KINDS = [pytest.param("files", marks=pytest.mark.faults), pytest.param("PostgreSQL", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session", params=KINDS)
def homes(request: pytest.FixtureRequest) -> Homes:
    """Return what makes stores, of each kind in the lane that has it."""
    if request.param == "files":
        return Homes()
    # Raw runs and what names them are kept in one transaction.
    return Homes(request.getfixturevalue("postgresql"), unreached=frozenset({"store.runs_kept"}))


@pytest.fixture
def seconds() -> Callable[[float, float], float]:
    """Return which of two lengths is wanted: that of every change, or that of the long form."""
    return lambda short, long: long if IS_LONG else short


@pytest.fixture
def count() -> Callable[[str, int], None]:
    """Return what adds to the counts that are printed at the end."""

    def add(what: str, number: int) -> None:
        COUNTS[what] = COUNTS.get(what, 0) + number

    return add


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None] | None:
    """Print the counts."""
    if COUNTS:
        terminalreporter.write_line("faults: " + ", ".join(f"{number:,} {what}" for what, number in COUNTS.items()))
    return None
