# SPDX-License-Identifier: Apache-2.0
"""A server that refuses runs comes in; the line on the log must read as sentences: docs/spec.md."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from lockgate import Recorder
from tests.recorder.receiving import receiving


@pytest.mark.clause("CL-81")
def test_what_a_server_refuses_is_told_by_sentences_that_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Why it refused and what to do stand apart."""
    with receiving(tmp_path, is_open=False) as kept, caplog.at_level(logging.WARNING, "lockgate"):
        recorder = Recorder(url=kept.url, release="v1")
        with recorder.record("a") as run:
            run.score("s", 1)
        recorder.close(60)

    (told,) = [each.getMessage() for each in caplog.records if "answered 401" in each.getMessage()]
    assert "401: the call has no bearer token. Send " in told
