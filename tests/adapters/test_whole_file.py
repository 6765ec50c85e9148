# SPDX-License-Identifier: Apache-2.0
"""A file that is written whole comes in; what is in its folder before, while and after it has its name goes out."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from lockgate.adapters.whole_file import whole_file


@pytest.mark.clause("KY-50")
def test_a_file_has_its_name_when_it_is_whole(tmp_path: Path) -> None:
    """Until then it is its owner's alone unless it is public, and nobody who looks by name sees a part."""
    path = tmp_path / "witness-key.txt"

    with whole_file(path, b"bytes", 0o644) as whole:
        assert (whole.read_bytes(), path.exists()) == (b"bytes", False)
        whole.replace(path)

    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"bytes", 0o644)
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.clause("KY-50")
def test_a_file_that_got_no_name_is_gone(tmp_path: Path) -> None:
    """Whatever kept it from its name, no secret is left in the folder under another one."""
    path = tmp_path / "receipt.pem"

    with pytest.raises(ZeroDivisionError), whole_file(path, b"secret") as whole:  # noqa: PT012 -- the block is what raises
        assert stat.S_IMODE(whole.stat().st_mode) == 0o600
        raise ZeroDivisionError

    assert [*tmp_path.iterdir()] == []
