# SPDX-License-Identifier: Apache-2.0
"""The name of an issuer comes in that nobody looks up in time; its keys are given up: docs/spec.md, Jobs of CI."""

from __future__ import annotations

import threading

import pytest

from lockgate.adapters.issuers.fetching import Fetch
from lockgate.adapters.outgoing.resolving import Names
from lockgate.errors import UnreachableError


@pytest.mark.clause("SV-67")
def test_a_resolver_that_never_answers_keeps_nobody() -> None:
    """The name of an issuer is looked up for as long as all of a fetch may take, and no longer."""
    is_over = threading.Event()
    silent = Names(lambda _host: (is_over.wait(), ())[1])

    with pytest.raises(UnreachableError, match="nobody said its address in time"):
        Fetch(seconds=0.01, names=silent)("https://issuer.example/keys")

    is_over.set()
