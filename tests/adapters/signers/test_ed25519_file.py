# SPDX-License-Identifier: Apache-2.0
"""Folders with and without keys come in; signers, or a refusal that tells nothing of a key, must come out."""

from __future__ import annotations

import errno
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from lockgate.adapters.signers.ed25519_file import Ed25519FileSigner
from lockgate.adapters.signers.key_folder import open_signers
from lockgate.errors import DataError, LockgateError, NotPermittedError, UsageError

OPEN = """
import sys
from pathlib import Path
from lockgate.adapters.signers.key_folder import open_signers
signers = open_signers(Path(sys.argv[1]))
print(signers.receipt.key_id, signers.log.key_id)
"""


def pem(
    key: Ed25519PrivateKey | None = None,
    form: PrivateFormat = PrivateFormat.PKCS8,
    encryption: KeySerializationEncryption | None = None,
) -> bytes:
    """Return a private key in PEM."""
    return (key or Ed25519PrivateKey.generate()).private_bytes(Encoding.PEM, form, encryption or NoEncryption())


def put(folder: Path, data: bytes, mode: int = 0o600) -> Path:
    """Write a receipt key's file."""
    path = folder / "receipt.pem"
    path.write_bytes(data)
    path.chmod(mode)
    return path


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Let everything be readable that does not say otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.clause("RE-20")
def test_the_first_start_makes_two_keys_for_the_owner_alone(tmp_path: Path, open_umask: None) -> None:
    """Both files have mode 0600 whatever the umask, in a folder of mode 0700, and nothing else is left there."""
    folder = tmp_path / "home" / "keys"

    signers = open_signers(folder)

    assert signers.receipt.key_id != signers.log.key_id
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "receipt.pem": 0o600,
        "log.pem": 0o600,
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.clause("RE-20")
def test_a_later_start_finds_the_same_keys(tmp_path: Path) -> None:
    """A key is made once."""
    first = open_signers(tmp_path)

    again = open_signers(tmp_path)

    assert (again.receipt.key_id, again.log.key_id) == (first.receipt.key_id, first.log.key_id)


@pytest.mark.clause("RE-20")
def test_many_first_starts_at_once_agree(tmp_path: Path) -> None:
    """One of eight processes makes each key, and all use it."""
    command = [sys.executable, "-c", OPEN, str(tmp_path / "keys")]
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(8)]

    said = {start.communicate()[0] for start in starts}

    assert [start.returncode for start in starts] == [0] * 8
    assert len(said) == 1
    assert len(list((tmp_path / "keys").iterdir())) == 2


@pytest.mark.clause("RE-20")
def test_many_threads_at_once_agree(tmp_path: Path) -> None:
    """Whoever loses the race reads the winner's key."""
    with ThreadPoolExecutor(16) as pool:
        ids = set(pool.map(lambda _: open_signers(tmp_path / "keys").receipt.key_id, range(64)))

    assert len(ids) == 1


@pytest.mark.clause("RE-20")
def test_the_loser_of_a_race_takes_the_winners_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that appears between the look and the link stays."""
    winner = Ed25519PrivateKey.generate()
    link = os.link

    def late(source: str, target: Path) -> None:
        if target.name == "receipt.pem" and not target.exists():
            put(tmp_path, pem(winner))
        link(source, target)

    monkeypatch.setattr(os, "link", late)

    signers = open_signers(tmp_path)

    assert signers.receipt.key_id == Ed25519FileSigner(winner).key_id


@pytest.mark.clause("RE-20")
def test_openssl_reads_both_keys(tmp_path: Path) -> None:
    """The private key is PKCS#8 and the public one is what other programs read."""
    signers = open_signers(tmp_path)
    public = load_pem_public_key(signers.receipt.public_key_pem)

    assert (tmp_path / "receipt.pem").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert isinstance(public, Ed25519PublicKey)
    assert signers.receipt.public_key_pem == public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.clause("RE-21")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o610, 0o644, 0o777])
def test_a_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    """The message names the file, its mode and the remedy."""
    path = put(tmp_path, pem(), mode)

    with pytest.raises(NotPermittedError) as refused:
        open_signers(tmp_path)

    assert f"{path} can be read or written by others than its owner (mode {mode:04o})" in refused.value.message
    assert f"chmod 600 {path}" in refused.value.advice


@pytest.mark.clause("RE-21")
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_that_its_owner_alone_may_read_is_taken(tmp_path: Path, mode: int) -> None:
    """A secret that is mounted read-only does."""
    key = Ed25519PrivateKey.generate()
    put(tmp_path, pem(key), mode)

    assert open_signers(tmp_path).receipt.key_id == Ed25519FileSigner(key).key_id


