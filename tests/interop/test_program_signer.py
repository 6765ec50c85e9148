# SPDX-License-Identifier: Apache-2.0
"""OpenSSL, called by a script, signs in place of a private key; it keeps the contract of signers."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from lockgate.adapters.signers.key_folder import open_signers
from lockgate.adapters.signers.program import ProgramSigner
from lockgate.ports.signing import Signer
from lockgate.testing.signer_contract import MESSAGES, SignerContract

pytestmark = pytest.mark.interop
# `-rawin` takes a file only: OpenSSL 3 asks for its size.
SCRIPT = """#!/bin/sh
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/message"
openssl pkeyutl -sign -inkey "$1" -rawin -in "$folder/message" -out "$folder/signature"
cat "$folder/signature"
"""


@pytest.mark.clause("KY-30")
class TestOpenssl(SignerContract):
    """The private key is OpenSSL's own, and Lockgate never reads it."""

    # OpenSSL 3.0 signs no empty file.
    messages = MESSAGES[1:]

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        key, program = tmp_path / "kept elsewhere.pem", tmp_path / "sign"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ED25519", "-out", str(key)], check=True)
        pem = subprocess.run(["openssl", "pkey", "-in", str(key), "-pubout"], check=True, capture_output=True).stdout
        program.write_text(SCRIPT, encoding="utf-8")
        program.chmod(0o700)
        words = {"program": [str(program), str(key)], "publicKeyPem": pem.decode()}
        (tmp_path / "log.json").write_text(json.dumps(words), encoding="utf-8")
        self.folder = tmp_path

    def signer(self) -> Signer:
        """Return the signer, opened anew."""
        assert shutil.which("openssl") is not None
        found = open_signers(self.folder).log
        assert isinstance(found, ProgramSigner)
        return found
