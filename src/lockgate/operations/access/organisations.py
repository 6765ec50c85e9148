# SPDX-License-Identifier: Apache-2.0
"""A house comes in; the organisations that its store keeps apart go out, and a new one with its first key."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.app import DEFAULT_ORG, check_name
from lockgate.errors import UsageError
from lockgate.operations.access.issue_key import IssuedKey, issue_first_key
from lockgate.ports.house import House


def organisations(house: House) -> tuple[str, ...]:
    """Return the names of all organisations; the default one is always there."""
    return tuple(sorted({DEFAULT_ORG, house.org, *house.store.orgs()}))


def create_organisation(name: str, house: House, created_by: str | None = None) -> IssuedKey:
    """Make an organisation: return the first key for everything in it."""
    check_name("an organisation", name)
    issued = None if name == DEFAULT_ORG else issue_first_key(replace(house, org=name), created_by)
    if issued is None:
        raise UsageError(f"there is an organisation {name} already", advice="`lockgate orgs list` has them.")
    return issued


def in_organisation(name: str, house: House) -> House:
    """Return the house of an organisation, which must be there."""
    if name not in organisations(house):
        raise UsageError(
            f"there is no organisation {name!r}",
            advice=f"There is {', '.join(organisations(house))}; `lockgate orgs create` makes one.",
        )
    return replace(house, org=name)
