# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a receipt, a proof or a checkpoint comes in; one exception with one reason goes out."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from lockgate.errors import DataError

# What to do where whoever refuses has nothing better to say.
_AGAIN = "Take the file again, byte for byte as it was served or saved: formatted or converted it is another file."
_OTHER = "It is another program's, or of a later version of Lockgate: verify it by that."
_CHANGED = "Take it again from its owner; if that does not verify either, keep both, and rely on nothing that it says."
_SIGNED = "Lockgate signs no such thing: ask whoever signed it, and rely on nothing that it says."
_CHAIN = (
    "Save all receipts of the rollout anew in one call; if they do not follow either, keep them and ask their owner."
)
_PLACE = "Take the latest key manifest from where its owner publishes it, and ask there which key signs at that place."
_ROOTS = "Take the manifest again from where its owner publishes it, with every version between, each by --manifest."
_WITNESS = "Ask whoever runs the witness for the line that `lockgate witness key` printed."
_EXPORT = "Export again from the size at the end of the last portion that verifies."
_BUNDLE = "Take the bundle again from whoever made it by `lockgate export`; unpack nothing of this one."
_FILES = (
    "Take the bundle again as `lockgate export` wrote it; whoever changed a file of it can change what is beside it."
)
_ONE_SIGNATURE = "Take it as its owner published it: further signatures are kept in files of their own."
_KEY = "Fetch that key from where its owner publishes it."
_LOG_KEY = "Name the key of that log by --log-key, from where its owner publishes it."
_GROWTH = "Ask whoever has the log for the proof between the two, and hand it over by --consistency."
_BOTH = "Keep both checkpoints: together they prove that the log's owner signed both."
_CASE = "The case is none of a decision: take the bundle again, and ask who made it."
_POLICY = "Write it as https://c2sp.org/tlog-policy says, or name witnesses by --witness."
_STAMPED = "Name the certificates of the authority that stamped it, and the checkpoint that was stamped."
_STOLEN = "Rely on nothing that it says, because whoever stole the key may have signed it: ask its owner."
_OTHER_MANIFEST = "Take the key manifest of the organisation that the receipt is of."
_LATER = "Fetch a later checkpoint, when the witnesses have answered."


