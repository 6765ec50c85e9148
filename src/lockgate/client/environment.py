# SPDX-License-Identifier: Apache-2.0
"""An address and a key may come in; what carries calls goes out, by these or by what the environment names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lockgate.bearer import INSECURE
from lockgate.client.transport import Timing, Transport
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from lockgate.client.identity import JobKeys

URL, KEY, ORG = "LOCKGATE_URL", "LOCKGATE_API_KEY", "LOCKGATE_ORG"
# What says that a CI job may have tokens of its own; identity.py knows what to do with them.
JOB_OF_GITHUB, JOB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "LOCKGATE_ID_TOKEN"


def transport(
    url: str | None = None,
    api_key: str | None = None,
    *,
    timing: Timing | None = None,
    is_insecure: bool | None = None,
    org: str | None = None,
) -> Transport:
    """Return what carries calls, by what is named or else by the environment."""
    address = url or os.environ.get(URL)
    if not address:
        raise UsageError("no server is named", advice=f"Give a URL, or set {URL}.")
    insecure = os.environ.get(INSECURE) == "1" if is_insecure is None else is_insecure
    keys = None if api_key else keys_of_job(address, is_insecure=insecure)
    meant = (os.environ.get(ORG) or "") if org is None else org
    if not meant.isascii() or not meant.isprintable():
        raise UsageError(
            f"{ORG} names no organisation", advice="`lockgate orgs list` on the server's machine has them."
        )
    key = api_key or os.environ.get(KEY)
    return Transport(address, key, timing or Timing(), is_insecure=insecure, org=meant, keys=keys)


def keys_of_job(url: str, *, is_insecure: bool) -> JobKeys | None:
    """Return what gets keys for the CI job that this is, where its system gives it tokens of its own."""
    if not {JOB_OF_GITHUB, JOB_TOKEN} & set(os.environ):
        return None
    from lockgate.client.identity import job_keys  # noqa: PLC0415 -- a command at a terminal needs none of it

    return job_keys(os.environ, url, is_insecure=is_insecure)
