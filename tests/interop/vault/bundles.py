# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; bundles of rollouts that really ran go out, with what an auditor has besides, and forgeries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lockgate.core.bundle import decode, encode
from lockgate.core.bundle_layout import CHECKPOINT, LOG_KEYS, MANIFEST, POLICY, TIMELINE
from lockgate.core.canonical import Json, canonicalize
from lockgate.core.public_key import read_public_key
from lockgate.operations.bundle.bundle import Wanted, bundle
from lockgate.operations.bundle.saved_receipts import older_key_file, saved_receipts
from lockgate.report.bundle_pages import bundle_pages
from tests.interop.vault.tampers import flipped
from tests.spec.line import EQUAL, created, world

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "examples" / "audit" / "audit.sh"

Files = Mapping[str, bytes]
OF_RECEIPTS = (("receipts", "json"), ("proofs", "tlog-proof"), ("sshsig", "sig"), ("sigstore", "sigstore.json"))


@dataclass(frozen=True)
class Handed:
    """A bundle's files, and what the auditor has by another way: keys, and a checkpoint from before."""

    files: Files
    receipt_key: bytes
    log_key: bytes
    kept: bytes
    older_keys: tuple[bytes, ...] = ()

    def write(self, folder: Path) -> None:
        """Write what the page says that one needs."""
        for name, data in {
            "bundle.zip": encode(self.files),
            "receipt-key.pem": self.receipt_key,
            "log-key.txt": self.log_key,
            "kept-checkpoint.txt": self.kept,
            "audit.sh": SCRIPT.read_bytes(),
            **{older_key_file(fingerprint(key)): key for key in self.older_keys},
        }.items():
            (folder / name).write_bytes(data)


@cache
def handed(seed: int = 5) -> Handed:
    """Return what an auditor has of a rollout that went up to all traffic."""
    here = world(seed)
    created(here, app="before")
    made = created(here, policy={"steps": "5,25,50,100", "min_runs": 30}).rollout
    kept = saved_receipts(made.id, here.house)[CHECKPOINT]
    for number in range(3):
        created(here, app=f"beside-{number}")
    turns = here.walk(made.id, EQUAL, runs=4_000, minutes=120)
    assert turns[-1].rollout.is_terminal
    with bundle(Wanted(rollout_id=made.id, pages=bundle_pages, since=kept), here.house) as gathered:
        files = decode(b"".join(gathered.pieces()))
    return Handed(files, here.house.signers.receipt.public_key_pem, files[LOG_KEYS], kept)


@cache
def sampled() -> Handed:
    """Return the sample of the repository."""
    folder = ROOT / "examples" / "audit"
    names = ("receipt-key.pem", "log-key.txt", "kept-checkpoint.txt")
    receipt_key, log_key, kept = ((folder / name).read_bytes() for name in names)
    return Handed(decode((folder / "bundle.zip").read_bytes()), receipt_key, log_key, kept)


def relisted(files: Files) -> Files:
    """Return files with the manifest that a forger would have made of them."""
    listed: dict[str, Json] = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in files.items()
        if name != MANIFEST
    }
    return {**files, MANIFEST: canonicalize({**json.loads(files[MANIFEST]), "files": listed})}


def _changed(name: str, change: Callable[[bytes], bytes]) -> Callable[[Files], Files]:
    return lambda files: relisted({**files, name: change(files[name])})


def _without_second(files: Files) -> Files:
    """Leave out the second receipt, and number the later ones anew."""
    count = sum(name.startswith("receipts/") for name in files)
    kept = dict(files)
    for folder, ending in (
        ("receipts", "json"),
        ("proofs", "tlog-proof"),
        ("sshsig", "sig"),
        ("sigstore", "sigstore.json"),
    ):
        for seq in range(2, count):
            kept[f"{folder}/{seq}.{ending}"] = files[f"{folder}/{seq + 1}.{ending}"]
        del kept[f"{folder}/{count}.{ending}"]
    return relisted(kept)


def _moved(proof: bytes) -> bytes:
    """Return a proof for another place."""
    return proof.replace(b"\nindex 1\n", b"\nindex 0\n")


def _of_another(files: Files) -> Files:
    """Return the same story, told and signed by somebody else, under the same names."""
    return handed(6).files


def _letter(data: bytes) -> bytes:
    """Return a text with one other letter, near its end."""
    at = len(data) - 40
    return data[:at] + (b"A" if data[at : at + 1] != b"A" else b"B") + data[at + 1 :]


# What somebody forges, and whether the script and the steps by hand notice: each must, but where a file is none of its.
FORGERIES: dict[str, tuple[Callable[[Files], Files], bool, bool]] = {
    "a bit of a receipt": (_changed("receipts/1.json", lambda old: flipped(old, 800)), True, True),
    "another signature": (_changed("receipts/2.json", _letter), True, True),
    "a receipt left out": (_without_second, True, True),
    "the place of a receipt": (_changed("proofs/1.tlog-proof", _moved), True, True),
    "a step of a proof": (
        _changed("proofs/1.tlog-proof", lambda old: old.replace(old.split(b"\n")[2], b"A" * 43 + b"=")),
        True,
        True,
    ),
    "another size of the log": (
        _changed(CHECKPOINT, lambda old: old.replace(b"\n" + old.split(b"\n")[1] + b"\n", b"\n99\n")),
        True,
        True,
    ),
    "a checkpoint's signature": (_changed(CHECKPOINT, lambda old: _letter(old[:-1]) + b"\n"), True, True),
    "another policy": (_changed(POLICY, lambda old: old.replace(b"canary", b"shadow")), True, True),
    "everything by another's keys": (_of_another, True, True),
    "a signature of SSH": (_changed("sshsig/1.sig", _letter), False, True),
    "a bundle of Sigstore": (_changed("sigstore/1.sigstore.json", lambda old: flipped(old, 800)), True, True),
    "a page that the manifest lists otherwise": (
        lambda files: {**files, TIMELINE: files[TIMELINE].replace(b"promote", b"rollback")},
        True,
        False,
    ),
    "a file that no manifest lists": (lambda files: {**files, "receipts.txt": b"all is well"}, True, False),
}


def fingerprint(pem: bytes) -> str:
    """Return what the owner of a key publishes."""
    return read_public_key(pem).key_id
