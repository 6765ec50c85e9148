# SPDX-License-Identifier: Apache-2.0
"""Programs that sign, well or badly, come in; signatures that verify go out, and everything else is refused in time."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lockgate.adapters.signers.key_folder import open_signers
from lockgate.adapters.signers.program import ProgramSigner
from lockgate.core.listed_key import Use
from lockgate.core.public_key import PublicKey
from lockgate.errors import DataError, LockgateError, NotPermittedError, UsageError
from lockgate.ports.signing import Aside, Signer
from lockgate.testing.signer_contract import SignerContract

KEY = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
PUBLIC = PublicKey(KEY.public_key().public_bytes_raw())
SIGN = """#!{python}
import sys
from pathlib import Path
from cryptography.hazmat.primitives.serialization import load_pem_private_key
key = load_pem_private_key(Path({key!r}).read_bytes(), None)
sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read()))
"""


def named(folder: Path, script: str, **members: Any) -> Path:
    """Write a program, and the file that names it as the key of receipts."""
    program = folder / "sign"
    program.write_text(script, encoding="utf-8")
    program.chmod(0o700)
    whole = {"program": [str(program)], "publicKeyPem": PUBLIC.pem.decode(), **members}
    path = folder / "receipt.json"
    path.write_text(json.dumps({name: value for name, value in whole.items() if value is not None}), encoding="utf-8")
    path.chmod(0o600)
    return path


def signing(folder: Path) -> str:
    """Return a program that signs."""
    (folder / "private.pem").write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return SIGN.format(python=sys.executable, key=str(folder / "private.pem"))


def shell(*lines: str) -> str:
    """Return a program of the shell."""
    return "\n".join(["#!/bin/sh", *lines, ""])


@pytest.mark.clause("KY-30")
class TestProgramSigner(SignerContract):
    """A real program that reads bytes and answers a signature."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        named(tmp_path, signing(tmp_path))
        self.folder = tmp_path

    def signer(self) -> Signer:
        """Return the signer, opened anew."""
        found = open_signers(self.folder).receipt
        assert isinstance(found, ProgramSigner)
        return found


@pytest.mark.clause("KY-31")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        (shell("cat >/dev/null"), "answered 0 bytes"),
        (shell("cat >/dev/null", "printf garbage"), "answered 7 bytes"),
        (shell("head -c 64 /dev/zero"), "answered 64 bytes"),
        (shell("exec cat /dev/zero"), "did not sign within"),
        (shell("sleep 60"), "did not sign within"),
        (shell("sleep 60 &", "exec sleep 60"), "did not sign within"),
        (shell("exec >&-", "sleep 60"), "did not sign within"),
        (shell("echo no such key >&2", "exit 3"), "ended by 3: no such key"),
        (shell("kill -9 $$"), "ended by -9"),
        ("no program", "cannot be run"),
    ],
)
def test_what_is_no_signature_in_time_is_refused(tmp_path: Path, script: str, said: str) -> None:
    """Silence, garbage without end, another's signature, a hang or a crash: each is told, none is waited for long."""
    # What fails before it is late has time enough to.
    named(tmp_path, script, timeoutSeconds=1 if "within" in said else 15)
    signer = open_signers(tmp_path).receipt
    began = time.monotonic()

    with pytest.raises(LockgateError, match=said):
        signer.sign(b"message")

    assert time.monotonic() - began < 20


@pytest.mark.clause("KY-31")
def test_what_a_late_program_has_started_ends_with_it(tmp_path: Path) -> None:
    """A child that holds the answer's pipe open is gone as well."""
    named(tmp_path, shell("sleep 60 &", f"echo $! > {tmp_path}/child", "exec sleep 60"), timeoutSeconds=4)

    with pytest.raises(LockgateError, match="did not sign within"):
        open_signers(tmp_path).receipt.sign(b"message")

    child = Path("/proc", (tmp_path / "child").read_text(encoding="utf-8").strip(), "stat")
    ends = time.monotonic() + 10
    # Whoever inherits a process that was killed may leave it as a zombie for a while.
    while child.exists() and child.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.mark.clause("KY-31")
def test_another_keys_signature_is_refused(tmp_path: Path) -> None:
    """The file says whose signatures they are, and a program that signs by another key signs nothing."""
    other = PublicKey(Ed25519PrivateKey.from_private_bytes(b"q" * 32).public_key().public_bytes_raw())
    named(tmp_path, signing(tmp_path), publicKeyPem=other.pem.decode())

    with pytest.raises(LockgateError, match="no signature by key"):
        open_signers(tmp_path).receipt.sign(b"message")


@pytest.mark.clause("KY-31")
def test_a_program_that_is_gone_is_told(tmp_path: Path) -> None:
    """Whoever serves finds out before something is to be signed."""
    named(tmp_path, signing(tmp_path))
    signer = open_signers(tmp_path).receipt
    (tmp_path / "sign").unlink()

    with pytest.raises(NotPermittedError, match="is not there"):
        signer.check()


@pytest.mark.clause("KY-32")
@pytest.mark.parametrize(
    "members",
    [
        {"publicKeyPem": None},
        {"publicKeyPem": "a key"},
        {"publicKeyPem": 7},
        {"program": None},
        {"program": []},
        {"program": "sign"},
        {"program": ["/bin/sign", 7]},
        {"timeoutSeconds": 0},
        {"timeoutSeconds": 61},
        {"timeoutSeconds": True},
        {"shell": "sh"},
    ],
)
def test_a_file_that_names_no_program_is_refused(tmp_path: Path, members: dict[str, Any]) -> None:
    """A word too many, one too few, or one of another kind is no program that signs."""
    named(tmp_path, "", **members)

    with pytest.raises(DataError, match="names no program"):
        open_signers(tmp_path)


