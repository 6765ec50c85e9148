# SPDX-License-Identifier: Apache-2.0
"""The environment comes in; what remembers outside of the store how far each log had come goes out."""

from __future__ import annotations

import os
from pathlib import Path

from lockgate.errors import UsageError
from lockgate.ports.high_water import HighWater

STATE, STORE = "LOCKGATE_STATE", "LOCKGATE_STORE"


def high_water() -> HighWater:
    """Return what LOCKGATE_STATE names: a folder, or a database beside the folder that is the usual one."""
    from lockgate.adapters.marks.state_files import StateFiles

    own = os.environ.get(STATE)
    if not own:
        return StateFiles(_usual_folder())
    if "://" not in own:
        return StateFiles(Path(own).expanduser())
    from lockgate.adapters.marks.database import DatabaseMarks

    if own == os.environ.get(STORE):
        raise UsageError(
            f"{STATE} names the database of the store, with which it would be put back",
            advice="Name another database, which is not restored together with the store.",
        )
    return DatabaseMarks(own, StateFiles(_usual_folder()))


def _usual_folder() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "lockgate"
