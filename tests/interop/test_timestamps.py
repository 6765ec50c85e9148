# SPDX-License-Identifier: Apache-2.0
"""A timestamp authority that OpenSSL makes comes in; what it stamps verifies here, and by OpenSSL."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes

from lockgate.adapters.timestamps.rfc3161 import KnownAuthorities, Rfc3161Authority
from lockgate.core.refusal import VerifyError
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.vault.witnessed import timestamp_of
from lockgate.operations.witness.stamping import StampOutcome, stamp
from lockgate.wiring import read_timestamp
from tests.spec.line import created, world
from tests.witness.stamping import answering

CONFIG = """
[tsa]
default_tsa = own
[own]
serial = serial
crypto_device = builtin
signer_cert = tsa.crt
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
"""
EXTENSION = "extendedKeyUsage=critical,timeStamping\n"


class OpensslAuthority:
    """An authority whose certificates and answers OpenSSL makes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "tsa.cnf").write_text(CONFIG, encoding="ascii")
        (folder / "extension").write_text(EXTENSION, encoding="ascii")
        (folder / "serial").write_text("01\n", encoding="ascii")
        new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        self.openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca", "-days", "2")
        self.openssl("req", *new, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=tsa.example/O=Notary")
        signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extension")
        self.openssl("x509", "-req", "-in", "tsa.csr", *signed, "-out", "tsa.crt")

    @property
    def certificates(self) -> Path:
        """Return the file that the authority is known by."""
        return self.folder / "ca.crt"

    def with_certificates(self, *others: Path) -> None:
        """Let each answer hold these certificates too, in this order."""
        known = b"".join(each.read_bytes() for each in others)
        (self.folder / "certs.crt").write_bytes(known)
        (self.folder / "tsa.cnf").write_text(f"{CONFIG}certs = certs.crt\n", encoding="ascii")

    def openssl(self, *words: str) -> None:
        """Call OpenSSL in the folder."""
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=120)

    def answer(self, query: bytes) -> tuple[int, str, bytes]:
        """Answer a query."""
        (self.folder / "query").write_bytes(query)
        self.openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
        return 200, "application/timestamp-reply", (self.folder / "reply").read_bytes()


@pytest.mark.interop
@pytest.mark.clause("WT-30", "WT-65")
def test_a_stamp_of_an_authority_of_openssl_verifies_here_and_there(tmp_path: Path) -> None:
    """Who stamped and when is read from it; other bytes, another authority and any bit of its imprint are refused."""
    here, authority = world(), OpensslAuthority(tmp_path / "tsa")
    other = OpensslAuthority(tmp_path / "other")
    created(here)
    with answering(authority.answer) as url:
        said = stamp(here.house, Rfc3161Authority(url, authority.certificates))
        with pytest.raises(VerifyError):
            Rfc3161Authority(url, other.certificates).stamp(b"checkpoint", 10)
    stale = authority.answer((tmp_path / "tsa" / "query").read_bytes())
    with here.house.store.reading() as seen:
        token, note = timestamp_of(seen, 1), seen.checkpoint(1)
    assert (said.outcome, token is None, note is None) == (StampOutcome.STAMPED, False, False)
    assert token is not None
    assert note is not None

    pem = authority.certificates.read_bytes()
    read = read_timestamp(token, note, pem)

    assert "tsa.example" in read.authority
    assert replace(read, at=0) == replace(read_timestamp(token, note, pem), at=0)
    for answer, data, known, why in (
        (token, note + b"x", pem, ""),
        (token, note, other.certificates.read_bytes(), "not signed by a certificate that you named"),
        (token.replace(_imprint(note), bytes(32)), note, pem, "its signature does not verify"),
        (stale[2], note, pem, ""),
    ):
        with pytest.raises(VerifyError, match="no timestamp of these bytes") as refused:
            read_timestamp(answer, data, known)
        assert why in refused.value.message
        assert "ErrorStack" not in refused.value.message
        assert len(refused.value.message) < 400
    at_home, abroad = (
        fsck(here.house, stamps=KnownAuthorities(each.certificates.read_bytes())) for each in (authority, other)
    )
    assert (at_home.flaws, at_home.unknown, at_home.counted["timestamps"]) == ((), (), 1)
    assert ["by any certificate" in each.what for each in abroad.flaws] == [True]
    (tmp_path / "tsa" / "checkpoint").write_bytes(note)
    (tmp_path / "tsa" / "checkpoint.tsr").write_bytes(token)
    authority.openssl("ts", "-verify", "-in", "checkpoint.tsr", "-data", "checkpoint", "-CAfile", "ca.crt")


@pytest.mark.interop
@pytest.mark.clause("WT-51")
def test_a_stamp_is_read_whatever_the_order_of_its_certificates_is(tmp_path: Path) -> None:
    """OpenSSL writes them as they stand in a file, and not as DER wants a set."""
    authority, other = (OpensslAuthority(tmp_path / name) for name in ("tsa", "other"))
    read = []
    with answering(authority.answer) as url:
        for known in ((authority, other), (other, authority)):
            authority.with_certificates(*(each.certificates for each in known))
            token = Rfc3161Authority(url, authority.certificates).stamp(b"checkpoint", 30)
            read.append(read_timestamp(token, b"checkpoint", authority.certificates.read_bytes()).authority)

    assert ["tsa.example" in each for each in read] == [True, True]


def _imprint(note: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(note)
    return digest.finalize()
