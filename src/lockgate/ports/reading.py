# SPDX-License-Identifier: Apache-2.0
"""Paths or bytes of runs come in; tallies, or batches to be kept, go out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from lockgate.core.batch import RunBatch
from lockgate.core.intake import Intake, Question

# How many bytes are read, and of how many if that is known.
Progress = Callable[[int, int | None], None]

# Raises a DataError where a batch could not be kept.
BatchCheck = Callable[[RunBatch], None]


def accept(_batch: RunBatch) -> None:
    """Accept any batch."""


class RunFiles(Protocol):
    """Reads runs from files.

    `read` tallies every run of the two releases asked for, exactly, and counts the runs of every release.
    A run whose id was read before in the same release is set aside and counted.
    Of several runs of one probe in one release the first is paired.
    The same runs give the same intake in every format and any order of files, with two exceptions that follow the
    order given: which of several runs with one id, or one probe, is the first.

    Duties: whatever is malformed raises a DataError that names file and line, at most ten of them and then a count;
    nothing is skipped, and nothing is returned after a fault. A path that names no file, a folder, or a format that is
    not known raises a UsageError. Memory is bounded whatever the size of a file, but for the ids of runs and probes.
    `progress` is told bytes done and, where the size is known, of how many; a second reading starts again at 0.
    """

    def read(self, paths: Sequence[str], question: Question, progress: Progress) -> Intake:
        """Read all files as one call; `-` is standard input."""
        ...


class RunBatches(Protocol):
    """Decodes runs to be kept.

    Duties: as RunFiles about what is malformed. A file is looked through whole before its first batch comes out, so
    that of a file with a fault nothing is kept. The same bytes are cut into the same batches.
    A run without `app_id` is of the app that is given; without either it is malformed.
    """

    def read(
        self, paths: Sequence[str], app: str | None, progress: Progress, check: BatchCheck = accept
    ) -> Iterator[RunBatch]:
        """Yield the runs of all files; `-` is standard input. `check` sees every batch before the first comes out."""
        ...

    def decode(self, body: bytes, app: str | None) -> RunBatch:
        """Return the runs of one body, a run on each line."""
        ...
