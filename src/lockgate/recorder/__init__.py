# SPDX-License-Identifier: Apache-2.0
"""Applications record their runs by what is handed out here, which loads the standard library only."""

from lockgate.recorder.backlog import Counts
from lockgate.recorder.recorder import Bounds, Recorder, counts, flush, record
from lockgate.recorder.run import Run, current_run

__all__ = ["Bounds", "Counts", "Recorder", "Run", "counts", "current_run", "flush", "record"]
