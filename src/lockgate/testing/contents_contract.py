# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether it keeps bytes by their digest as the port promises.

It is a part of StoreContract.
"""

from __future__ import annotations

import pytest

from lockgate.core.canonical import byte_digest
from lockgate.ports.store import Store

WHOLE = b'{"findings":[]}' * 10_000
BODIES = (b"", b"\x00\xff", WHOLE)


class ContentsContract:
    """What every store promises of bytes that receipts name."""

    def test_bytes_come_back_by_their_digest(self, store: Store) -> None:
        """As they were, however often they were put, in the transaction and after it; others are None."""
        with store.writing() as work:
            digests = [work.put_content(body) for body in (*BODIES, WHOLE)]
            within = work.content(byte_digest(WHOLE))
        with store.writing() as work:
            again = work.put_content(WHOLE)

        assert digests == [byte_digest(body) for body in (*BODIES, WHOLE)]
        assert (within, again) == (WHOLE, byte_digest(WHOLE))
        with store.reading() as seen:
            assert tuple(seen.content(byte_digest(body)) for body in BODIES) == BODIES
            assert (seen.content(byte_digest(b"other")), seen.content("")) == (None, None)

    def test_contents_are_of_one_organisation(self, store: Store) -> None:
        """Another one has none of them."""
        with store.writing("acme") as work:
            work.put_content(WHOLE)

        with store.reading() as seen:
            assert (seen.content(byte_digest(WHOLE)), seen.content_digests("", 9)) == (None, ())

    def test_digests_are_read_in_portions(self, store: Store) -> None:
        """Each portion begins after the last digest of the one before, and the one behind the end is empty."""
        with store.writing() as work:
            expected = sorted({work.put_content(body) for body in BODIES})

        with store.reading() as seen:
            first = seen.content_digests("", 2)
            rest = seen.content_digests(first[-1], 2)
            assert [*first, *rest] == expected
            assert seen.content_digests(rest[-1], 2) == ()

    def test_contents_of_a_block_that_raises_are_not_kept(self, store: Store) -> None:
        """They stay or go with what names them, in a part too."""
        with store.writing() as work:
            with pytest.raises(ZeroDivisionError), work.part():  # noqa: PT012 -- the block is what raises
                work.put_content(b"of a part")
                raise ZeroDivisionError
            work.put_content(b"kept")

        with store.reading() as seen:
            assert seen.content_digests("", 9) == (byte_digest(b"kept"),)
