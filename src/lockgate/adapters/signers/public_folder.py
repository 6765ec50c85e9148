# SPDX-License-Identifier: Apache-2.0
"""A folder of keys comes in; the public halves of all that ever signed from it go out, as they were kept beside them.

A private key may be moved away or lost, and what it signed still verifies by its public half.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from lockgate.adapters.owner import make_folder
from lockgate.adapters.whole_file import whole_file
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.refusal import VerifyError
from lockgate.errors import DataError, NotPermittedError

FOLDER = "public"
MAX_KEYS = 1_000
MAX_FILE_SIZE = 10_000


def keep_public(folder: Path, role: str, key: PublicKey) -> None:
    """Keep the public half of a key that signs; a folder that cannot be written to keeps none, and signs all the same.

    A crash leaves a file whose name begins with a dot, which nobody reads, or the whole key.
    """
    path = folder / FOLDER / f"{role}-{key.key_id[:16]}.pem"
    with contextlib.suppress(OSError):
        if path.exists() or not folder.is_dir():
            return
        make_folder(path.parent)
        with whole_file(path, key.pem) as whole:
            whole.replace(path)


def kept_public(folder: Path, role: str) -> Mapping[str, bytes]:
    """Return the public halves in PEM of the keys of a role that signed from a folder, by the names of their files."""
    found = {}
    try:
        for path in sorted((folder / FOLDER).glob(f"{role}-*.pem"))[:MAX_KEYS]:
            with path.open("rb") as file:
                found[f"{FOLDER}/{path.name}"] = read_public_key(file.read(MAX_FILE_SIZE)).pem
    except VerifyError as error:
        raise DataError(f"{path}: {error.message}", advice="Put the file back from a backup, or remove it.") from error
    except OSError as error:
        raise NotPermittedError(
            f"{folder / FOLDER} cannot be read: {error.strerror or error}", advice="Run as the owner of the keys."
        ) from error
    return found
