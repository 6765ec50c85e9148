# SPDX-License-Identifier: Apache-2.0
"""Programs that sign come in; rotations let a program follow them, or a file where somebody asked for one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lockgate.core.public_key import PublicKey
from tests.doors.line import Door

SIGN = """#!{python}
import sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex({raw!r}))
sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read()))
"""


def follows(home: Path, role: str, letter: str) -> str:
    """Write the file of a program that is to follow; return the id of its key."""
    key = Ed25519PrivateKey.from_private_bytes(letter.encode() * 32)
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()).hex()
    program = home / f"sign-{role}-{letter}"
    program.write_text(SIGN.format(python=sys.executable, raw=raw), encoding="utf-8")
    program.chmod(0o700)
    public = PublicKey(key.public_key().public_bytes_raw())
    path = home / "home" / "keys" / f"{role}.next.json"
    path.write_text(json.dumps({"program": [str(program)], "publicKeyPem": public.pem.decode()}), encoding="utf-8")
    path.chmod(0o600)
    return public.key_id


@pytest.mark.clause("KY-100", "KY-101", "KY-103")
@pytest.mark.parametrize("role", ["receipt", "log"])
def test_a_key_in_a_service_leaves_it_only_where_that_is_asked_for(home: Path, door: Door, role: str) -> None:
    """Each call that would make a file is refused and makes nothing; a program follows by its file, or a file does."""
    made, keys = door.create(), home / "home" / "keys"
    rotate = ("keys", "rotate", role)
    now = ("--yes", "--end-overlap") if role == "log" else ("--yes",)
    first = follows(home, role, "p")
    assert door(*rotate, "--yes") == 0, door.err
    assert (first in door.out, (keys / f"{role}.json").exists()) == (True, True)
    before = sorted(path.name for path in keys.iterdir())

    stolen = ("--compromised", "--last-good-index", 1, "--yes")
    for words in (now, ("--prepare",), stolen):
        assert door(*rotate, *words) == 64
        assert (f"{role}.next.json" in door.err, "--to-file" in door.err) == (True, True)
    assert sorted(path.name for path in keys.iterdir()) == before

    second = follows(home, role, "q")
    assert door(*rotate, "--prepare") == 0
    assert (second in door.out, f"{role}.next.json" in door.out) == (True, True)
    assert door(*rotate, *now) == 0, door.err
    assert second in door.out
    assert f"The file of the program that signed before is {keys / f'{role}.former.json'};" in door.out
    assert "private key" not in door.out
    assert door("pause", "--id", made, "--reason", "drill") == 0, door.err
    stolen = ("--compromised", "--last-good-index", 3, "--yes")
    assert door(*rotate, *stolen, "--to-file") == 0, door.err
    assert ((keys / f"{role}.pem").exists(), (keys / f"{role}.json").exists()) == (True, False)
    assert door("resume", "--id", made, "--reason", "drill") == 0, door.err
    assert door("fsck") == 0, door.out


@pytest.mark.clause("KY-100")
def test_no_file_follows_a_key_that_signs_no_more(home: Path, door: Door) -> None:
    """`--to-file` is of a rotation, and `--former` lets nothing follow."""
    door.create()
    former = ("--compromised", "--former", "0" * 64, "--last-good-index", 0)

    assert door("keys", "rotate", "log", *former, "--to-file", "--yes") == 64
    assert "no key follows" in door.err