@pytest.mark.clause("RE-21")
def test_a_link_to_a_key_is_judged_by_the_key(tmp_path: Path) -> None:
    """Mounted secrets are links; the mode that counts is the file's."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "receipt.pem").symlink_to(put(secret, pem(), 0o644))

    with pytest.raises(NotPermittedError):
        open_signers(tmp_path / "keys")


@pytest.mark.clause("RE-21")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "holds no private key in PEM"),
        (b"not a key", "holds no private key in PEM"),
        (pem()[:60], "holds no private key in PEM"),
        (
            generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "holds a key of another kind",
        ),
    ],
)
def test_what_is_no_ed25519_key_is_refused_and_kept(tmp_path: Path, data: bytes, said: str) -> None:
    """A broken file is never replaced by a new key: that would be a change of key that nobody decided."""
    path = put(tmp_path, data)

    with pytest.raises(DataError, match=said):
        open_signers(tmp_path)

    assert path.read_bytes() == data


@pytest.mark.clause("RE-21")
def test_one_key_in_both_roles_is_refused(tmp_path: Path) -> None:
    """A copy of the receipt key is no log key."""
    open_signers(tmp_path)
    (tmp_path / "log.pem").write_bytes((tmp_path / "receipt.pem").read_bytes())

    with pytest.raises(NotPermittedError, match="one role"):
        open_signers(tmp_path)


@pytest.mark.clause("RE-21")
def test_a_folder_in_place_of_a_key_is_refused(tmp_path: Path) -> None:
    """What is no file holds no key."""
    (tmp_path / "receipt.pem").mkdir()

    with pytest.raises(LockgateError, match=r"receipt\.pem"):
        open_signers(tmp_path)


@pytest.mark.clause("RE-21")
def test_a_pipe_in_place_of_a_key_is_refused(tmp_path: Path) -> None:
    """A pipe would be waited for, and read once."""
    os.mkfifo(tmp_path / "receipt.pem", 0o600)

    with pytest.raises(DataError, match="is not a file"):
        open_signers(tmp_path)


@pytest.mark.clause("RE-21")
@pytest.mark.parametrize(("error", "kind"), [(errno.EPERM, NotPermittedError), (errno.ENOSPC, UsageError)])
def test_a_disk_that_refuses_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, kind: type[LockgateError]
) -> None:
    """What the system refused is said in words, and no half of a key is left behind."""

    def refuse(*_: object) -> None:
        raise OSError(error, "refused")

    monkeypatch.setattr(os, "link", refuse)

    with pytest.raises(kind, match="cannot be read or made"):
        open_signers(tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.clause("RE-21")
def test_nothing_tells_the_private_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Representations, logs, output and refusals hold nothing of it."""
    caplog.set_level(logging.DEBUG)
    secret = pem()
    secret_line = secret.decode().splitlines()[1]
    path = put(tmp_path, secret)

    signers = open_signers(tmp_path)
    signers.receipt.sign(b"message")
    path.write_bytes(secret.replace(b"END PRIVATE", b"END PUBLIC"))
    with pytest.raises(DataError) as refused:
        open_signers(tmp_path)

    told = f"{signers!r} {signers.receipt} {refused.getrepr(chain=True)} {caplog.text} {capsys.readouterr()}"
    assert signers.receipt.key_id in told
    assert secret_line not in told


@pytest.mark.clause("RE-22")
def test_the_same_bytes_get_the_same_signature(tmp_path: Path) -> None:
    """RFC 8032 has no random part: a redo is the same receipt."""
    signer = open_signers(tmp_path).receipt

    assert signer.sign(b"message") == signer.sign(b"message")
    assert signer.sign(b"message") != signer.sign(b"other message")


@pytest.mark.clause("RE-22")
def test_a_published_signature_comes_out() -> None:
    """RFC 8032 section 7.1, test 2."""
    key = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")

    signature = Ed25519FileSigner(Ed25519PrivateKey.from_private_bytes(key)).sign(b"\x72")

    assert signature.hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


@pytest.mark.clause("RE-22")
def test_a_faulty_signature_is_never_handed_out() -> None:
    """A bit that flips in memory would otherwise be a receipt that nobody can verify, or tell of the key."""

    class Faulty:
        def __init__(self) -> None:
            self.key = Ed25519PrivateKey.generate()

        def public_key(self) -> Ed25519PublicKey:
            return self.key.public_key()

        def sign(self, message: bytes) -> bytes:
            return bytes([self.key.sign(message)[0] ^ 1]) + self.key.sign(message)[1:]

    signer = Ed25519FileSigner(cast("Ed25519PrivateKey", Faulty()))

    with pytest.raises(LockgateError, match="nothing was signed"):
        signer.sign(b"message")
