# SPDX-License-Identifier: Apache-2.0
"""The commands of docs/howto/audit.md come in; they must prove a good bundle, and stop at each forged one."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.core.bundle_layout import CHECKPOINT
from lockgate.core.note import NoteKey, read_note, sign_line
from lockgate.core.public_key import read_public_key
from tests.interop.routers import part
from tests.interop.vault.bundles import FORGERIES, ROOT, Handed, fingerprint, handed, relisted, sampled
from tests.interop.vault.tampers import NODE, OPENSSL, OTHER, RESPELLED, SECURESYSTEMSLIB, SIGNED, SIGSTORE, Tamper
from tests.interop.vault.tools import NODE_MODULES, SECONDS

pytestmark = pytest.mark.interop
PAGE = (ROOT / "docs" / "howto" / "audit.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
AT_ONCE = next(line for line in PAGE.splitlines() if line.startswith("bash audit.sh"))
WHOLE = "\n".join(BLOCKS)
BY_HAND = WHOLE.replace(AT_ONCE, "")
BY_SCRIPT = f"unzip -q bundle.zip -d bundle\n{AT_ONCE}"


def typed(commands: str, given: Handed, folder: Path, options: str = "-euo") -> subprocess.CompletedProcess[str]:
    """Run commands of the page in an empty folder, with what the page says that one needs."""
    for name in ("openssl", "jq", "xxd", "unzip", "ssh-keygen", "node"):
        part(name)
    given.write(folder)
    return subprocess.run(
        ["bash", options, "pipefail", "-c", commands],
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "NODE_PATH": str(NODE_MODULES)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.clause("IO-16")
@pytest.mark.parametrize("given", [handed, sampled])
def test_the_page_proves_a_bundle(given: Callable[[], Handed], tmp_path: Path) -> None:
    """Script, steps by hand, OpenSSH and Sigstore say yes to each receipt, and the key is the one that is published."""
    ran = typed(WHOLE, given(), tmp_path)

    count = sum(name.startswith("receipts/") for name in given().files)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"{fingerprint(given().receipt_key)}  -")
    assert ran.stdout.count("Signature Verified Successfully") == count + 1
    assert ran.stdout.count('Good "rollout-receipt@lockgate" signature for receipt@lockgate') == count
    assert ran.stdout.count("verified bundle/sigstore/") == count


@pytest.mark.clause("IO-16")
def test_the_page_runs_every_step_by_hand() -> None:
    """What is taken out for the steps by hand is the script's one line."""
    assert WHOLE.count(AT_ONCE) == 1
    assert len(BLOCKS) >= 10


@pytest.mark.clause("IO-17")
@pytest.mark.parametrize("name", FORGERIES)
def test_the_script_stops_at_a_forged_bundle(name: str, tmp_path: Path) -> None:
    """Whatever was changed, with the manifest made anew, but in files that are not the script's."""
    forge, is_noticed, _ = FORGERIES[name]

    ran = typed(BY_SCRIPT, replace(handed(), files=forge(handed().files)), tmp_path)

    assert (ran.returncode, "FAIL" in ran.stderr) == ((1, True) if is_noticed else (0, False))


@pytest.mark.clause("IO-17")
@pytest.mark.parametrize("name", FORGERIES)
def test_the_steps_by_hand_stop_at_a_forged_bundle(name: str, tmp_path: Path) -> None:
    """Without the script too, but where a file is none that they read."""
    forge, _, is_noticed = FORGERIES[name]

    ran = typed(BY_HAND, replace(handed(), files=forge(handed().files)), tmp_path)

    assert (ran.returncode != 0) is is_noticed


@pytest.mark.clause("IO-17")
@pytest.mark.parametrize("name", FORGERIES)
def test_who_types_the_steps_is_told_which_went_wrong(name: str, tmp_path: Path) -> None:
    """A shell that somebody types into goes on behind what fails, so that each step has to say so itself."""
    forge, _, is_noticed = FORGERIES[name]

    ran = typed(BY_HAND, replace(handed(), files=forge(handed().files)), tmp_path, "-o")

    assert ("WRONG: " in ran.stdout) is is_noticed


@pytest.mark.clause("IO-17")
def test_the_script_stops_at_a_history_that_a_kept_checkpoint_is_not_of(tmp_path: Path) -> None:
    """Signed by the right key, and of another log than the one that was shown before."""
    other = handed(6)

    ran = typed(BY_SCRIPT, replace(handed(), kept=other.kept), tmp_path)

    assert ran.returncode == 1
    assert "kept" in ran.stderr


def row(tamper: Tamper) -> str:
    """Return the row of the page's table."""
    takers = [name for name in (OPENSSL, NODE, SIGSTORE, SECURESYSTEMSLIB) if name in tamper.taken]
    return f"| {tamper.name} | {'all' if len(takers) == 4 else ', '.join(takers)} | `{tamper.reason.value}` |"


@pytest.mark.clause("IO-04")
def test_the_page_names_what_others_take() -> None:
    """The page's table and the one that the tools are asked by are the same."""
    shown = PAGE.partition("## Where other tools are less strict")[2].partition("\n## ")[0]

    assert re.findall(r"^\| .*`.*$", shown, re.MULTILINE) == [row(tamper) for tamper in (*RESPELLED, *SIGNED)]


@pytest.mark.clause("IO-16")
def test_the_page_proves_a_bundle_whose_checkpoint_a_witness_signed_too(tmp_path: Path) -> None:
    """Lines of others below the checkpoint are left out, and the proofs are under the checkpoint without them."""
    body = read_note(handed().files[CHECKPOINT]).body.encode("utf-8")
    witness = NoteKey("witness.example/w1", read_public_key(OTHER.public_key_pem).raw)
    line = sign_line(witness, OTHER.sign(body)).line().encode("utf-8")
    files = relisted({**handed().files, CHECKPOINT: handed().files[CHECKPOINT] + line})

    ran = typed(WHOLE, replace(handed(), files=files), tmp_path)

    assert (ran.returncode, ran.stderr) == (0, "")
