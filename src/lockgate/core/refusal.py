# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a receipt, a proof or a checkpoint comes in; one exception with one reason goes out."""

from __future__ import annotations

from enum import StrEnum

from lockgate.errors import DataError


class Reason(StrEnum):
    """Why something does not verify; each has its own cause and its own test."""

    ENVELOPE_SIZE = "envelope_size"
    ENVELOPE_NOT_JSON = "envelope_not_json"
    ENVELOPE_DUPLICATE_KEY = "envelope_duplicate_key"
    ENVELOPE_NOT_CANONICAL = "envelope_not_canonical"
    ENVELOPE_SHAPE = "envelope_shape"
    ENVELOPE_BASE64 = "envelope_base64"
    SIGNATURE_COUNT = "signature_count"
    KEY_ID_MISSING = "key_id_missing"
    KEY_ID_SHAPE = "key_id_shape"
    SIGNATURE_SIZE = "signature_size"
    PAYLOAD_SIZE = "payload_size"
    PAYLOAD_TYPE = "payload_type"
    PUBLIC_KEY = "public_key"
    KEY_UNKNOWN = "key_unknown"
    SIGNATURE_MALLEATED = "signature_malleated"
    SIGNATURE = "signature"
    PAYLOAD_NOT_JSON = "payload_not_json"
    PAYLOAD_DUPLICATE_KEY = "payload_duplicate_key"
    PAYLOAD_NOT_CANONICAL = "payload_not_canonical"
    STATEMENT_TYPE = "statement_type"
    PREDICATE_TYPE = "predicate_type"
    STATEMENT_SHAPE = "statement_shape"
    SUBJECT = "subject"
    SCHEMA_VERSION = "schema_version"
    RECEIPT_ID = "receipt_id"
    PREVIOUS_RECEIPT = "previous_receipt"
    CHAIN = "chain"
    LOG_KEY = "log_key"
    NOTE_SHAPE = "note_shape"
    CHECKPOINT_SHAPE = "checkpoint_shape"
    CHECKPOINT_UNSIGNED = "checkpoint_unsigned"
    CHECKPOINT_SIGNATURE = "checkpoint_signature"
    PROOF_SHAPE = "proof_shape"
    INCLUSION = "inclusion"
    GROWTH_SHAPE = "growth_shape"
    GROWTH_MISSING = "growth_missing"
    CONSISTENCY = "consistency"
    FORK = "fork"
    CASE_SIZE = "case_size"
    CASE_NOT_JSON = "case_not_json"
    CASE_DUPLICATE_KEY = "case_duplicate_key"
    CASE_NOT_CANONICAL = "case_not_canonical"
    CASE_FORMAT = "case_format"
    CASE_SHAPE = "case_shape"
    CASE_UNDECIDED = "case_undecided"
    TILE_PATH = "tile_path"
    TILE_ENTRIES = "tile_entries"
    LOG_EXPORT_SHAPE = "log_export_shape"
    LOG_EXPORT_FIELDS = "log_export_fields"
    LOG_EXPORT_GAP = "log_export_gap"
    LOG_EXPORT_TREE = "log_export_tree"
    WITNESS_KEY = "witness_key"
    COSIGNATURE_SHAPE = "cosignature_shape"
    COSIGNATURE = "cosignature"
    WITNESS_POLICY = "witness_policy"
    TIMESTAMP = "timestamp"
    MANIFEST_SHAPE = "manifest_shape"
    MANIFEST_KEYS = "manifest_keys"
    MANIFEST_SIGNATURES = "manifest_signatures"
    MANIFEST_SUCCESSION = "manifest_succession"
    BUNDLE_SIZE = "bundle_size"
    BUNDLE_NOT_ZIP = "bundle_not_zip"
    BUNDLE_TRUNCATED = "bundle_truncated"
    BUNDLE_ENCRYPTED = "bundle_encrypted"
    BUNDLE_COMPRESSED = "bundle_compressed"
    BUNDLE_NAME = "bundle_name"
    BUNDLE_DUPLICATE = "bundle_duplicate"
    BUNDLE_LINK = "bundle_link"
    BUNDLE_OVERLAP = "bundle_overlap"
    BUNDLE_TRAILING = "bundle_trailing"
    BUNDLE_FORM = "bundle_form"
    BUNDLE_CHECKSUM = "bundle_checksum"


class VerifyError(DataError):
    """Something does not verify: `reason` for programs, `message` for people."""

    def __init__(self, reason: Reason, message: str, *, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.reason = reason
