# SPDX-License-Identifier: Apache-2.0
"""Bundles, whole ones and forged ones, come in; audit.sh, with bash, jq and openssl alone, must tell them apart."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lockgate.core.canonical import Json, canonicalize
from lockgate.core.receipt import operator
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from lockgate.testing.signers import seeded_signers
from lockgate.testing.world import World
from tests.interop.routers import part
from tests.interop.signed_anew import MISSTATED, signed_anew
from tests.spec.bundles import bundled, stepped_in
from tests.spec.line import EQUAL, created, world

pytestmark = pytest.mark.interop

# All that the script calls; there is no Python and no Lockgate among it.
TOOLS = (
    "bash jq openssl sha256sum basenc base64 find xargs sed sort comm grep head tail cut wc cat tr mktemp mkdir rm "
    "realpath dirname seq split nproc"
).split()
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of tools in place of PATH."""
    folder = tmp_path_factory.mktemp("bin")
    for name in TOOLS:
        found = shutil.which(name)
        assert found is not None, name
        (folder / name).symlink_to(found)
    return folder


@pytest.fixture(scope="module")
def whole() -> Files:
    """Return the files of a bundle in which much happened, and with long verdicts."""
    here, rollout = stepped_in()
    return bundled(here.house, rollout)[0]


@pytest.fixture(scope="module")
def wordy() -> Files:
    """Return the files of a bundle with a verdict that was too long for its receipt."""
    here = world()
    gates = [f"scores.{'x' * 60}{number}" for number in range(40)]
    rollout = created(here, policy={"gates": gates}).rollout.id
    here.walk(rollout, EQUAL, runs=400, minutes=2)
    pause(rollout, operator("ann", "to look"), here.house)
    return bundled(here.house, rollout)[0]


