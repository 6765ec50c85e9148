# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a receipt, a proof or a checkpoint comes in; one exception with one reason goes out."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

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
    VERDICT_DIGEST = "verdict_digest"
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
    MANIFEST_SHAPE = "manifest_shape"
    MANIFEST_KEYS = "manifest_keys"
    MANIFEST_SIGNATURES = "manifest_signatures"
    MANIFEST_SUCCESSION = "manifest_succession"
    WITNESS_KEY = "witness_key"
    COSIGNATURE_SHAPE = "cosignature_shape"
    COSIGNATURE = "cosignature"
    WITNESS_POLICY = "witness_policy"
    TIMESTAMP = "timestamp"
    PROOF_EXTRA = "proof_extra"
    KEY_TOO_EARLY = "key_too_early"
    KEY_EXPIRED = "key_expired"
    KEY_REVOKED = "key_revoked"
    KEY_OF_ANOTHER = "key_of_another"
    LOG_KEY_PLACE = "log_key_place"
    WITNESS_QUORUM = "witness_quorum"
    CHECKPOINTS = "checkpoints"
    CHAIN_FOREIGN = "chain_foreign"
    CHAIN_DUPLICATE = "chain_duplicate"
    CHAIN_ORDER = "chain_order"
    CHAIN_CONTRADICTION = "chain_contradiction"
    CHAIN_ENDED = "chain_ended"
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
    BUNDLE_VERSION = "bundle_version"
    BUNDLE_MANIFEST = "bundle_manifest"
    BUNDLE_FILE_MISSING = "bundle_file_missing"
    BUNDLE_FILE_EXTRA = "bundle_file_extra"
    BUNDLE_FILE_UNKNOWN = "bundle_file_unknown"
    BUNDLE_FILE_CHANGED = "bundle_file_changed"
    BUNDLE_MISNAMED = "bundle_misnamed"
    BUNDLE_ABOUT = "bundle_about"
    BUNDLE_KEYS = "bundle_keys"
    BUNDLE_UNTRUSTED = "bundle_untrusted"
    BUNDLE_POLICY = "bundle_policy"
    BUNDLE_VERDICT = "bundle_verdict"
    BUNDLE_LOOKS = "bundle_looks"
    BUNDLE_REPLAY = "bundle_replay"
    BUNDLE_COPY = "bundle_copy"
    BUNDLE_RECORD = "bundle_record"


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
# What to do where whoever refuses has nothing better to say, by how the reasons begin; a longer beginning wins.
_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("envelope", "key_id", "signature_size", "payload_size", "proof", "note", "growth"), _AGAIN),
        **dict.fromkeys(("case", "tile", "cosignature_shape", "checkpoint_shape"), _AGAIN),
        "signature_count": "Take it as its owner published it: further signatures are kept in files of their own.",
        **dict.fromkeys(("payload_type", "statement_type", "predicate_type", "schema_version", "case_format"), _OTHER),
        **dict.fromkeys(("signature", "signature_malleated", "cosignature", "inclusion", "consistency"), _CHANGED),
        "checkpoint_signature": _CHANGED,
        **dict.fromkeys(("payload", "statement", "subject", "receipt_id", "previous_receipt", "verdict"), _SIGNED),
        **dict.fromkeys(("chain", "checkpoints"), _CHAIN),
        **dict.fromkeys(("public_key", "log_key", "key_unknown"), "Fetch that key from where its owner publishes it."),
        "checkpoint_unsigned": "Name the key of that log by --log-key, from where its owner publishes it.",
        **dict.fromkeys(("key_too_early", "key_expired", "log_key_place"), _PLACE),
        "key_revoked": "Rely on nothing that it says, because whoever stole the key may have signed it: ask its owner.",
        "key_of_another": "Take the key manifest of the organisation that the receipt is of.",
        "fork": "Keep both checkpoints: together they prove that the log's owner signed both.",
        "growth_missing": "Ask whoever has the log for the proof between the two, and hand it over by --consistency.",
        "case_undecided": "The case is none of a decision: take the bundle again, and ask who made it.",
        "log_export": _EXPORT,
        "manifest": _ROOTS,
        "witness_key": _WITNESS,
        "witness_policy": "Write it as https://c2sp.org/tlog-policy says, or name witnesses by --witness.",
        "witness_quorum": "Fetch a later checkpoint, when the witnesses have answered.",
        "timestamp": "Name the certificates of the authority that stamped it, and the checkpoint that was stamped.",
        "bundle": _FILES,
        **dict.fromkeys(
            ("bundle_size", "bundle_not_zip", "bundle_truncated", "bundle_encrypted", "bundle_compr"), _BUNDLE
        ),
        **dict.fromkeys(
            ("bundle_name", "bundle_duplicate", "bundle_link", "bundle_overlap", "bundle_trailing"), _BUNDLE
        ),
        "bundle_version": _OTHER,
    }
)


def advice_of(reason: Reason) -> str:
    """Return what to do about something that does not verify for a reason."""
    return _ADVICE[max((each for each in _ADVICE if reason.startswith(each)), key=len)]


class VerifyError(DataError):
    """Something does not verify: `reason` for programs, `message` for people."""

    def __init__(self, reason: Reason, message: str, *, advice: str = "") -> None:
        super().__init__(message, advice=advice or advice_of(reason))
        self.reason = reason
