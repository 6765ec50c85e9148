# SPDX-License-Identifier: Apache-2.0
"""Both signers of a folder come in; each must keep the contract of signers."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.adapters.signers.key_folder import open_signers
from lockgate.ports.signing import Signer
from lockgate.testing.signer_contract import SignerContract


@pytest.mark.clause("RE-22")
class TestReceiptKey(SignerContract):
    """The signer of receipts."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def signer(self) -> Signer:
        """Return the signer, opened anew."""
        return open_signers(self.folder).receipt


@pytest.mark.clause("RE-22")
class TestLogKey(TestReceiptKey):
    """The signer of checkpoints."""

    def signer(self) -> Signer:
        """Return the signer, opened anew."""
        return open_signers(self.folder).log
