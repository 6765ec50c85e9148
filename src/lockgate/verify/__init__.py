# SPDX-License-Identifier: Apache-2.0
"""Whoever verifies offline does it by what is handed out here, which loads the core and cryptography only."""

from lockgate.verify.bundle import VerifiedBundle, key_manifest_of, verify_bundle
from lockgate.verify.checkpoint import (
    SignedCheckpoint,
    Witnessed,
    is_cosigned,
    logged_note,
    verify_checkpoint,
    verify_newer_checkpoint,
    verify_signed_checkpoint,
)
from lockgate.verify.log_export import VerifiedExport, verify_log_export
from lockgate.verify.manifest import VerifiedManifest, verify_manifest
from lockgate.verify.receipt import LogEntry, Verified, verify_receipt
from lockgate.verify.rollout import Held, VerifiedRollout, verify_chain, verify_rollout
from lockgate.verify.signature import is_signed
from lockgate.verify.trust import Keys, Reason, VerifyError, read_note_key, read_public_key, read_witness_policy

__all__ = [
    "Held",
    "Keys",
    "LogEntry",
    "Reason",
    "SignedCheckpoint",
    "Verified",
    "VerifiedBundle",
    "VerifiedExport",
    "VerifiedManifest",
    "VerifiedRollout",
    "VerifyError",
    "Witnessed",
    "is_cosigned",
    "is_signed",
    "key_manifest_of",
    "logged_note",
    "read_note_key",
    "read_public_key",
    "read_witness_policy",
    "verify_bundle",
    "verify_chain",
    "verify_checkpoint",
    "verify_log_export",
    "verify_manifest",
    "verify_newer_checkpoint",
    "verify_receipt",
    "verify_rollout",
    "verify_signed_checkpoint",
]