class Audit:
    """The script, called as an auditor calls it."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder, self._tools = folder, tools
        signers = seeded_signers(1)
        self.key, self.log_key = folder / "key.pem", folder / "log.txt"
        self.key.write_bytes(signers.receipt.public_key_pem)
        self._bundle = folder / "bundle"

    def put(self, files: Files) -> None:
        """Unpack a bundle."""
        shutil.rmtree(self._bundle, ignore_errors=True)
        for name, data in files.items():
            (self._bundle / name).parent.mkdir(parents=True, exist_ok=True)
            (self._bundle / name).write_bytes(data)
        if not self.log_key.exists():
            self.log_key.write_bytes(files["keys/log-key.txt"])

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Call the script that is in the bundle."""
        call = ["bash", str(self._bundle / "audit.sh"), *map(str, words)]
        env = {"PATH": str(self._tools), "TMPDIR": str(self.folder)}
        return subprocess.run(call, capture_output=True, text=True, check=False, timeout=120, env=env)

    def check(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Call it with the keys of the vault."""
        return self.run("--key", self.key, "--log-key", self.log_key, *words)


@pytest.fixture
def audit(tmp_path: Path, tools: Path, whole: Files) -> Iterator[Audit]:
    """Return the script and a bundle."""
    found = Audit(tmp_path, tools)
    found.put(whole)
    yield found
    left = [each.name for each in tmp_path.iterdir() if each.name.startswith("tmp.")]
    assert left == [], "the script leaves nothing behind"


def sealed(files: Files) -> Files:
    """Return files with a manifest that lists them as they are now, as whoever forges a bundle would."""
    manifest = json.loads(files["manifest.json"])
    rest = {name: data for name, data in files.items() if name != "manifest.json"}
    manifest["files"] = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in rest.items()
    }
    return {**rest, "manifest.json": canonicalize(manifest)}


def _restated(files: Files, name: str = "receipts/2.json") -> Files:
    """Return files of which a receipt states another reason, in its one form."""
    envelope = json.loads(files[name])
    payload = json.loads(b64decode(envelope["payload"]))
    payload["predicate"]["decision"]["reason"] = "all is well"
    envelope["payload"] = b64encode(canonicalize(payload)).decode()
    return {**files, name: canonicalize(envelope)}


def _resigned(files: Files) -> Files:
    """Return files of which a receipt names another key."""
    envelope = json.loads(files["receipts/2.json"])
    envelope["signatures"][0]["keyid"] = "0" * 64
    return {**files, "receipts/2.json": canonicalize(envelope)}


def _twice_signed(files: Files) -> Files:
    envelope = json.loads(files["receipts/2.json"])
    envelope["signatures"] *= 2
    return {**files, "receipts/2.json": canonicalize(envelope)}


def _replaced(files: Files, name: str, old: bytes, new: bytes) -> Files:
    assert old in files[name]
    return {**files, name: files[name].replace(old, new, 1)}


def _flipped(files: Files, name: str, place: int) -> Files:
    """Return files of which one bit of one hash in base64 is another."""
    lines = files[name].split(b"\n")
    raw = bytearray(b64decode(lines[place]))
    raw[0] ^= 1
    lines[place] = b64encode(bytes(raw))
    return {**files, name: b"\n".join(lines)}


def _without(files: Files, *names: str) -> Files:
    return {name: data for name, data in files.items() if name not in names}


def _swapped(files: Files, one: str, other: str) -> Files:
    return {**files, one: files[other], other: files[one]}


def _first(files: Files, folder: str) -> str:
    return min(name for name in files if name.startswith(f"{folder}/"))


P1, P2, R2 = "proofs/1.tlog-proof", "proofs/2.tlog-proof", "receipts/2.json"
# Each with the manifest made anew, so that it is found by what it is and not by a digest there.
FORGED: dict[str, tuple[Callable[[Files], Files], str]] = {
    "other words": (_restated, "FAIL receipts/2.json: its signature is not of that key"),
    "other words of a kill": (
        lambda files: _restated(files, "related/app/1.json"),
        "FAIL related/app/1.json: its signature is not of that key",
    ),
    "another key": (_resigned, "FAIL receipts/2.json: no key that you named has its id"),
    "two signatures": (_twice_signed, "FAIL receipts: receipts/2.json: it is no envelope"),
    "a space": (lambda files: {**files, R2: files[R2] + b" "}, "it is not in a receipt's one form"),
    "a line break": (lambda files: {**files, R2: files[R2] + b"\n"}, "it is not in a receipt's one form"),
    "a name twice": (
        lambda files: _replaced(files, R2, b'{"payload":', b'{"payload":"","payload":'),
        "it is not in a receipt's one form",
    ),
    "no json": (lambda files: {**files, R2: b"{"}, "FAIL receipts: parse error"),
    "a gap": (lambda files: _without(files, R2, P2), "FAIL receipt 2: it is missing"),
    "no first": (
        lambda files: _without(files, "receipts/1.json", "proofs/1.tlog-proof"),
        "FAIL receipts: the first is missing",
    ),
    "no proof": (lambda files: _without(files, P2), "FAIL receipts/2.json: its proof is missing"),
    "a proof of nothing": (lambda files: {**files, "proofs/99.tlog-proof": files[P2]}, "there is one of no receipt"),
    "another order": (
        lambda files: _swapped(_swapped(files, R2, "receipts/3.json"), P2, "proofs/3.tlog-proof"),
        "FAIL receipts/2.json: it says that it is receipt 3",
    ),
    "proofs of each other": (
        lambda files: _swapped(files, P2, "proofs/3.tlog-proof"),
        "FAIL receipts/2.json: its proof does not lead to the root",
    ),
    "another hash": (lambda files: _flipped(files, P2, 2), "its proof does not lead to the root"),
    "another index": (
        lambda files: _replaced(files, P2, b"index 1", b"index 0"),
        "its proof does not lead to the root",
    ),
    "an index beyond": (lambda files: _replaced(files, P2, b"index 1", b"index 77"), "its proof names no place"),
    "a proof too short": (
        lambda files: {**files, P2: files[P2].replace(files[P2].split(b"\n")[2] + b"\n", b"", 1)},
        "receipts/2.json: its proof",
    ),
    "a proof too long": (
        lambda files: {**files, P2: files[P2].replace(b"\n\n", b"\n" + b"A" * 43 + b"=\n\n", 1)},
        "its proof is too long",
    ),
    "another proof's form": (lambda files: _replaced(files, P2, b"proof@v1", b"proof@v2"), "its proof is none"),
    "another root": (lambda files: _flipped(files, "checkpoint.txt", 2), "FAIL checkpoint.txt: its signature is not"),
    "no signature": (
        lambda files: {**files, "checkpoint.txt": files["checkpoint.txt"].rpartition("\N{EM DASH}".encode())[0]},
        "no log key that you named signed it",
    ),
    "another log": (
        lambda files: _replaced(files, "checkpoint.txt", b"lockgate/default/", b"lockgate/another/"),
        "no log key that you named signed it",
    ),
    "another policy": (
        lambda files: _replaced(files, "policy.json", b'"min_runs":30', b'"min_runs":31'),
        "FAIL receipts/1.json: policy.json is not the policy that it names",
    ),
    "no policy": (lambda files: _without(files, "policy.json"), "FAIL policy.json is missing"),
    "another look": (
        lambda files: _replaced(files, _first(files, "looks"), b'":1', b'":2'),
        "they are not the looks that receipts/2.json names",
    ),
    "a look cut short": (
        lambda files: {**files, _first(files, "looks"): files[_first(files, "looks")][:-1]},
        "they are not the looks",
    ),
    "another receipt for Sigstore": (
        lambda files: _swapped(files, "sigstore/1.sigstore.json", "sigstore/2.sigstore.json"),
        "FAIL sigstore/1.sigstore.json: it is not receipts/1.json",
    ),
    "a verdict of nobody": (
        lambda files: {**files, f"verdicts/{'0' * 64}.json": b"{}"},
        f"FAIL verdicts/{'0' * 64}.json: no receipt names it",
    ),
    "a case of nothing": (lambda files: {**files, "replay/99.json": b"{}"}, "it stands beside no receipt"),
    "a file of no kind": (lambda files: {**files, "extra.txt": b""}, "it lists a name that no file of a bundle has"),
    "its own receipt as another's": (
        lambda files: {**files, "related/app/1.json": files["receipts/1.json"], "related/app/1.tlog-proof": files[P1]},
        "FAIL related/app/1.json: it is not of the series that it stands among",
    ),
    "a key that was revoked": (
        lambda files: {**files, "keys/manifest.dsse.json": revoking(seeded_signers(1).receipt.key_id, 1)},
        "the bundle's key manifest revokes its key from entry 1 on",
    ),
}


def revoking(key_id: str, last: int) -> bytes:
    """Return a key manifest, signed by nobody, that revokes a key behind an entry of the log."""
    revoked: dict[str, Json] = {"keyid": key_id, "status": "revoked", "lastIndex": last}
    return canonicalize({"payload": b64encode(canonicalize({"keys": [revoked]})).decode()})


@pytest.mark.clause("EX-40")
def test_a_whole_bundle_is_well(audit: Audit, whole: Files) -> None:
    """Each decision stands there in words, and at the end what was checked and what was not."""
    done = audit.check()

    assert (done.returncode, done.stderr) == (0, "")
    count = sum(name.startswith("receipts/") for name in whole)
    assert done.stdout.count("ok  receipts/") == count
    assert "ok  related/app/1.json" in done.stdout
    assert "rollback (kill), 0 %: eve says so" in done.stdout
    assert f"All {count} receipts are signed by keys that you named" in done.stdout
    assert "Not checked here" in done.stdout


@pytest.mark.clause("EX-41")
@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_bundle_is_refused_by_what_is_wrong(audit: Audit, whole: Files, kind: str) -> None:
    """Whoever forges a bundle makes its manifest anew, and is found out by keys, chain or log."""
    forge, said = FORGED[kind]
    audit.put(sealed(forge(whole)))

    done = audit.check()

    assert done.returncode == 1, done.stdout + done.stderr
    assert said in done.stderr
    assert "All " not in done.stdout


@pytest.mark.clause("EX-50")
@pytest.mark.parametrize("kind", MISSTATED)
def test_what_the_right_keys_signed_is_refused_where_it_is_no_statement(audit: Audit, whole: Files, kind: str) -> None:
    """A key's owner may sign what two readers take for two things, or what cannot follow."""
    said, why = MISSTATED[kind]
    audit.put(sealed(signed_anew(whole, lambda _, payload: payload, seeded_signers(1))))
    good = audit.check()
    audit.put(sealed(signed_anew(whole, said, seeded_signers(1))))

    done = audit.check()

    assert (good.returncode, good.stderr) == (0, "")
    assert done.returncode == 1, done.stdout
    assert "receipts/2.json: " in done.stderr
    assert why in done.stderr


@pytest.mark.clause("EX-51")
def test_a_trusted_key_that_the_bundle_revokes_is_named(audit: Audit, whole: Files) -> None:
    """What was signed before counts, and the auditor learns of it; a manifest that is none is refused."""
    key_id = seeded_signers(1).receipt.key_id
    audit.put(sealed({**whole, "keys/manifest.dsse.json": revoking(key_id, 1_000)}))
    late = audit.check()
    audit.put(sealed({**whole, "keys/manifest.dsse.json": b"{}"}))

    none = audit.check()

    assert late.returncode == 0, late.stderr
    assert f"BEWARE: you trust key {key_id}" in late.stdout
    assert (none.returncode, none.stderr) == (1, "FAIL keys/manifest.dsse.json: it is no key manifest\n")


@pytest.mark.clause("EX-41")
def test_another_verdict_than_a_receipt_names_is_refused(audit: Audit, wordy: Files) -> None:
    """What was too long for its receipt is bound by its digest."""
    (name,) = {name for name in wordy if name.startswith("verdicts/")}
    audit.put(wordy)
    good = audit.check()
    audit.put(sealed({**wordy, name: wordy[name].replace(b"unavailable", b"clean", 1)}))

    done = audit.check()

    assert good.returncode == 0, good.stderr
    assert done.returncode == 1
    assert f"FAIL {name}: it is not the verdict" in done.stderr


@pytest.mark.clause("EX-41")
@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (lambda files: {**files, "README.txt": b"trust me\n"}, "FAIL files: README.txt"),
        (lambda files: {**files, "more.txt": b"\n"}, "FAIL files: more.txt is not listed"),
        (lambda files: _without(files, "README.txt"), "FAIL files: README.txt is listed and missing"),
        (lambda files: _without(files, "manifest.json"), "FAIL files: manifest.json is missing"),
        (lambda files: {**files, "manifest.json": b"{}"}, "FAIL manifest.json: it is not that of a bundle"),
        (
            lambda files: _replaced(files, "manifest.json", b'"README.txt"', b'"../README.txt"'),
            "FAIL manifest.json: it lists a name that no file of a bundle has",
        ),
    ],
)
def test_other_files_than_the_manifest_lists_are_refused(
    audit: Audit, whole: Files, forge: Callable[[Files], Files], said: str
) -> None:
    """A file more, a file less, and another byte."""
    audit.put(forge(whole))

    done = audit.check()

    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.clause("EX-41")
