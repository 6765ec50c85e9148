# SPDX-License-Identifier: Apache-2.0
"""The environment comes in; what asks the issuers of tokens that it lets this machine call goes out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lockgate.ports.id_tokens import IdTokens

if TYPE_CHECKING:
    from lockgate.adapters.issuers.fetching import Fetch

ALLOW = "LOCKGATE_OIDC_ALLOW"


def id_tokens() -> IdTokens:
    """Return what knows who signed the token of a job; issuers of private networks are those of LOCKGATE_OIDC_ALLOW."""
    from lockgate.adapters.issuers.id_tokens import SignedIdTokens
    from lockgate.adapters.issuers.key_sets import KeySets

    return SignedIdTokens(KeySets(_fetch()))


def check_issuer(url: str) -> None:
    """Refuse the address of an issuer's keys that this machine may not call by its settings, or does not know."""
    _fetch().check(url)


def _fetch() -> Fetch:
    from lockgate.adapters.issuers.fetching import Fetch
    from lockgate.core.address import read_networks

    return Fetch(read_networks(os.environ.get(ALLOW, "")))
