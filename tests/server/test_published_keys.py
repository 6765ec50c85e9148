# SPDX-License-Identifier: Apache-2.0
"""Keys that follow each other, and the manifest of them, come in; whoever asks without a key must find all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.core.envelope import signer_of
from lockgate.core.listed_key import Use
from lockgate.core.public_key import read_public_key
from lockgate.verify import Keys, read_note_key, verify_checkpoint, verify_receipt
from tests.server.served import served
from tests.spec.test_rotation import checkpoint, decide, entries, line, published, rotated, trusting

MANIFEST = "/.well-known/lockgate/keys.dsse.json"


@pytest.mark.clause("LG-31")
def test_the_manifest_is_served_as_its_roots_signed_it(tmp_path: Path) -> None:
    """Byte for byte, as an envelope of DSSE, with its digest for a tag."""
    here = line(tmp_path)
    decide(here, "one")
    data = published(here)

    with served(here) as door:
        answer = door.http.get(MANIFEST)
        again = door.http.get(MANIFEST, headers={"if-none-match": answer.headers["etag"]})

    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["content-type"] == "application/vnd.dsse.envelope.v1+json"
    assert again.status_code == 304
    assert trusting(answer.content).org == "default"


@pytest.mark.clause("LG-31")
def test_older_keys_stay_published(tmp_path: Path) -> None:
    """After both keys were followed by others, every receipt and every checkpoint verifies by what is published."""
    here = line(tmp_path)
    decide(here, "one")
    first = checkpoint(here.house)
    rotated(here, Use.RECEIPT)
    rotated(here, Use.LOG)
    decide(here, "two")

    with served(here) as door:
        log = tuple(read_note_key(text) for text in door.http.get("/keys/log.vkey").text.splitlines())
        kept = entries(here.house)
        pems = {each.index: door.http.get(f"/keys/{signer_of(each.envelope)}.pem").content for each in kept}
        web = {each["kid"] for each in door.http.get("/keys/jwks.json").json()["keys"]}

    for each in kept:
        assert verify_receipt(each.envelope, Keys((read_public_key(pems[each.index]),))).entry is None
    assert {signer_of(each.envelope) for each in kept} <= web
    assert [verify_checkpoint(note, log).size for note in (first, checkpoint(here.house))] == [1, len(kept)]
