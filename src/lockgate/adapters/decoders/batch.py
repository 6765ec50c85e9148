# SPDX-License-Identifier: Apache-2.0
"""Decoded runs of one release come in; a batch that the gathering can tally, tell apart and pair goes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lockgate.adapters.decoders.file import RunFile
from lockgate.adapters.decoders.reading import Reading
from lockgate.core.summary import Columns, Integers, Mask


@dataclass(frozen=True, slots=True, eq=False)
class RunIds:
    """The ids of runs: 64-bit marks, equal for equal ids, which runs have an id, and the texts of chosen ones."""

    marks: Integers
    is_given: Mask
    texts: Callable[[NDArray[np.intp]], list[str]]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Runs of one release in the order read; `probes` only where pairs are asked for."""

    release: str
    columns: Columns
    ids: RunIds
    probes: Sequence[str | None] | None


class Decoder(Protocol):
    """Decodes one file format.

    Faults go to the reading, and decoding goes on as far as it can; every run is counted by its release there.
    Batches are for the two releases of the question, in the order of the file.
    Decoders of one `mark_family` give equal ids equal marks; of different ones only where the reading is mixed.
    """

    mark_family: str

    def decode(self, file: RunFile, reading: Reading) -> Iterator[Batch]:
        """Yield the runs of one file."""
        ...
