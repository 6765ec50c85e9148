# SPDX-License-Identifier: Apache-2.0
"""The files of receipts come in; who verified them goes out: OpenSSL 3 where it is installed, else Lockgate itself.

OpenSSL gets what was signed from the file alone, as docs/howto/verify.md does it, with no code of Lockgate's.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path

from lockgate.errors import DataError
from lockgate.operations.bundle.saved_receipts import LOG_KEY
from lockgate.operations.bundle.saved_receipts import RECEIPT_KEY as KEY
from lockgate.verify import Keys, read_note_key, read_public_key, verify_receipt

RECEIPT = re.compile(r"receipt-\d+\.json")


def openssl() -> tuple[str, str] | None:
    """Return path and version of an OpenSSL that verifies Ed25519, or None."""
    path = shutil.which("openssl")
    if path is None:
        return None
    said = subprocess.run([path, "version"], capture_output=True, text=True, check=False).stdout.split()  # noqa: S603 -- the OpenSSL of this machine
    is_able = said[:1] == ["OpenSSL"] and int(said[1].split(".")[0]) >= 3
    return (path, " ".join(said[:2])) if is_able else None


def verify_all(files: Mapping[str, bytes], folder: Path) -> tuple[str, int]:
    """Write the files, verify each receipt, and return who did and how many; the first that is not right raises."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    receipts = [name for name in files if RECEIPT.fullmatch(name)]
    found = openssl()
    for name in receipts:
        if found is None:
            _by_lockgate(files, name)
        else:
            _by_openssl(found[0], folder, name)
    return "Lockgate's own verifier" if found is None else found[1], len(receipts)


def _by_openssl(program: str, folder: Path, name: str) -> None:
    envelope = json.loads((folder / name).read_bytes())
    kind, payload = envelope["payloadType"].encode(), b64decode(envelope["payload"])
    signed, signature = folder / f"{name}.signed", folder / f"{name}.signature"
    signed.write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    signature.write_bytes(b64decode(envelope["signatures"][0]["sig"]))
    names = ["-rawin", "-in", str(signed), "-sigfile", str(signature)]
    command = [program, "pkeyutl", "-verify", "-pubin", "-inkey", str(folder / KEY), *names]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- the OpenSSL of this machine
    if ran.returncode != 0 or "Signature Verified Successfully" not in ran.stdout:
        raise DataError(f"OpenSSL does not verify {name}: {ran.stdout}{ran.stderr}".strip())


def _by_lockgate(files: Mapping[str, bytes], name: str) -> None:
    keys = Keys((read_public_key(files[KEY]),), (read_note_key(files[LOG_KEY].decode("ascii")),))
    verify_receipt(files[name], keys, files[name.replace(".json", ".tlog-proof")])