def test_what_is_no_file_of_a_bundle_is_refused(audit: Audit) -> None:
    """A link could lead to any file of the auditor's, a pipe is read for ever, and a name may look like another."""
    made = audit.folder / "bundle" / "more"
    made.symlink_to("/etc/passwd")
    link = audit.check()
    made.unlink()
    os.mkfifo(made)
    pipe = audit.check()
    made.unlink()
    (made.parent / "manifest.json\nmanifest.json").write_bytes(b"")

    name = audit.check()

    assert (link.returncode, link.stderr) == (1, "FAIL files: there is a link, a pipe or a device\n")
    assert (pipe.returncode, pipe.stderr) == (1, "FAIL files: there is a link, a pipe or a device\n")
    assert (name.returncode, name.stderr) == (1, "FAIL files: one has a name that no file of a bundle has\n")


@pytest.mark.clause("EX-42")
def test_without_keys_of_the_auditor_nothing_is_trusted(audit: Audit) -> None:
    """The keys in the bundle are those of whoever made it, and are no reason to believe it."""
    none, one = audit.run(), audit.run("--key", audit.key)

    assert (none.returncode, one.returncode) == (2, 2)
    assert "no key was named that you trust" in none.stderr
    assert none.stdout == one.stdout == ""


@pytest.mark.clause("EX-42")
def test_other_keys_than_those_that_signed_are_refused(audit: Audit) -> None:
    """A bundle that somebody else has signed from end to end is none of the owner's."""
    others = seeded_signers(2)
    audit.key.write_bytes(others.receipt.public_key_pem)

    done = audit.check()

    assert done.returncode == 1
    assert "FAIL receipts/1.json: no key that you named has its id" in done.stderr


