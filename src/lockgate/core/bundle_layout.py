# SPDX-License-Identifier: Apache-2.0
"""The number of a receipt, a key or a digest comes in; the name of its file in a bundle goes out, and back.

Here is every name that a file of a bundle can have, how large such a file may be, and the manifest that lists them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from lockgate.core.canonical import Json, canonicalize

FORMAT = "lockgate-bundle/v1"
MANIFEST = "manifest.json"
CHECKPOINT = "checkpoint.txt"
# When an authority of RFC 3161 has seen it.
TIMESTAMP = "checkpoint.tsr"
# Proves that the log begins with the tree of a checkpoint that somebody kept.
GROWTH = "log.consistency"
LOG_KEYS = "keys/log-key.txt"
ALLOWED_SIGNERS = "keys/allowed_signers"
KEY_MANIFEST = "keys/manifest.dsse.json"
POLICY = "policy.json"
RELEASE_RECORD = "release-record.json"
TIMELINE = "timeline.html"
AUDIT = "audit.sh"
README = "README.txt"
# The receipt that put the baseline on trial, when it was a candidate itself.
BASELINE, BASELINE_PROOF = "related/baseline/1.json", "related/baseline/1.tlog-proof"
# Only where something is missing: what, and why.
MISSING = "missing.json"

MAX_FILES = 200_000
MAX_NAME = 200
# A file is read into memory as a whole: the manifest lists as many files as there may be, and evidence, looks and pages
# are of many buckets, ticks or receipts. The rest are small, and are bounded again by whoever reads them.
MAX_LARGE_SIZE = 64 * 1024 * 1024
MAX_SMALL_SIZE = 4 * 1024 * 1024
# Plain words with slashes between.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
# Numbers count from 1.
_NUMBER = "[1-9][0-9]{0,15}"
_NUMBERED = re.compile(rf"(.*[/-])({_NUMBER})(\..+)")
_LARGE = re.compile(
    rf"replay/{_NUMBER}\.json|looks/{_NUMBER}\.ndjson|verdicts/[0-9a-f]{{64}}\.json"
    r"|manifest\.json|release-record\.json|missing\.json|timeline\.html"
)
_SMALL = re.compile(
    rf"receipts/{_NUMBER}\.json|proofs/{_NUMBER}\.tlog-proof|sigstore/{_NUMBER}\.sigstore\.json|sshsig/{_NUMBER}\.sig"
    rf"|related/(?:app|org)/{_NUMBER}\.(?:json|tlog-proof)|related/baseline/1\.(?:json|tlog-proof)"
    rf"|keys/(?:[0-9a-f]{{16}}\.pem|log-key\.txt|allowed_signers|manifest(?:-{_NUMBER})?\.dsse\.json)"
    r"|checkpoint\.(?:txt|tsr)|log\.consistency|policy\.json|audit\.sh|README\.txt"
)

# Whose receipts stand beside the rollout's: its app's own, or the organisation's.
Series = Literal["app", "org"]
SERIES: tuple[Series, ...] = ("app", "org")


def receipt_file(seq: int) -> str:
    """Return the name of a receipt."""
    return f"receipts/{seq}.json"


def proof_file(seq: int) -> str:
    """Return the name of the proof that the log holds a receipt."""
    return f"proofs/{seq}.tlog-proof"


def replay_file(seq: int) -> str:
    """Return the name of all that a receipt's decision is made again from."""
    return f"replay/{seq}.json"


def looks_file(seq: int) -> str:
    """Return the name of the looks that a receipt binds, one a line."""
    return f"looks/{seq}.ndjson"


def sigstore_file(seq: int) -> str:
    """Return the name of a receipt as a bundle of Sigstore."""
    return f"sigstore/{seq}.sigstore.json"


def sshsig_file(seq: int) -> str:
    """Return the name of a receipt's signature for `ssh-keygen -Y verify`."""
    return f"sshsig/{seq}.sig"


def related_file(series: Series, seq: int) -> str:
    """Return the name of a receipt of another series."""
    return f"related/{series}/{seq}.json"


def related_proof_file(series: Series, seq: int) -> str:
    """Return the name of the proof that the log holds a receipt of another series."""
    return f"related/{series}/{seq}.tlog-proof"


def verdict_file(sha256: str) -> str:
    """Return the name of a whole verdict, by its SHA-256 in hexadecimal."""
    return f"verdicts/{sha256}.json"


def key_file(key_id: str) -> str:
    """Return the name of a public key that receipts are verified by."""
    return f"keys/{key_id[:16]}.pem"


def older_key_manifest(version: int) -> str:
    """Return the name of a key manifest that another one followed."""
    return f"keys/manifest-{version}.dsse.json"


def order(name: str) -> tuple[bool, str]:
    """Return by what the names of a bundle are sorted: the manifest follows the files whose digests it holds."""
    return name == MANIFEST, name


def is_name(name: str) -> bool:
    """Say whether a name may be a packed file's: plain words with slashes between, which lead nowhere else."""
    return len(name) <= MAX_NAME and _NAME.fullmatch(name) is not None


def is_known(name: str) -> bool:
    """Say whether a name is one that a bundle's file has."""
    return bool(_LARGE.fullmatch(name) or _SMALL.fullmatch(name))


def max_size(name: str) -> int:
    """Return how many bytes a file of a name may have."""
    return MAX_LARGE_SIZE if _LARGE.fullmatch(name) else MAX_SMALL_SIZE


def numbers(names: Iterable[str], example: str) -> list[int]:
    """Return the numbers of the names that are like an example but for its number, in their order."""
    like = _NUMBERED.fullmatch(example)
    assert like is not None
    found = (_NUMBERED.fullmatch(name) for name in names)
    return sorted(int(each[2]) for each in found if each is not None and (each[1], each[3]) == (like[1], like[3]))


def manifest(about: Mapping[str, Json], files: Mapping[str, tuple[str, int]]) -> bytes:
    """Return the manifest of files that are given by SHA-256 in hexadecimal and size."""
    listed: dict[str, Json] = {name: {"sha256": sha256, "size": size} for name, (sha256, size) in files.items()}
    return canonicalize({**about, "format": FORMAT, "files": listed})
