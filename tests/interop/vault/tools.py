# SPDX-License-Identifier: Apache-2.0
"""Envelopes and a trusted key come in; what each tool that others wrote says of them goes out."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lockgate.core.public_key import PublicKey
from lockgate.core.refusal import VerifyError
from lockgate.verify import Keys, verify_receipt
from tests.interop.routers import part

HERE = Path(__file__).resolve().parent
NODE_MODULES = HERE.parents[2] / ".venv" / "npm" / "node_modules"
SECONDS = 180
# As most pages about DSSE say it, with the type that the envelope names: docs/howto/audit.md takes none but ours.
OPENSSL = """
T=$(jq -rj .payloadType receipt.json)
jq -rj .payload receipt.json | base64 -d > body.bin
{ printf 'DSSEv1 %d %s %d ' "${#T}" "$T" "$(stat -c%s body.bin)"; cat body.bin; } > pae.bin
jq -rj '.signatures[0].sig' receipt.json | base64 -d > sig.bin
openssl pkeyutl -verify -pubin -inkey pub.pem -rawin -in pae.bin -sigfile sig.bin
"""


def shell(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands in a folder as a shell does that stops at the first failure."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def openssl(envelopes: Sequence[bytes], key: PublicKey) -> list[bool]:
    """Say what OpenSSL 3 accepts, by the commands of the documentation."""
    for name in ("openssl", "jq"):
        part(name)
    return [_openssl(envelope, key) for envelope in envelopes]


def _openssl(envelope: bytes, key: PublicKey) -> bool:
    with TemporaryDirectory() as folder:
        (Path(folder) / "pub.pem").write_bytes(key.pem)
        (Path(folder) / "receipt.json").write_bytes(envelope)
        return shell(OPENSSL, Path(folder)).returncode == 0


def node(envelopes: Sequence[bytes], key: PublicKey) -> list[bool]:
    """Say what Node's own crypto.verify accepts."""
    with reader("node", key) as asked:
        return [asked(envelope) for envelope in envelopes]


def sigstore(envelopes: Sequence[bytes], key: PublicKey) -> list[bool]:
    """Say what npm's @sigstore/verify accepts; what is no bundle yet is put into one."""
    with reader("sigstore", key) as asked:
        return [asked(envelope) for envelope in envelopes]


def verifier(envelopes: Sequence[bytes], key: PublicKey) -> list[bool]:
    """Say what the second verifier accepts, which was written from the specification alone."""
    with reader("verifier", key) as asked:
        return [asked(envelope) for envelope in envelopes]


@contextmanager
def reader(name: str, key: PublicKey, log_key: str = "") -> Iterator[Callable[..., bool]]:
    """Yield a function that asks a reader in Node about one envelope; the verifier also about one and its proof."""
    with TemporaryDirectory() as folder:
        pem = Path(folder) / "pub.pem"
        pem.write_bytes(key.pem)
        with asking("readers.mjs", name, str(pem), log_key=log_key) as asked:
            yield asked


@contextmanager
def asking(script: str, *words: str, log_key: str = "") -> Iterator[Callable[..., bool]]:
    """Yield a function that gives a script of this folder one line, files in base64, and returns its answer."""
    if not NODE_MODULES.is_dir():
        pytest.fail("the npm packages are missing; `make setup-interop` installs them", pytrace=False)
    command = [part("node"), str(HERE / script), *words, str(NODE_MODULES)]
    env = os.environ | {"LOG_KEY": log_key}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as process:
        given, said = process.stdin, process.stdout
        assert given is not None
        assert said is not None

        def asked(*files: bytes) -> bool:
            given.write(" ".join(b64encode(each).decode() for each in files) + "\n")
            given.flush()
            return bool(json.loads(said.readline()))

        yield asked
        given.close()
    assert process.returncode == 0


def securesystemslib(envelopes: Sequence[bytes], key: PublicKey) -> list[bool]:
    """Say what securesystemslib accepts, which in-toto and TUF build on."""
    return [_securesystemslib(envelope, key) for envelope in envelopes]


def _securesystemslib(envelope: bytes, key: PublicKey) -> bool:
    # Loaded here, because this file is also read where only the packages of `make test` are.
    dsse, signer = import_module("securesystemslib.dsse"), import_module("securesystemslib.signer")
    errors = import_module("securesystemslib.exceptions")
    trusted = signer.SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(key.raw), keyid=key.key_id)
    try:
        # from_dict changes what it is given.
        dsse.Envelope.from_dict(copy.deepcopy(json.loads(envelope))).verify([trusted], 1)
    except (ValueError, KeyError, TypeError, AttributeError, errors.Error):
        return False
    return True


def in_toto(envelopes: Sequence[bytes], key: PublicKey) -> list[bool]:
    """Say what in-toto-attestation accepts: a statement, whoever signed it."""
    return [_in_toto(envelope) for envelope in envelopes]


def _in_toto(envelope: bytes) -> bool:
    json_format = import_module("google.protobuf.json_format")
    messages, statements = (import_module(f"in_toto_attestation.v1.{name}") for name in ("statement_pb2", "statement"))
    try:
        payload = b64decode(json.loads(envelope)["payload"])
        statements.Statement.copy_from_pb(json_format.Parse(payload, messages.Statement())).validate()
    except (ValueError, KeyError, TypeError, json_format.ParseError):
        return False
    return True


def ours(envelopes: Sequence[bytes], key: PublicKey) -> list[bool]:
    """Say what Lockgate accepts."""
    return [_ours(envelope, key) for envelope in envelopes]


def _ours(envelope: bytes, key: PublicKey) -> bool:
    try:
        verify_receipt(envelope, Keys((key,)))
    except VerifyError:
        return False
    return True
