# SPDX-License-Identifier: Apache-2.0
"""Files of the log's key, as people copy them, come in; audit.sh must read each, and name one that holds no key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.test_audit_script import Audit, audit, tools, whole

pytestmark = pytest.mark.interop
__all__ = ["audit", "tools", "whole"]
COPIES: dict[str, Callable[[bytes], bytes]] = {
    "as it was published": lambda key: key,
    "without its last line break": lambda key: key.rstrip(b"\n"),
    "with the line breaks of another system": lambda key: key.replace(b"\n", b"\r\n"),
    "behind a key of another log": lambda key: key.replace(b"lockgate", b"another", 1) + key,
}


@pytest.mark.clause("EX-42")
@pytest.mark.parametrize("copy", COPIES)
def test_the_log_s_key_is_read_however_it_was_copied(audit: Audit, copy: str) -> None:
    """A page, an editor or a mail changes the ends of lines, and nobody is accused for that."""
    audit.log_key.write_bytes(COPIES[copy](audit.log_key.read_bytes()))

    done = audit.check()

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.clause("EX-42")
@pytest.mark.parametrize("text", ["", "\n", "no key\n", "-----BEGIN PUBLIC KEY-----\n"])
def test_a_file_without_a_key_of_a_log_is_named(audit: Audit, tmp_path: Path, text: str) -> None:
    """The call is wrong, and not the bundle."""
    empty = tmp_path / "empty.txt"
    empty.write_text(text)

    done = audit.run("--key", audit.key, "--log-key", empty)

    assert done.returncode == 2
    assert f"{empty} is no key of a log" in done.stderr
