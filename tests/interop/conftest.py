# SPDX-License-Identifier: Apache-2.0
"""What tests with real routers share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder with a short name, because that of a socket is bounded."""
    made = Path(tempfile.mkdtemp(prefix="lg-"))
    # nginx's workers are another user.
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)
