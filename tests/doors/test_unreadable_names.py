# SPDX-License-Identifier: Apache-2.0
"""Names that are no UTF-8 text, or that no screen shows, come in; each call is refused as a slip: docs/spec.md."""

from __future__ import annotations

import pytest

from tests.doors.line import APP, Door

BAD = "a\udcff"
CALLS = (
    ("create", "--app-id", BAD, "--baseline", "v1", "--candidate", "v2"),
    ("create", "--app-id", APP, "--baseline", "v1", "--candidate", BAD),
    ("runs", "--app-id", BAD),
    ("list", "--app-id", BAD),
    ("freeze", "--app-id", BAD, "--reason", "x"),
    ("freeze", "--app-id", APP, "--reason", BAD),
    ("kill", "--app-id", BAD, "--reason", "x", "--yes"),
    ("show", BAD),
    ("explain", BAD),
    ("tick", "--id", BAD),
    ("receipts", BAD),
    ("rollback", "--id", BAD, "--reason", "x", "--yes"),
    ("prune", "--release-pins", BAD),
    ("compare", "--app-id", BAD, "--baseline", "v1", "--candidate", "v2"),
)


@pytest.mark.clause("LI-466")
@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_an_argument_that_is_no_text_is_a_slip(words: tuple[str, ...], door: Door) -> None:
    """No traceback, and nothing is stored."""
    door("create", "--app-id", APP, "--baseline", "v1", "--candidate", "v2")

    assert door(*words) == 64, door.err
    assert "Traceback" not in door.err


@pytest.mark.clause("LI-466")
@pytest.mark.parametrize("name", ["a\u202eb", "a\u2066b", "a\u200bb", "a\x85b", "a\ufeffb"])
def test_a_name_that_no_screen_shows_as_it_is_is_refused(name: str, door: Door) -> None:
    """What turns letters round, or hides between them, would show one name as another."""
    assert door("create", "--app-id", name, "--baseline", "v1", "--candidate", "v2") == 64
    assert "is not the name of an app" in door.err
