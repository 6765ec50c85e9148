# SPDX-License-Identifier: Apache-2.0
"""A file comes in; a root key is made in it, or the signer of the one that it holds goes out."""

from __future__ import annotations

import os
from pathlib import Path

from lockgate.adapters.signers.ed25519_file import Ed25519FileSigner, explained, make_key_file, read_key_file
from lockgate.adapters.signers.passphrase import read_passphrase
from lockgate.errors import UsageError

PUBLIC = ".pub"


def make_root(file: Path, passphrase_file: Path | None) -> str:
    """Make a root key, which nothing is overwritten by; return its id."""
    public = file.with_name(file.name + PUBLIC)
    for path in (file, public):
        if os.path.lexists(path):
            raise UsageError(f"{path} is there already", advice="Name a new file: what a lost root key signed stays.")
    with explained(file):
        make_key_file(file, _passphrase(passphrase_file))
        made = read_root(file, passphrase_file)
        with public.open("xb") as written:
            written.write(made.public_key_pem)
    return made.key_id


def read_root(file: Path, passphrase_file: Path | None) -> Ed25519FileSigner:
    """Return the signer of a root key, which only its owner may read."""
    return read_key_file(file, _passphrase(passphrase_file))


def _passphrase(file: Path | None) -> bytes | None:
    return None if file is None else read_passphrase(file)
