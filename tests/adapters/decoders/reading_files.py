# SPDX-License-Identifier: Apache-2.0
"""The text of a file comes in; what reading it gives, or the error that it ends with, goes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.core.bucket import Bucket
from lockgate.core.intake import Intake, Question
from lockgate.errors import LockgateError
from lockgate.wiring import run_files

QUESTION = Question(baseline="v36", candidate="abc123")
GOOD = '{"release":"v36","latency_ms":1}'


def read(*paths: Path | str, question: Question = QUESTION) -> Intake:
    """Read files."""
    return run_files().read([str(path) for path in paths], question, lambda _done, _total: None)


def read_text(folder: Path, text: str | bytes, suffix: str = ".ndjson") -> Bucket:
    """Return the baseline's bucket of a file with this content."""
    return read(write(folder, text, suffix)).bucket("v36")


def write(folder: Path, text: str | bytes, suffix: str = ".ndjson") -> Path:
    """Write a file of runs."""
    path = folder / f"runs{suffix}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(*paths: Path | str, question: Question = QUESTION) -> LockgateError:
    """Return the error that reading ends with."""
    with pytest.raises(LockgateError) as caught:
        read(*paths, question=question)
    return caught.value