class Reason(StrEnum):
    """Why something does not verify, and what to do about it; each has its own cause and its own test."""

    advice: str

    def __new__(cls, value: str, advice: str) -> Self:
        """Return the reason by its name for programs."""
        reason = str.__new__(cls, value)
        reason._value_, reason.advice = value, advice
        return reason

    ENVELOPE_SIZE = "envelope_size", _AGAIN
    ENVELOPE_NOT_JSON = "envelope_not_json", _AGAIN
    ENVELOPE_DUPLICATE_KEY = "envelope_duplicate_key", _AGAIN
    ENVELOPE_NOT_CANONICAL = "envelope_not_canonical", _AGAIN
    ENVELOPE_SHAPE = "envelope_shape", _AGAIN
    ENVELOPE_BASE64 = "envelope_base64", _AGAIN
    SIGNATURE_COUNT = "signature_count", _ONE_SIGNATURE
    KEY_ID_MISSING = "key_id_missing", _AGAIN
    KEY_ID_SHAPE = "key_id_shape", _AGAIN
    SIGNATURE_SIZE = "signature_size", _AGAIN
    PAYLOAD_SIZE = "payload_size", _AGAIN
    PAYLOAD_TYPE = "payload_type", _OTHER
    PUBLIC_KEY = "public_key", _KEY
    KEY_UNKNOWN = "key_unknown", _KEY
    SIGNATURE_MALLEATED = "signature_malleated", _CHANGED
    SIGNATURE = "signature", _CHANGED
    PAYLOAD_NOT_JSON = "payload_not_json", _SIGNED
    PAYLOAD_DUPLICATE_KEY = "payload_duplicate_key", _SIGNED
    PAYLOAD_NOT_CANONICAL = "payload_not_canonical", _SIGNED
    STATEMENT_TYPE = "statement_type", _OTHER
    PREDICATE_TYPE = "predicate_type", _OTHER
    STATEMENT_SHAPE = "statement_shape", _SIGNED
    SUBJECT = "subject", _SIGNED
    SCHEMA_VERSION = "schema_version", _OTHER
    RECEIPT_ID = "receipt_id", _SIGNED
    PREVIOUS_RECEIPT = "previous_receipt", _SIGNED
    VERDICT_DIGEST = "verdict_digest", _SIGNED
    CHAIN = "chain", _CHAIN
    LOG_KEY = "log_key", _KEY
    NOTE_SHAPE = "note_shape", _AGAIN
    CHECKPOINT_SHAPE = "checkpoint_shape", _AGAIN
    CHECKPOINT_UNSIGNED = "checkpoint_unsigned", _LOG_KEY
    CHECKPOINT_SIGNATURE = "checkpoint_signature", _CHANGED
    PROOF_SHAPE = "proof_shape", _AGAIN
    INCLUSION = "inclusion", _CHANGED
    GROWTH_SHAPE = "growth_shape", _AGAIN
    GROWTH_MISSING = "growth_missing", _GROWTH
    CONSISTENCY = "consistency", _CHANGED
    FORK = "fork", _BOTH
    CASE_SIZE = "case_size", _AGAIN
    CASE_NOT_JSON = "case_not_json", _AGAIN
    CASE_DUPLICATE_KEY = "case_duplicate_key", _AGAIN
    CASE_NOT_CANONICAL = "case_not_canonical", _AGAIN
    CASE_FORMAT = "case_format", _OTHER
    CASE_SHAPE = "case_shape", _AGAIN
    CASE_UNDECIDED = "case_undecided", _CASE
    TILE_PATH = "tile_path", _AGAIN
    TILE_ENTRIES = "tile_entries", _AGAIN
    LOG_EXPORT_SHAPE = "log_export_shape", _EXPORT
    LOG_EXPORT_FIELDS = "log_export_fields", _EXPORT
    LOG_EXPORT_GAP = "log_export_gap", _EXPORT
    LOG_EXPORT_TREE = "log_export_tree", _EXPORT
    MANIFEST_SHAPE = "manifest_shape", _ROOTS
    MANIFEST_KEYS = "manifest_keys", _ROOTS
    MANIFEST_SIGNATURES = "manifest_signatures", _ROOTS
    MANIFEST_SUCCESSION = "manifest_succession", _ROOTS
    WITNESS_KEY = "witness_key", _WITNESS
    COSIGNATURE_SHAPE = "cosignature_shape", _AGAIN
    COSIGNATURE = "cosignature", _CHANGED
    WITNESS_POLICY = "witness_policy", _POLICY
    TIMESTAMP = "timestamp", _STAMPED
    PROOF_EXTRA = "proof_extra", _AGAIN
    KEY_TOO_EARLY = "key_too_early", _PLACE
    KEY_EXPIRED = "key_expired", _PLACE
    KEY_REVOKED = "key_revoked", _STOLEN
    KEY_OF_ANOTHER = "key_of_another", _OTHER_MANIFEST
    LOG_KEY_PLACE = "log_key_place", _PLACE
    WITNESS_QUORUM = "witness_quorum", _LATER
    CHECKPOINTS = "checkpoints", _CHAIN
    CHAIN_FOREIGN = "chain_foreign", _CHAIN
    CHAIN_DUPLICATE = "chain_duplicate", _CHAIN
    CHAIN_ORDER = "chain_order", _CHAIN
    CHAIN_CONTRADICTION = "chain_contradiction", _CHAIN
    CHAIN_ENDED = "chain_ended", _CHAIN
    BUNDLE_SIZE = "bundle_size", _BUNDLE
    BUNDLE_NOT_ZIP = "bundle_not_zip", _BUNDLE
    BUNDLE_TRUNCATED = "bundle_truncated", _BUNDLE
    BUNDLE_ENCRYPTED = "bundle_encrypted", _BUNDLE
    BUNDLE_COMPRESSED = "bundle_compressed", _BUNDLE
    BUNDLE_NAME = "bundle_name", _BUNDLE
    BUNDLE_DUPLICATE = "bundle_duplicate", _BUNDLE
    BUNDLE_LINK = "bundle_link", _BUNDLE
    BUNDLE_OVERLAP = "bundle_overlap", _BUNDLE
    BUNDLE_TRAILING = "bundle_trailing", _BUNDLE
    BUNDLE_FORM = "bundle_form", _FILES
    BUNDLE_CHECKSUM = "bundle_checksum", _FILES
    BUNDLE_VERSION = "bundle_version", _OTHER
    BUNDLE_MANIFEST = "bundle_manifest", _FILES
    BUNDLE_FILE_MISSING = "bundle_file_missing", _FILES
    BUNDLE_FILE_EXTRA = "bundle_file_extra", _FILES
    BUNDLE_FILE_UNKNOWN = "bundle_file_unknown", _FILES
    BUNDLE_FILE_CHANGED = "bundle_file_changed", _FILES
    BUNDLE_MISNAMED = "bundle_misnamed", _FILES
    BUNDLE_ABOUT = "bundle_about", _FILES
    BUNDLE_KEYS = "bundle_keys", _FILES
    BUNDLE_UNTRUSTED = "bundle_untrusted", _FILES
    BUNDLE_POLICY = "bundle_policy", _FILES
    BUNDLE_VERDICT = "bundle_verdict", _FILES
    BUNDLE_LOOKS = "bundle_looks", _FILES
    BUNDLE_REPLAY = "bundle_replay", _FILES
    BUNDLE_COPY = "bundle_copy", _FILES
    BUNDLE_RECORD = "bundle_record", _FILES


class VerifyError(DataError):
    """Something does not verify: `reason` for programs, `message` for people."""

    def __init__(self, reason: Reason, message: str, *, advice: str = "") -> None:
        super().__init__(message, advice=advice or reason.advice)
        self.reason = reason