@pytest.mark.clause("KY-32")
def test_a_program_is_named_by_its_whole_path(tmp_path: Path) -> None:
    """What a path of the environment finds may be another's."""
    named(tmp_path, "", program=["sign"])

    with pytest.raises(UsageError, match="names 'sign'"):
        open_signers(tmp_path)


@pytest.mark.clause("KY-32")
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    """They could name a program of theirs."""
    named(tmp_path, "").chmod(mode)

    with pytest.raises(NotPermittedError, match="written by others"):
        open_signers(tmp_path)


@pytest.mark.clause("KY-32")
def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    """A key in PEM under the name of a program's file is not taken for one."""
    path = named(tmp_path, "")
    path.write_bytes(PUBLIC.pem)

    with pytest.raises(DataError, match="it is not JSON"):
        open_signers(tmp_path)


@pytest.mark.clause("KY-30")
def test_a_key_of_a_program_follows_one_of_a_file(tmp_path: Path) -> None:
    """A prepared file that names a program takes its turn as any other key does."""
    before = open_signers(tmp_path).receipt.key_id
    named(tmp_path, signing(tmp_path)).rename(tmp_path / "receipt.next.json")
    ring = open_signers(tmp_path)

    assert ring.prepare(Use.RECEIPT).key_id == PUBLIC.key_id
    assert ring.take(Use.RECEIPT, PUBLIC.key_id) == Aside(str(tmp_path / "receipt.former.pem"), is_program=False)

    again = open_signers(tmp_path)
    assert again.receipt.key_id == ring.receipt.key_id == PUBLIC.key_id
    assert again.signer(Use.RECEIPT, before) is not None
    assert not (tmp_path / "receipt.pem").exists()


def another(folder: Path) -> tuple[Path, str]:
    """Write a second program, by a key of its own, and the file that names it; return both names of it."""
    key = Ed25519PrivateKey.from_private_bytes(b"q" * 32)
    program, private = folder / "sign-next", folder / "next-private.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    program.write_text(SIGN.format(python=sys.executable, key=str(private)), encoding="utf-8")
    program.chmod(0o700)
    public = PublicKey(key.public_key().public_bytes_raw())
    path = folder / "receipt.next.json"
    path.write_text(json.dumps({"program": [str(program)], "publicKeyPem": public.pem.decode()}), encoding="utf-8")
    path.chmod(0o600)
    return path, public.key_id


@pytest.mark.clause("KY-100")
def test_a_program_is_followed_by_no_file_that_nobody_asked_for(tmp_path: Path) -> None:
    """What is refused leaves nothing behind; asked for, the file takes its turn, and the program stays aside."""
    named(tmp_path, signing(tmp_path))
    ring = open_signers(tmp_path)

    with pytest.raises(UsageError, match=r"a program signs by .*receipt\.json") as refused:
        ring.prepare(Use.RECEIPT)
    assert "receipt.next.json" in refused.value.advice
    assert ring.prepared(Use.RECEIPT) is None
    following = ring.prepare(Use.RECEIPT, may_be_file=True).key_id

    assert ring.take(Use.RECEIPT, following) == Aside(str(tmp_path / "receipt.former.json"), is_program=True)
    again = open_signers(tmp_path)
    assert (again.receipt.key_id, again.signer(Use.RECEIPT, PUBLIC.key_id) is not None) == (following, True)
    assert not (tmp_path / "receipt.json").exists()


@pytest.mark.clause("KY-100")
def test_no_file_is_made_beside_a_program_that_is_to_follow(tmp_path: Path) -> None:
    """Who asks for a file there is told, also where a file signs so far."""
    open_signers(tmp_path)
    path, _ = another(tmp_path)

    with pytest.raises(UsageError, match="names the program that is to follow"):
        open_signers(tmp_path).prepare(Use.RECEIPT, may_be_file=True)

    assert path.exists()
    assert not (tmp_path / "receipt.next.pem").exists()


@pytest.mark.clause("KY-101")
def test_a_program_follows_a_program(tmp_path: Path) -> None:
    """By the file that names the second; both sign what they are asked for, and a second rotation retires the first."""
    named(tmp_path, signing(tmp_path))
    _, following = another(tmp_path)
    ring = open_signers(tmp_path)

    assert ring.prepare(Use.RECEIPT).key_id == ring.prepared(Use.RECEIPT) == following
    assert ring.take(Use.RECEIPT, following) == Aside(str(tmp_path / "receipt.former.json"), is_program=True)

    again = open_signers(tmp_path)
    former = again.signer(Use.RECEIPT, PUBLIC.key_id)
    assert again.receipt.key_id == ring.receipt.key_id == following
    assert former is not None
    assert [len(each.sign(b"a message")) for each in (again.receipt, former)] == [64, 64]
    third = again.prepare(Use.RECEIPT, may_be_file=True).key_id
    again.take(Use.RECEIPT, third)
    assert (tmp_path / "retired" / f"receipt-{PUBLIC.key_id[:16]}.json").exists()
