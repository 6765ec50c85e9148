# SPDX-License-Identifier: Apache-2.0
"""Manifests that say something else of a bundle than is in it come in; audit.sh must name what."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockgate.core.canonical import canonicalize
from lockgate.testing.signers import seeded_signers
from lockgate.testing.world import World
from lockgate.wiring import memory_store
from tests.interop.signed_anew import signed_anew
from tests.interop.test_audit_script import Audit, Files, audit, sealed, tools, whole
from tests.spec.bundles import bundled
from tests.spec.line import created

pytestmark = pytest.mark.interop
__all__ = ["audit", "tools", "whole"]
# What stands in a manifest and what is put in its place, and what is then said.
MISLISTED = {
    "another candidate": (b'"candidate":"', b'"candidate":"z', "manifest.json: it names another app or candidate"),
    "another app": (b'{"app":"', b'{"app":"z', "manifest.json: it names another app or candidate"),
    "another rollout": (b'"rolloutId":"rol_', b'"rolloutId":"rol_a', "receipts/1.json: it is not of the series"),
    "another organisation": (b'"org":"', b'"org":"z', "receipts/1.json: it is of another organisation"),
    "another log": (b'"origin":"', b'"origin":"z', "checkpoint.txt: it is of another log than the manifest names"),
    "another format": (b"bundle/v1", b"bundle/v2", "manifest.json: it is not that of a bundle"),
    "a size": (b'"size":', b'"size":9', "files: README.txt is of another size than is listed"),
    "a size as a text": (b'"size":1', b'"size":"1","', "manifest.json: "),
    "no digest": (b'"sha256":', b'"sha257":', "manifest.json: it has not SHA-256 and size alone of README.txt"),
    "a digest that is none": (b'"sha256":"', b'"sha256":null,"', "manifest.json: "),
    "a member more": (b'"format":', b'"extra":1,"format":', "manifest.json: it has other members than a manifest"),
    "an app that is no text": (b'{"app":', b'{"app":1,"app":', "manifest.json: it is not in its one form"),
    "a space": (b'{"app":', b'{"app": ', "manifest.json: it is not in its one form"),
}


@pytest.mark.clause("RF-83")
@pytest.mark.parametrize("seq", [1, 2])
def test_a_receipt_that_leaves_out_which_is_before_it_is_refused(audit: Audit, whole: Files, seq: int) -> None:
    """The first says that there is none."""

    def silenced(number: int, payload: bytes) -> bytes:
        statement = json.loads(payload)
        if number == seq:
            del statement["predicate"]["prevReceipt"]
        return canonicalize(statement)

    audit.put(sealed(signed_anew(whole, silenced, seeded_signers(1))))

    done = audit.check()

    assert done.returncode == 1
    assert f"receipts/{seq}.json: it does not say which receipt is before it" in done.stderr


@pytest.mark.clause("EX-102")
@pytest.mark.parametrize("kind", MISLISTED)
def test_what_the_manifest_says_of_files_and_rollout_is_compared(audit: Audit, whole: Files, kind: str) -> None:
    """Whoever changes it tells a reader another story than the receipts do."""
    old, new, said = MISLISTED[kind]
    audit.put({**whole, "manifest.json": whole["manifest.json"].replace(old, new, 1)})

    done = audit.check()

    assert (done.returncode, done.stderr.startswith(f"FAIL {said}")) == (1, True), done.stderr


@pytest.mark.clause("EX-102")
def test_a_manifest_with_a_line_break_behind_it_is_refused(audit: Audit, whole: Files) -> None:
    """It has one form, as `lockgate verify` says too."""
    audit.put({**whole, "manifest.json": whole["manifest.json"] + b"\n"})

    assert audit.check().stderr == "FAIL manifest.json: it is not in its one form\n"


@pytest.mark.clause("EX-102")
def test_a_name_that_looks_like_an_escape_is_read_as_it_is(audit: Audit) -> None:
    """A backslash is a character of a name like others."""
    here = World(memory_store(), 1)
    audit.put(bundled(here.house, created(here, app=r"web\u007f\\u007f").rollout.id)[0])

    done = audit.check()

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.clause("EX-102")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**20))
def test_no_bit_of_a_manifest_is_free(audit: Audit, whole: Files, place: int) -> None:
    """Whichever is another one, the script ends by 1."""
    changed = bytearray(whole["manifest.json"])
    changed[place // 8 % len(changed)] ^= 1 << place % 8
    audit.put({**whole, "manifest.json": bytes(changed)})

    assert audit.check().returncode == 1
