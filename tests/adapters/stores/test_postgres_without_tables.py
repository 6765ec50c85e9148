# SPDX-License-Identifier: Apache-2.0
"""A database without the tables of a store comes in; commands must say which it is and what makes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from tests.adapters.stores.postgres_stores import url
from tests.doors.line import Door

__all__ = ["url"]

pytestmark = pytest.mark.postgres

PASSWORD = "hush-hush"  # noqa: S105 -- the cluster of the tests asks for none


@pytest.mark.clause("CL-80")
def test_a_database_without_tables_is_named_with_what_makes_them(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not the folder of keys beside it, and never the password."""
    door = Door(capsys)
    scheme, rest = url.split("://")
    role, place = rest.split("@")
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOCKGATE_STORE", f"{scheme}://{role.partition(':')[0]}:{PASSWORD}@{place}")
    host, _, database = place.partition("/")

    codes, said = [], []
    for call in (("list",), ("apps",), ("keys", "list"), ("fsck",)):
        codes.append(door(*call))
        said.append(door.out + door.err)

    assert codes == [exit_codes.OK.code, *[exit_codes.USAGE.code] * 3]
    for words in said:
        assert f"here is no store in PostgreSQL at {host}, database {database.partition('?')[0]} yet" in words
        assert "`lockgate store migrate`" in words
        assert "LOCKGATE_HOME" not in words
        assert str(tmp_path) not in words
        assert PASSWORD not in words
