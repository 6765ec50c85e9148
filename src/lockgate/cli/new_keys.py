# SPDX-License-Identifier: Apache-2.0
"""A reason comes in; keys that were lost or put aside are made anew, and a receipt says that they sign from now on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lockgate.cli import exit_codes, local, output, request
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from lockgate.ports.signing import Signer

EPILOG = f"Exit codes: 0 the new keys sign; 64 usage, or the keys signed so far too; {exit_codes.OF_STORE}"


@click.command("new-keys", epilog=EPILOG)
@request.who_and_why
@request.without_question
def new_keys(reason: str, by: str | None, *, yes: bool, as_json: bool) -> int:
    """Go on by new keys where the old ones are lost or were moved away, and sign that.

    A key that is not in the keys folder is made, that of webhooks too. Receipts of the older key verify by its public
    key only.
    """
    from lockgate.operations.vault.custody import renew_keys
    from lockgate.report.text import printed
    from lockgate.wiring import has_webhook_key, local_house

    local.check_store()
    who = request.actor(by, reason)
    request.confirm(
        "Sign by new keys from now on? If a backup of the keys is anywhere, put that back instead.", yes=yes
    )
    is_whole = has_webhook_key()
    house = local_house(has_new_keys=True)
    if not is_whole:
        local.tell("webhook.key is new: `lockgate webhooks rotate ID --force` for each webhook")
    try:
        receipt, new = renew_keys(who, house)
    except UsageError:
        # The one key that was missing signs nothing, so that no receipt tells of it.
        if is_whole:
            raise
        return exit_codes.OK.code
    if as_json:
        keys = {"receipt_key": house.signers.receipt.key_id, "log_key": house.signers.log.key_id}
        output.emit_json({"id": receipt.rollout_id, "seq": receipt.seq, **keys, "new": list(new)})
    else:
        lines = [
            f"Receipts are signed by {_key('receipt', house.signers.receipt, new)}.",
            f"Checkpoints of the log are signed by {_key('log', house.signers.log, new)}.",
            f"The receipt that says so is {receipt.seq} of {receipt.rollout_id}.",
            "Publish the new public keys, and keep the older ones: what they signed verifies by them only.",
        ]
        output.say(printed(lines))
    return exit_codes.OK.code


def _key(role: str, signer: Signer, new: Sequence[str]) -> str:
    return f"the new key {signer.key_id} from now on" if role in new else f"key {signer.key_id} as before"
