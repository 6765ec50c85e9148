# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; its receipts go out in order, each with the case from which it is recomputed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from lockgate.core.envelope import open_envelope
from lockgate.core.evidence.progress import Progress, advance, begin
from lockgate.core.evidence.sealed import SealedBucket
from lockgate.core.refusal import VerifyError
from lockgate.core.replay.case import Case, Circumstances
from lockgate.core.replay.case_reading import MAX_BUCKETS
from lockgate.core.replay.remaking import replay, with_cleared
from lockgate.core.soundness.retelling import retold, unstarted
from lockgate.core.statement import Statement, read_statement
from lockgate.core.vault import Receipt
from lockgate.errors import UnsoundError
from lockgate.operations.line.reading import load, planned
from lockgate.operations.replay.trail import Trail, all_circumstances, bucket_count
from lockgate.operations.vault.logged import as_logged, not_as_signed
from lockgate.operations.vault.portions import PORTION, portions
from lockgate.ports.store import Snapshot

PRUNED = "the buckets that it was decided on were pruned"
UNWANTED = "it was not asked for"


@dataclass(frozen=True, slots=True)
class Replayable:
    """A receipt and its case; no case, and why not, where what it was decided on is gone or is too much for one."""

    receipt: Receipt
    statement: Statement
    case: Case | None
    why_not: str = ""


def cases(seen: Snapshot, rollout_id: str, wanted: Callable[[int], bool] | None = None) -> Iterator[Replayable]:
    """Yield the receipts of a rollout from the first on, each with its case; one case at a time is in memory.

    `wanted` says of which numbers there is to be a case; None: of all. What the others read is folded all the same.
    """
    trial, policy = load(seen, rollout_id)
    judged = planned(seen, trial.rollout.policy_digest)
    trail, told = Trail(seen, trial.rollout.org, trial, judged), unstarted(trial.rollout, policy)
    progress = begin(judged)
    for receipt in portions(partial(_receipts, seen, rollout_id), lambda row: row.seq, 0):
        signed = open_envelope(receipt.envelope).payload
        try:
            statement = read_statement(signed)
            transition = retold(told, statement, receipt.at, policy)
        except (VerifyError, ValueError, KeyError, TypeError) as error:
            raise not_as_signed(receipt) from error
        told = transition.after
        if not trail.has_buckets:
            yield Replayable(receipt, statement, None, PRUNED)
            continue
        circumstances, count = trail.circumstances(receipt, statement, transition.before), bucket_count(statement)
        before, held, read = progress, list[SealedBucket](), 0
        for buckets in trail.read(count):
            for sealed in buckets:
                progress = advance(progress, sealed, judged)
            read += len(buckets)
            held += buckets if count <= MAX_BUCKETS else ()
        if read != count:
            raise UnsoundError(f"receipt {receipt.seq} of {rollout_id} binds {count} buckets, of which {read} are kept")
        progress = with_cleared(progress, transition.decision)
        if wanted is not None and not wanted(statement.seq):
            yield Replayable(receipt, statement, None, UNWANTED)
        elif count > MAX_BUCKETS:
            yield Replayable(receipt, statement, None, f"it binds {count:,} buckets, and a case holds {MAX_BUCKETS:,}")
        else:
            likely = _likely(all_circumstances(circumstances, statement), before, tuple(held), signed)
            yield Replayable(receipt, statement, likely)


def _receipts(seen: Snapshot, rollout_id: str, after: int) -> Sequence[Receipt]:
    return as_logged(seen, seen.receipts_after(rollout_id, after, PORTION))


def _likely(
    possible: Sequence[Circumstances], before: Progress, buckets: tuple[SealedBucket, ...], signed: bytes
) -> Case:
    """Return the case of a receipt: of circumstances that it may have been made in, those that come to its bytes."""
    found = [Case(circumstances, before, buckets) for circumstances in possible]
    if len(found) == 1:
        return found[0]
    return next((case for case in found if _is_of(case, signed)), found[0])


def _is_of(case: Case, payload: bytes) -> bool:
    try:
        return replay(case) == payload
    except VerifyError:
        return False
