# SPDX-License-Identifier: Apache-2.0
"""Files of the log's key, as people copy them, come in; audit.sh must read each, and name one that holds no key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.testing.signers import seeded_signers
from lockgate.testing.world import World
from lockgate.wiring import memory_store
from tests.interop.test_audit_script import Audit, audit, tools, whole
from tests.spec.bundles import bundled
from tests.spec.line import created

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
def test_a_key_that_ends_with_a_plus_is_read_whole(audit: Audit) -> None:
    """One of a hundred keys in base64 has its only plus there, where a shell takes it for an end."""
    here = World(memory_store(), 3)
    files = bundled(here.house, created(here).rollout.id)[0]
    audit.key.write_bytes(seeded_signers(3).receipt.public_key_pem)
    audit.log_key.unlink()
    audit.put(files)

    done = audit.check()

    assert (audit.log_key.read_bytes().count(b"+"), audit.log_key.read_bytes()[-2:]) == (3, b"+\n")
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