@pytest.mark.clause("EX-43")
def test_a_kept_checkpoint_must_be_where_the_log_begins(audit: Audit) -> None:
    """From whichever size it is; one that the log never was, and one that is longer, are refused."""
    here = world()
    rollout = created(here).rollout.id
    here.walk(rollout, EQUAL, runs=400, minutes=5)
    for number in range(4):
        pause(rollout, operator("ann", f"look {number}"), here.house)
        resume(rollout, operator("ann", f"looked {number}"), here.house)
    with here.house.store.reading() as seen:
        notes = [note for _, note in seen.checkpoints_after(0, 100)]
        lines = [note.split(b"\n") for note in notes]
    kept = audit.folder / "kept.txt"

    for note in notes:
        audit.put(bundled(here.house, rollout, since=note)[0])
        kept.write_bytes(note)
        done = audit.check("--checkpoint", kept)
        assert done.returncode == 0, done.stderr

    other = b"\n".join([*lines[2][:2], lines[3][2], *lines[2][3:]])
    kept.write_bytes(other)
    assert "its signature is not of the log key" in audit.check("--checkpoint", kept).stderr
    audit.put(bundled(here.house, rollout, since=notes[2])[0])
    kept.write_bytes(notes[3])
    assert "FAIL log.consistency: it begins at another size" in audit.check("--checkpoint", kept).stderr
    audit.put(bundled(here.house, rollout)[0])
    kept.write_bytes(notes[2])
    assert "was not exported --since-checkpoint it" in audit.check("--checkpoint", kept).stderr


