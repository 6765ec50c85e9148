# SPDX-License-Identifier: Apache-2.0
"""Columns of rows that stand for answers and pairs come in; these go out, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from lockgate.core.bucket import Pairs
from lockgate.core.instant import Instant
from lockgate.core.probe import Answer
from lockgate.core.spine import PairCell
from lockgate.errors import UnsoundError

_LABELS = msgspec.msgpack.Decoder(tuple[tuple[str, str], ...])
_BADNESS = msgspec.msgpack.Decoder(dict[str, int])
_PAIRS = msgspec.msgpack.Decoder(dict[str, tuple[int, int, int]])
_encode = msgspec.msgpack.Encoder().encode


def read_answer(probe: str, release: str, at: Instant, slot: int, labels: bytes, body: bytes) -> Answer:
    """Return the answer that a row is."""
    with _explained(f"the answer of {release} to {probe}"):
        whole, badness = _LABELS.decode(labels), _BADNESS.decode(body)
    return Answer(probe=probe, release=release, at=at, slot=slot, labels=whole, badness=badness)


def read_pairs(number: int, first: str, second: str, labels: bytes, body: bytes) -> PairCell:
    """Return the pairs that a row is."""
    with _explained(f"the pairs of {first} and {second} in bucket {number}"):
        whole, counts = _LABELS.decode(labels), _PAIRS.decode(body)
    pairs = {name: Pairs(*each) for name, each in counts.items()}
    return PairCell(number=number, first=first, second=second, labels=whole, pairs=pairs)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except msgspec.MsgspecError as error:
        raise UnsoundError(
            f"{what} in the store cannot be read: {error}", advice="The store is not whole; put it back."
        ) from error


def answer_row(answer: Answer) -> tuple[str, str, Instant, int, bytes, bytes]:
    """Return the columns of an answer, without organisation and app."""
    labels, badness = _encode(answer.labels), _encode(dict(answer.badness))
    return answer.probe, answer.release, answer.at, answer.slot, labels, badness


def pairs_row(cell: PairCell) -> tuple[int, str, str, bytes, bytes]:
    """Return the columns of pairs, without organisation and app."""
    body = {name: (found.losses, found.ties, found.wins) for name, found in sorted(cell.pairs.items())}
    return cell.number, cell.first, cell.second, _encode(cell.labels), _encode(body)
