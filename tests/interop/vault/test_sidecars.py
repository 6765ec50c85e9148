# SPDX-License-Identifier: Apache-2.0
"""The files of a bundle that are made for other tools come in; OpenSSH and Sigstore must take them, and no others."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lockgate.core.canonical import canonicalize
from lockgate.core.public_key import read_public_key
from lockgate.testing.signers import SeededSigner
from tests.interop.routers import part
from tests.interop.vault import tools
from tests.interop.vault.bundles import handed
from tests.interop.vault.tampers import flipped
from tests.interop.vault.tools import SECONDS

pytestmark = pytest.mark.interop
NAMESPACE, WHO = "rollout-receipt@lockgate", "receipt@lockgate"


@dataclass(frozen=True)
class Asked:
    """What ssh-keygen is asked: who signed which bytes for what, by which list of signers, and on which day."""

    signers: bytes
    signature: bytes
    receipt: bytes
    who: str = "receipt@lockgate"
    namespace: str = "rollout-receipt@lockgate"
    day: str = "20260701"

    def is_taken(self, folder: Path) -> bool:
        """Say whether it takes the signature."""
        (folder / "allowed_signers").write_bytes(self.signers)
        (folder / "receipt.sig").write_bytes(self.signature)
        whose = ("-f", "allowed_signers", "-I", self.who, "-n", self.namespace, "-s", "receipt.sig")
        ran = subprocess.run(
            [part("ssh-keygen"), "-Y", "verify", f"-Overify-time={self.day}", *whose],
            cwd=folder,
            input=self.receipt,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        return ran.returncode == 0


def asked(seq: int = 1, of: int = 1) -> Asked:
    """Return the question whether one receipt's signature is that of another's file."""
    files = handed().files
    return Asked(files["keys/allowed_signers"], files[f"sshsig/{seq}.sig"], files[f"receipts/{of}.json"])


def seqs() -> list[int]:
    """Return the numbers of the receipts."""
    return list(range(1, 1 + sum(name.startswith("receipts/") for name in handed().files)))


@pytest.mark.clause("IO-14")
def test_ssh_takes_the_signature_of_each_receipt(tmp_path: Path) -> None:
    """Of each receipt its own, and of no other receipt."""
    taken = {(seq, of): asked(seq, of).is_taken(tmp_path) for seq in seqs() for of in seqs()}

    assert len(seqs()) > 2
    assert taken == {(seq, of): seq == of for seq, of in taken}


def another_key(old: Asked) -> Asked:
    """Return the question with somebody else's key in the list of signers."""
    kind, raw = b"ssh-ed25519", read_public_key(SeededSigner("somebody else").public_key_pem).raw
    blob = b"".join(len(each).to_bytes(4, "big") + each for each in (kind, raw))
    return replace(old, signers=old.signers.rpartition(b" ")[0] + b" " + b64encode(blob) + b"\n")


def within(old: Asked, day: str) -> Asked:
    """Return the question of a day, with a key that counts for one year."""
    window = b',valid-after="20260101",valid-before="20270101" ssh-ed25519'
    return replace(old, day=day, signers=old.signers.replace(b" ssh-ed25519", window))


CHANGES: dict[str, Callable[[Asked], Asked]] = {
    "a bit of the receipt": lambda old: replace(old, receipt=flipped(old.receipt, 999)),
    "a byte more": lambda old: replace(old, receipt=old.receipt + b"\n"),
    "a bit of the signature": lambda old: replace(old, signature=flipped(old.signature, 2_000)),
    "half of the signature": lambda old: replace(old, signature=old.signature[:150]),
    "another namespace": lambda old: replace(old, namespace="file"),
    "another identity": lambda old: replace(old, who="somebody@else"),
    "a signer for another namespace": lambda old: replace(
        old, signers=old.signers.replace(b'"rollout-receipt@lockgate"', b'"file"')
    ),
    "another signer's key": another_key,
    "before the key counts": lambda old: within(old, "20251231"),
    "after the key counted": lambda old: within(old, "20280101"),
}


@pytest.mark.clause("IO-14")
@pytest.mark.parametrize("name", CHANGES)
def test_ssh_takes_nothing_else(tmp_path: Path, name: str) -> None:
    """Another receipt, signature, namespace, identity, key or year is refused."""
    assert not CHANGES[name](asked()).is_taken(tmp_path)


@pytest.mark.clause("IO-14")
def test_ssh_takes_it_within_its_years(tmp_path: Path) -> None:
    """The owner of the list says for which years a key counts."""
    assert within(asked(), "20260701").is_taken(tmp_path)


@pytest.mark.clause("IO-15")
def test_sigstore_takes_each_exported_bundle() -> None:
    """Its library reads the files as they are, and what is in them is the receipt."""
    files = handed().files
    bundles = [files[f"sigstore/{seq}.sigstore.json"] for seq in seqs()]

    assert tools.sigstore(bundles, read_public_key(handed().receipt_key)) == [True] * len(seqs())
    assert [canonicalize(json.loads(each)["dsseEnvelope"]) for each in bundles] == [
        files[f"receipts/{seq}.json"] for seq in seqs()
    ]


@pytest.mark.clause("IO-15")
def test_sigstore_takes_no_changed_bundle() -> None:
    """Another payload, signature, key, or no signature at all."""
    bundle = handed().files["sigstore/1.sigstore.json"]
    document = json.loads(bundle)
    sig = document["dsseEnvelope"]["signatures"][0]["sig"]
    changed = [
        flipped(bundle, 999),
        bundle.replace(sig.encode(), b"A" + sig[1:].encode() if sig[0] != "A" else b"B" + sig[1:].encode()),
        bundle.replace(b'"hint":"', b'"hint":"0'),
        bundle.replace(b"vnd.in-toto+json", b"vnd.in-toto+jsom"),
        canonicalize({**document, "dsseEnvelope": {**document["dsseEnvelope"], "signatures": []}}),
    ]
    other = read_public_key(SeededSigner("somebody else").public_key_pem)

    assert tools.sigstore(changed, read_public_key(handed().receipt_key)) == [False] * len(changed)
    assert tools.sigstore([bundle], other) == [False]