@pytest.mark.clause("EX-43")
def test_a_log_that_went_another_way_is_found_out(audit: Audit) -> None:
    """Two logs that one key has signed differ at some size, and the kept checkpoint shows it."""
    here, there = world(), world()
    rollout = created(here).rollout.id
    other = created(there, candidate="other").rollout.id
    pause(rollout, operator("ann", "to look"), here.house)
    pause(other, operator("ann", "to look"), there.house)
    kept = audit.folder / "kept.txt"
    with there.house.store.reading() as seen:
        shorter, equal = [note for _, note in seen.checkpoints_after(0, 100)]
    go_on(here, rollout)
    with here.house.store.reading() as seen:
        own = seen.checkpoints_after(0, 1)[0][1]
    files, _ = bundled(here.house, rollout, since=own)
    audit.put(files)

    kept.write_bytes(shorter)
    grown = audit.check("--checkpoint", kept)
    go_on(there, other)
    with there.house.store.reading() as seen:
        kept.write_bytes(seen.checkpoint() or b"")
    same_size = audit.check("--checkpoint", kept)
    pause(other, operator("ann", "to look again"), there.house)
    with there.house.store.reading() as seen:
        kept.write_bytes(seen.checkpoint() or b"")
    longer = audit.check("--checkpoint", kept)

    assert equal != shorter
    assert "FAIL kept checkpoint: the log does not begin with its tree" in grown.stderr
    assert "FAIL kept checkpoint: the log has shown two trees of one size" in same_size.stderr
    assert "FAIL kept checkpoint: the log was longer then, and has been cut" in longer.stderr


def go_on(here: World, rollout_id: str) -> None:
    """Let the log grow by one receipt."""
    resume(rollout_id, operator("ann", "looked"), here.house)


@pytest.mark.clause("EX-40")
def test_texts_of_receipts_command_no_terminal(audit: Audit) -> None:
    """Escapes and direction marks are shown as question marks."""
    here = world()
    rollout = created(here).rollout.id
    pause(rollout, operator("ann", "to\x1b[2J look\u202e at"), here.house)
    audit.put(bundled(here.house, rollout)[0])

    done = audit.check()

    assert done.returncode == 0, done.stderr
    assert "to?[2J look? at" in done.stdout


@pytest.mark.clause("EX-40")
def test_shellcheck_finds_nothing() -> None:
    """The script is one that a reviewer's own tool reads without a word."""
    script = Path(__file__).resolve().parents[2] / "src" / "lockgate" / "report" / "templates" / "audit.sh"

    done = subprocess.run([part("shellcheck"), script], capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout) == (0, "")
