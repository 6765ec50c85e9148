# SPDX-License-Identifier: Apache-2.0
"""The number of a receipt, a key or a digest comes in; the name of its file in a bundle goes out, and the manifest."""

from __future__ import annotations

from collections.abc import Mapping
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
# Only where something is missing: what, and why.
MISSING = "missing.json"

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


def manifest(about: Mapping[str, Json], files: Mapping[str, tuple[str, int]]) -> bytes:
    """Return the manifest of files that are given by SHA-256 in hexadecimal and size."""
    listed: dict[str, Json] = {name: {"sha256": sha256, "size": size} for name, (sha256, size) in files.items()}
    return canonicalize({**about, "format": FORMAT, "files": listed})
