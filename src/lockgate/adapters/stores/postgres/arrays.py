# SPDX-License-Identifier: Apache-2.0
"""An array of whole numbers comes in; the bytes that PostgreSQL takes for one of its own go out, in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack

import numpy as np
from psycopg.adapt import Dumper
from psycopg.pq import Format

from lockgate.core.dedupe import Marks

# The numbers that PostgreSQL gives its types bigint and bigint[].
_BIGINT, _BIGINTS = 20, 1016
_ELEMENT = np.dtype([("size", ">i4"), ("value", ">i8")])


@dataclass(frozen=True, slots=True)
class Longs:
    """Whole numbers of 64 bits as one value of a statement."""

    values: Marks


class LongsDumper(Dumper):
    """Writes them as PostgreSQL's binary arrays: dimensions, no NULLs, the type, its length, first index, elements."""

    format = Format.BINARY
    oid = _BIGINTS

    def dump(self, obj: Longs) -> bytes:
        """Return the bytes of an array."""
        size = obj.values.size
        if not size:
            return pack("!iiI", 0, 0, _BIGINT)
        elements = np.empty(size, _ELEMENT)
        elements["size"], elements["value"] = 8, obj.values
        return pack("!iiIii", 1, 0, _BIGINT, size, 1) + elements.tobytes()
