# SPDX-License-Identifier: Apache-2.0
"""Programs that do not serve come in; starting them must end, say why, and leave nothing running."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lockgate.demo.router import free_port, started
from lockgate.errors import UnreachableError


@pytest.mark.clause("LI-161")
def test_a_router_that_does_not_start_is_told(tmp_path: Path) -> None:
    """What it said itself is in the message, and the advice is the router that needs no other program."""
    program = [sys.executable, "-c", "import sys; sys.exit('no such option')"]

    with pytest.raises(UnreachableError, match="does not listen: no such option") as caught:
        started(program, free_port(), tmp_path / "log")

    assert "--router own" in caught.value.advice
