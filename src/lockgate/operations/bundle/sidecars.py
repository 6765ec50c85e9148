# SPDX-License-Identifier: Apache-2.0
"""The receipts of a rollout come in; the signatures go out by which `ssh-keygen` verifies them, or why there is none.

They are made when a bundle is, and only of what the same key signed before: a key that answers for what another
signed, or for bytes that were changed in the store, would make true what nobody decided.
"""

from __future__ import annotations

from lockgate.core.envelope import open_envelope, signer_of
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.refusal import VerifyError
from lockgate.core.sshsig import ssh_signature, ssh_signed_bytes
from lockgate.core.vault import Receipt
from lockgate.errors import LockgateError
from lockgate.operations.vault.logged import not_as_signed
from lockgate.ports.signing import Signer
from lockgate.verify.signature import check_signature

# A signer may be slow or far away; earlier receipts are bound by the digests that later ones name.
MAX_SIGNED = 1_000


class Sidecars:
    """Signs receipts for `ssh-keygen`, as long as the key of receipts is there and answers."""

    def __init__(self, signer: Signer, newest: int) -> None:
        self._signer, self._newest = signer, newest
        self._key: PublicKey | None = None
        self._why_not = ""
        try:
            signer.check()
            self._key = read_public_key(signer.public_key_pem)
        except LockgateError:
            # Not the message: it names a path of this machine.
            self._why_not = "the private key of receipts is not where the bundle was made"

    def of(self, receipt: Receipt) -> tuple[bytes, str]:
        """Return the signature of a receipt; where there is none, no bytes and why not."""
        if self._key is None:
            return b"", self._why_not
        if receipt.seq <= self._newest - MAX_SIGNED:
            return b"", f"only the last {MAX_SIGNED:,} receipts are signed so"
        if signer_of(receipt.envelope) != self._key.key_id:
            return b"", "the key that signed it signs no more"
        try:
            check_signature(open_envelope(receipt.envelope), self._key)
        except VerifyError as error:
            raise not_as_signed(receipt) from error
        try:
            return ssh_signature(self._key, self._signer.sign(ssh_signed_bytes(receipt.envelope))), ""
        except LockgateError:
            self._key, self._why_not = None, "the signer of receipts did not answer when the bundle was made"
            return b"", self._why_not
