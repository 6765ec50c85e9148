# SPDX-License-Identifier: Apache-2.0
"""A file that names a program and a public key comes in; a signer that asks the program for each signature goes out.

The program is called without a shell. It reads the bytes to sign from standard input, whole, and answers the 64 bytes
of the signature on standard output: so the private key may stay in a key management service, or in hardware.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.refusal import VerifyError
from lockgate.errors import DataError, NotPermittedError, TryAgainError, UnreachableError, UsageError

SIGNATURE_SIZE = 64
DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S = 10.0, 60.0
MAX_FILE_SIZE = 10_000
MAX_SAID = 500
BURIAL_S = 0.5
_MEMBERS = {"program", "publicKeyPem", "timeoutSeconds"}


@dataclass(frozen=True, slots=True)
class Program:
    """What is called, for how long at most, and whose signatures it makes."""

    argv: tuple[str, ...]
    key: PublicKey
    timeout_s: float = DEFAULT_TIMEOUT_S


class ProgramSigner:
    """A signer whose private key only a program can reach."""

    def __init__(self, program: Program, keep: Callable[[PublicKey], None] = lambda _key: None) -> None:
        self._program = program
        self._keep: Callable[[PublicKey], None] | None = keep
        self._public = Ed25519PublicKey.from_public_bytes(program.key.raw)

    def __repr__(self) -> str:
        return f"ProgramSigner(key_id={self.key_id!r})"

    @property
    def key_id(self) -> str:
        """Return the SHA-256 of the public key's SubjectPublicKeyInfo."""
        return self._program.key.key_id

    @property
    def public_key_pem(self) -> bytes:
        """Return the public key in PEM."""
        return self._program.key.pem

    def check(self) -> None:
        """Refuse a program that is not there; what it signs is known when it has signed."""
        if not os.access(self._program.argv[0], os.X_OK):
            raise NotPermittedError(
                f"{self._program.argv[0]} is not there or may not be run, and it signs by key {self.key_id}",
                advice="Nothing is signed, and reading works. Put the program back.",
            )

    def sign(self, message: bytes) -> bytes:
        """Return the signature, which has been checked; what a program does beside it in time is refused."""
        self.check()
        if self._keep is not None:
            self._keep(self._program.key)
            self._keep = None
        signature = self._asked(message)
        try:
            self._public.verify(signature, message)
        except InvalidSignature as error:
            raise UnreachableError(
                f"{self._program.argv[0]} answered {len(signature)} bytes that are no signature by key {self.key_id}; "
                "nothing was signed",
                advice="It answers the 64 bytes themselves, in no encoding, and by the key that its file names.",
            ) from error
        return signature

    def _asked(self, message: bytes) -> bytes:
        with tempfile.TemporaryFile() as given:
            given.write(message)
            given.seek(0)
            try:
                process = subprocess.Popen(  # noqa: S603 -- the owner of the keys named it, and no shell reads it
                    self._program.argv,
                    stdin=given,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
            except OSError as error:
                raise self._failed(f"cannot be run: {error.strerror or error}") from error
        with process:
            try:
                out, err = _heard(process, time.monotonic() + self._program.timeout_s)
            finally:
                _end(process)
        if out is None:
            raise TryAgainError(
                f"{self._program.argv[0]} did not sign within {self._program.timeout_s:g} s; nothing was signed",
                advice="Try again; `timeoutSeconds` in the key's file is how long it is waited for.",
            )
        if process.returncode != 0:
            raise self._failed(f"ended by {process.returncode}: {_said(err)}")
        return out

    def _failed(self, what: str) -> TryAgainError:
        return TryAgainError(
            f"{self._program.argv[0]} {what}; nothing was signed", advice="Try again when the program signs."
        )


def read_program(path: Path) -> Program:
    """Return the program that a file names; one that others may write to could name theirs."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise _misshapen(path, "it is not a file")
        if stat.S_IMODE(status.st_mode) & 0o022:
            raise NotPermittedError(
                f"{path} can be written by others than its owner (mode {stat.S_IMODE(status.st_mode):04o})",
                advice=f"Look whether it names your program, and `chmod 600 {path}`.",
            )
        data = file.read(MAX_FILE_SIZE)
    try:
        return _program(path, json.loads(data))
    except ValueError as error:
        raise _misshapen(path, "it is not JSON") from error
    except VerifyError as error:
        raise _misshapen(path, error.message) from error


def _program(path: Path, document: object) -> Program:
    if not isinstance(document, dict) or not {"program", "publicKeyPem"} <= set(document) <= _MEMBERS:
        raise _misshapen(path, f"it has {', '.join(sorted(_MEMBERS))}, and nothing else")
    argv, timeout = document["program"], document.get("timeoutSeconds", DEFAULT_TIMEOUT_S)
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) and "\0" not in word for word in argv):
        raise _misshapen(path, "program is a list of words, of which the first is the program")
    if not Path(argv[0]).is_absolute():
        raise UsageError(f"{path} names {argv[0]!r}", advice="Name the program by its whole path.")
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= MAX_TIMEOUT_S:
        raise _misshapen(path, f"timeoutSeconds is a number up to {MAX_TIMEOUT_S:g}")
    if not isinstance(document["publicKeyPem"], str):
        raise _misshapen(path, "publicKeyPem is a text")
    return Program(tuple(argv), read_public_key(document["publicKeyPem"].encode("utf-8", "replace")), float(timeout))


def _heard(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes | None, bytes]:
    """Return what a program says on both streams, bounded; None where its time was over before it had ended."""
    assert process.stdout is not None
    assert process.stderr is not None
    heard: dict[IO[bytes], bytes] = {process.stdout: b"", process.stderr: b""}
    limits = {process.stdout: SIGNATURE_SIZE + 1, process.stderr: MAX_SAID}
    with selectors.DefaultSelector() as ready:
        for stream in heard:
            os.set_blocking(stream.fileno(), False)
            ready.register(stream, selectors.EVENT_READ, stream)
        while process.stdout in (key.fileobj for key in ready.get_map().values()):
            left = deadline - time.monotonic()
            if left <= 0:
                return None, heard[process.stderr]
            for key, _ in ready.select(left):
                stream = key.data
                chunk = os.read(stream.fileno(), 65_536)
                if not chunk:
                    ready.unregister(stream)
                heard[stream] = (heard[stream] + chunk)[: limits[stream]]
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None, heard[process.stderr]
    return heard[process.stdout], heard[process.stderr]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing of a program behind that has not ended by itself, whatever it has started."""
    # One that was waited for has given its number back, which may be another's by now.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(BURIAL_S)


def _said(err: bytes) -> str:
    """Return the first line of what a program complained of."""
    return (err.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"])[0]


def _misshapen(path: Path, what: str) -> DataError:
    return DataError(
        f"{path} names no program that signs: {what}",
        advice='It is like {"program": ["/usr/local/bin/sign"], "publicKeyPem": "-----BEGIN PUBLIC KEY-----\\n..."}.',
    )
