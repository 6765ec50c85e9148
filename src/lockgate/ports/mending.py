# SPDX-License-Identifier: Apache-2.0
"""A store comes in, held by nobody else; what can be made again from the rest of it is replaced, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from lockgate.core.merkle import Node


class Mending(Protocol):
    """One transaction in which everybody else who would write waits; it is kept on leaving, or not at all.

    Neither receipts nor checkpoints, buckets or messages can be changed through it. A role that may not do this is a
    NotPermittedError.
    """

    def rebuild_indexes(self) -> None:
        """Make every index again from its table, and those and triggers of the schema that are not there."""

    def replace_nodes(self, org: str, nodes: Iterable[tuple[Node, bytes]]) -> int:
        """Keep these nodes of an organisation's log in the place of all that are kept; return how many there are."""


class Mendings(Protocol):
    """Opens such transactions on one store."""

    def mending(self) -> AbstractContextManager[Mending]:
        """Open one."""
