# SPDX-License-Identifier: Apache-2.0
"""A rollout comes in; what was done to its app and organisation meanwhile, and what was said of its baseline, goes out.

Its time is counted by the log, from its first receipt to its last, or to the log's end while it is active: clocks are
only what signers say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from lockgate.core.app import series_name
from lockgate.core.bundle_layout import BASELINE, BASELINE_PROOF, Series, related_file, related_proof_file
from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.custody import custody_series
from lockgate.core.decision.decision import Cause
from lockgate.core.envelope import signer_of
from lockgate.core.release_sources import Entry
from lockgate.core.rollout import Rollout
from lockgate.core.vault import Receipt
from lockgate.operations.bundle.receipts import BundleReceipts, kept_statement
from lockgate.operations.bundle.spool import Spool
from lockgate.operations.vault.portions import PORTION, portions
from lockgate.operations.vault.proofs import proofs_under
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot


class RelatedReceipts:
    """Receipts of other series that fall into a rollout's time, and the one by which its baseline was tried."""

    def __init__(self, seen: Snapshot, house: House, files: Spool, own: BundleReceipts) -> None:
        self._seen, self._org, self._files, self._own = seen, house.org, files, own

    def entries(self, rollout: Rollout, note: bytes, *, has_org: bool) -> Iterator[Entry]:
        """Put them and their proofs into the spool, and yield them; read when the rollout's own were."""
        series: dict[Series, str] = {"app": series_name(self._org, rollout.app)}
        if has_org:
            series["org"] = custody_series(self._org)
        for kind, name in series.items():
            for receipt, proof in proofs_under(self._seen, self._within(name, rollout, checkpoint_of(note).size), note):
                self._own.signers.add(signer_of(receipt.envelope))
                self._files.add(related_file(kind, receipt.seq), receipt.envelope)
                self._files.add(related_proof_file(kind, receipt.seq), proof)
                yield _entry(receipt)

    def baseline(self, rollout: Rollout, note: bytes) -> Entry | None:
        """Put the receipt that put the baseline on trial, and its proof, into the spool, and return it; None of none.

        Of several it is the latest that declares digests, because a trial without them takes nothing back.
        """
        (first,) = self._seen.receipts_after(rollout.id, 0, 1)
        for trial_id in self._trials(rollout.app, rollout.baseline):
            receipts = self._seen.receipts_after(trial_id, 0, 1)
            if not receipts or receipts[0].index >= first.index:
                continue
            ((receipt, proof),) = proofs_under(self._seen, receipts, note)
            self._own.signers.add(signer_of(receipt.envelope))
            self._files.add(BASELINE, receipt.envelope)
            self._files.add(BASELINE_PROOF, proof)
            return _entry(receipt)
        return None

    def _trials(self, app: str, release: str) -> Sequence[str]:
        """Return which rollouts put a release on trial, those that declare digests first, and of these the latest.

        An app has a rollout for each of its commits: they are read in portions, and nothing but ids is kept of them.
        """
        found: list[tuple[bool, str]] = []
        after = None
        while rollouts := self._seen.rollouts_after(after, PORTION, app):
            found += [(not each.digests, each.id) for each in rollouts if each.candidate == release]
            after = rollouts[-1].id
        found.reverse()
        return [trial_id for _, trial_id in sorted(found, key=lambda each: each[0])]

    def _within(self, name: str, rollout: Rollout, size: int) -> Iterator[Receipt]:
        first, last = self._own.first, self._own.last
        assert first is not None
        assert last is not None
        for receipt in portions(lambda after: self._seen.receipts_after(name, after, PORTION), lambda row: row.seq, 0):
            if receipt.index < first.index:
                continue
            if receipt.index >= size:
                return
            if rollout.is_terminal and receipt.index > last.index:
                # A kill rolls back first and freezes then, in one transaction.
                if last.cause == receipt.cause == Cause.KILL:
                    yield receipt
                return
            yield receipt


def _entry(receipt: Receipt) -> Entry:
    return Entry(kept_statement(receipt), hashlib.sha256(receipt.envelope).hexdigest(), receipt.index)
