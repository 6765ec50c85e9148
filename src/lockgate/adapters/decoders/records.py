# SPDX-License-Identifier: Apache-2.0
"""A file whose runs stand on no lines comes in; each run as the text of a JSON object, with its place, goes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from lockgate.adapters.decoders.faults import Faults
from lockgate.adapters.decoders.file import RunFile


class Placed(NamedTuple):
    """A run as one line of JSON without its line break, and where in the file it stood."""

    place: str
    text: bytes


class Records(Protocol):
    """Reads one file format as texts of runs.

    The same file gives the same texts. What is wrong with the file goes to the faults; what is wrong with a run
    is for the decoder of its text to say.
    """

    def read(self, file: RunFile, faults: Faults) -> Iterator[Sequence[Placed]]:
        """Yield the runs of one file, some at a time."""
        ...
