# SPDX-License-Identifier: Apache-2.0
"""Runs of more releases than are told apart come in; the counts of the named ones stay their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.decoders.reading_files import read, write


@pytest.mark.clause("BU-03")
def test_a_release_may_have_the_name_of_the_rest(tmp_path: Path) -> None:
    """What is not named is counted beside a release that is called the same."""
    lines = ['{"release":"and more","status":"ok"}'] * 3
    lines += [f'{{"release":"r{number:04}","status":"ok"}}' for number in range(1_009)]
    path = write(tmp_path, "\n".join(lines))

    releases = read(path).releases

    assert (releases["and more"], releases["(and more)"]) == (3, 10)
    assert sum(releases.values()) == 1_012
