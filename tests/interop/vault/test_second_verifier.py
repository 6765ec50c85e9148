# SPDX-License-Identifier: Apache-2.0
"""The vectors of the receipt's format come in; a verifier that was written from its text must say what they say."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.interop.routers import part
from tests.interop.vault.bundles import ROOT, handed
from tests.interop.vault.tools import HERE, SECONDS

pytestmark = [pytest.mark.interop, pytest.mark.clause("IO-20")]
VERIFIER = ROOT / "examples" / "verifier" / "verify.mjs"
VECTORS = ROOT / "tests" / "vectors" / "receipts_v1.json"
GIVEN = json.loads(VECTORS.read_text(encoding="utf-8"))
# It reads JSON as JavaScript does, where the last of two members counts, and sees by its bytes that it was not one.
SAID_OTHERWISE = {
    "envelope_duplicate_key": "envelope_not_canonical",
    "payload_duplicate_key": "payload_not_canonical",
}


@cache
def answers() -> Mapping[str, Any]:
    """Return what the verifier says of each vector: None, or its reason."""
    command = [part("node"), str(HERE / "vectors.mjs"), str(VERIFIER), str(VECTORS)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    said: Mapping[str, Any] = json.loads(ran.stdout)
    return said


@pytest.mark.clause("RF-42")
@pytest.mark.parametrize("what", ["receipts", "chains", "growth", "mustVerify"])
def test_it_takes_every_good_vector(what: str) -> None:
    """Each receipt with its proof, each series, the growth of the log from each size, and what counts by a manifest."""
    assert answers()[what] == [None] * len(GIVEN[what])
    assert GIVEN[what]


@pytest.mark.clause("RF-42")
def test_it_refuses_every_bad_vector_by_its_reason() -> None:
    """The text names the reasons, in the order in which a verifier comes to them."""
    said = {each["name"]: reason for each, reason in zip(GIVEN["mustFail"], answers()["mustFail"], strict=True)}

    assert said == {each["name"]: SAID_OTHERWISE.get(each["reason"], each["reason"]) for each in GIVEN["mustFail"]}


def called(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the verifier in a folder."""
    command = [part("node"), str(VERIFIER), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_it_reads_a_rollout_at_the_command_line(tmp_path: Path) -> None:
    """A series by its files, one receipt in its log beside a kept checkpoint, and a series with a gap."""
    given = handed()
    given.write(tmp_path)
    for name in ("receipts/1.json", "receipts/2.json", "receipts/3.json", "proofs/2.tlog-proof", "log.consistency"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(given.files[name])
    key, log = ("--key", "receipt-key.pem"), ("--log-key", "log-key.txt", "--checkpoint", "kept-checkpoint.txt")
    proof = ("--proof", "proofs/2.tlog-proof", "--consistency", "log.consistency")

    series = called(tmp_path, *key, *(f"receipts/{seq}.json" for seq in (1, 2, 3)))
    logged = called(tmp_path, *key, *log, *proof, "receipts/2.json")
    gap = called(tmp_path, *key, "receipts/1.json", "receipts/3.json")

    assert (series.returncode, len(series.stdout.splitlines())) == (0, 3)
    assert (logged.returncode, "of the log" in logged.stdout) == (0, True)
    assert (gap.returncode, gap.stderr) == (65, "not verified: chain\n")


@pytest.mark.clause("RF-42")
def test_it_reads_a_key_manifest_at_the_command_line(tmp_path: Path) -> None:
    """Versions in any order, a receipt where its key counts, and one behind the place of a revoked key."""
    for each in GIVEN["manifests"]:
        (tmp_path / f"{each['version']}.json").write_text(each["envelope"])
    for name, root in GIVEN["keys"]["rootPems"].items():
        (tmp_path / f"{name}.pem").write_text(root)
    kinds = {"good": "entry 4 in the fourth version", "bad": "behind the last entry of a revoked key"}
    for file, name in kinds.items():
        [vector] = [each for each in (*GIVEN["mustVerify"], *GIVEN["mustFail"]) if each["name"] == name]
        (tmp_path / file).write_text(vector["receipt"])
        (tmp_path / f"{file}.proof").write_text(vector["proof"])
    roots = ("--root", "a.pem", "--root", "b.pem")
    versions = [word for number in (2, 4, 1, 3) for word in ("--manifest", f"{number}.json")]

    alone = called(tmp_path, *versions, *roots, "--root-threshold", "2")
    good = called(tmp_path, *versions, *roots, "--proof", "good.proof", "good")
    bad = called(tmp_path, *versions[:2], *versions[4:], *roots, "--proof", "bad.proof", "bad")
    strangers = called(tmp_path, *versions, "--root", "d.pem", "good")

    assert (alone.returncode, alone.stdout) == (0, "verified version 4 of the key manifest of acme\n")
    assert (good.returncode, "entry 4 of the log" in good.stdout) == (0, True)
    assert (bad.returncode, bad.stderr) == (65, "not verified: key_revoked\n")
    assert (strangers.returncode, strangers.stderr) == (65, "not verified: manifest_signatures\n")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "no receipt was named"),
        (("--manifest", "m.json", "r.json"), "a --manifest is signed by a --root"),
        (("--root", "root.pem", "r.json"), "a --manifest is signed by a --root"),
        (("--checkpoint", "kept-checkpoint.txt"), "no receipt was named"),
        (("--checkpoint", "kept-checkpoint.txt", "r.json"), "--checkpoint is compared with that of a --proof"),
        (("--consistency", "log.consistency", "r.json"), "--consistency leads from a --checkpoint"),
        (("--proof", "r.tlog-proof", "r.json", "r.json"), "a --proof is of one receipt"),
    ],
)
def test_it_says_nothing_of_what_it_did_not_compare(words: tuple[str, ...], why: str, tmp_path: Path) -> None:
    """A call by which nothing would be proven, or less than it names, is refused."""
    said = called(tmp_path, *words)

    assert (said.returncode, said.stdout, said.stderr) == (65, "", f"not verified: {why}\n")
