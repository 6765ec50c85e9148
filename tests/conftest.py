# SPDX-License-Identifier: Apache-2.0
"""Settings that every test shares."""

import os
import shutil
import tempfile

from hypothesis import HealthCheck, settings

from tests.postgresql import postgresql
from tests.replays import (
    pytest_configure,
    pytest_runtest_call,
    pytest_runtest_teardown,
    pytest_sessionfinish,
    pytest_terminal_summary,
)

__all__ = [
    "postgresql",
    "pytest_configure",
    "pytest_runtest_call",
    "pytest_runtest_teardown",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
]

# How long an example takes says something about the machine's load, not about the code.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", UNTIMED)
# A change lands or not by what it does, so that there every run draws the same examples.
settings.register_profile("ci", UNTIMED, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "search")
# What a test does to a log is no business of this machine's own state.
STATE = tempfile.mkdtemp(prefix="lockgate-state-")
os.environ["LOCKGATE_STATE"] = STATE


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(STATE, ignore_errors=True)
