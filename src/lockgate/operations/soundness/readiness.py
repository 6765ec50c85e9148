# SPDX-License-Identifier: Apache-2.0
"""A house comes in; why it cannot be served from here goes out: its store, its keys, or what opens its webhooks."""

from __future__ import annotations

from lockgate.errors import LeftError, NotPermittedError
from lockgate.operations.vault.known_keys import refuse_others
from lockgate.operations.webhooks.webhook_keeping import webhooks_in
from lockgate.operations.webhooks.webhooks import sealed_by_another
from lockgate.ports.house import House
from lockgate.ports.webhooks import Receivers


def refuse_left(house: House) -> None:
    """Refuse a store that can be read and goes on elsewhere; one that cannot be read refuses by itself."""
    with house.store.reading(house.org) as seen:
        seen.last_ticks()
        name = seen.left_for()
    if name is not None:
        raise LeftError(f"this store was copied to {name} and goes on there", advice="Name that one in LOCKGATE_STORE.")


def unsigned(house: House) -> NotPermittedError | None:
    """Return why nothing can be signed by the keys that are here; None where all can."""
    try:
        with house.store.reading(house.org) as seen:
            refuse_others(seen, house)
        for each in (house.signers.receipt, house.signers.log):
            each.check()
    except NotPermittedError as error:
        return error
    return None


def unopened(house: House, receivers: Receivers) -> tuple[str, ...]:
    """Return the webhooks whose secret cannot be opened by the key that is here, so that they are sent nothing."""
    with house.store.reading(house.org) as seen:
        return sealed_by_another(webhooks_in(seen), receivers)
