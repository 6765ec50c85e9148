# SPDX-License-Identifier: Apache-2.0
"""A role comes in; its key is followed by a new one, or that one is prepared, and what was done goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict, cast

import click

from lockgate.cli import exit_codes, local, output, request
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from lockgate.core.listed_key import Use
    from lockgate.core.vault import Receipt
    from lockgate.operations.keys.rotate_key import Rotated
    from lockgate.ports.house import House
    from lockgate.ports.signing import Aside

EPILOG = f"Exit codes: 0 the new key signs; 64 usage; {exit_codes.OF_STORE}"
# The word for the last entry that somebody outside has vouched for.
VOUCHED = "witnessed"
MAX_DIGITS = 16
PUBLISH = "Publish the next key manifest: `lockgate keys manifest --root FILE`."
_COUNTS_NO_MORE = "What is signed by it behind the last good entry counts no more."
LAST_GOOD = f"This entry of the log; `{VOUCHED}`: the last one below a checkpoint that somebody outside signed."


class Call(TypedDict):
    """What was called, as click hands it over."""

    role: Use
    overlap: float
    last_good: tuple[str, ...]
    is_stolen: bool
    former: str | None
    is_prepared: bool
    may_use_prepared: bool
    may_end_overlap: bool
    may_be_file: bool
    reason: str | None
    by: str | None
    yes: bool
    as_json: bool


@click.command("rotate", epilog=EPILOG)
@click.argument("role", type=click.Choice(["receipt", "log"]))
@click.option(
    "--overlap",
    type=local.seconds,
    default="30d",
    show_default=True,
    metavar="SPAN",
    help="For how long the former key of the log signs checkpoints too.",
)
@click.option("--end-overlap", "may_end_overlap", is_flag=True, help="Although an earlier overlap is not over yet.")
@click.option("--prepare", "is_prepared", is_flag=True, help="Only make the key that follows, to be copied.")
@click.option("--compromised", "is_stolen", is_flag=True, help="Others may sign by the key: it counts no further than:")
@click.option("--last-good-index", "last_good", multiple=True, metavar="[ORG:]N", help=LAST_GOOD)
@click.option("--to-file", "may_be_file", is_flag=True, help="Where a program signs: a key in a file follows it.")
@click.option("--former", metavar="KEYID", help="Of --compromised: this key, which signs no more; none follows.")
@click.option("--use-prepared", "may_use_prepared", is_flag=True, help="Of --compromised: the prepared key is safe.")
@click.option("--reason", metavar="TEXT", help="Why; the receipt keeps it. [default: what was done]")
@click.option("--by", metavar="NAME", envvar="LOCKGATE_ACTOR", help="Who. [default: the user of this machine]")
@request.without_question
@click.option("--json", "as_json", is_flag=True, help="Print what signs now as JSON.")
def rotate(role: str, **call: object) -> int:
    """Let a new key sign receipts, or checkpoints of the log, from now on, and sign by the old one that it does.

    On a second machine with a keys folder of its own, and the new key in it, it only puts the files into their places.
    """
    from lockgate.core.listed_key import Use

    return _rotate(cast("Call", {**call, "role": Use(role)}))


def _rotate(call: Call) -> int:
    from lockgate.operations.keys.revoke_former import former_key
    from lockgate.operations.keys.rotate_key import Rotation, rotate_key
    from lockgate.wiring import KEYS, home, signers

    _refuse_nonsense(call)
    house = local.known_house()
    if call["former"] is not None:
        return _revoke(call, former_key(call["role"], call["former"], house), house)
    ring = signers(home() / KEYS, lambda: False)
    if call["is_prepared"]:
        return _said_prepared(call, ring.prepare(call["role"], may_be_file=call["may_be_file"]).key_id)
    request.confirm(_question(call), yes=call["yes"])
    rotation = Rotation(
        role=call["role"],
        actor=request.actor(call["by"], call["reason"] or "keys are rotated"),
        overlap=round(call["overlap"] * 1_000),
        last_good=_last_good(call["last_good"], house) if call["is_stolen"] else None,
        may_use_prepared=call["may_use_prepared"],
        may_end_overlap=call["may_end_overlap"],
        may_be_file=call["may_be_file"],
    )
    return _said(call, rotate_key(rotation, house, ring))


def _refuse_nonsense(call: Call) -> None:
    """Refuse options that do not go together."""
    if call["is_stolen"] != bool(call["last_good"]):
        raise UsageError(
            "--compromised and --last-good-index go together",
            advice="Name the last entry that a witness, or a checkpoint that somebody kept, covered before the theft.",
        )
    if (call["former"] is not None or call["may_use_prepared"]) and not call["is_stolen"]:
        raise UsageError("--former and --use-prepared are of --compromised", advice="Add it, or leave them out.")
    if call["is_prepared"] and (call["is_stolen"] or call["may_end_overlap"]):
        raise UsageError(
            "--prepare only makes a key: nothing is revoked and no overlap ends by it",
            advice="Leave out --prepare, and a new key is made and signs at once; else leave out the other options.",
        )
    if call["former"] is not None and (call["may_use_prepared"] or call["may_be_file"]):
        raise UsageError("no key follows one that signs no more", advice="Leave out the other, or --former.")
    if call["may_end_overlap"] and (call["is_stolen"] or call["role"] != "log"):
        raise UsageError(
            "an overlap is of the log's keys, and --compromised ends it anyway", advice="Leave out --end-overlap."
        )


def _revoke(call: Call, key_id: str, house: House) -> int:
    """Revoke a key that is followed already."""
    from lockgate.operations.keys.revoke_former import Revoking, revoke_former

    request.confirm(f"Revoke {call['role']} key {key_id}? {_COUNTS_NO_MORE}", yes=call["yes"])
    revoking = Revoking(
        role=call["role"],
        key_id=key_id,
        last_good=_last_good(call["last_good"], house),
        actor=request.actor(call["by"], call["reason"] or "keys are revoked"),
    )
    receipts = revoke_former(revoking, house)
    if call["as_json"]:
        output.emit_json({"role": call["role"], "revoked": key_id, "receipts": _documents(receipts)})
        return exit_codes.OK.code
    from lockgate.report.text import printed

    head = "is revoked" if receipts else "was revoked already"
    output.say(printed([f"The {call['role']} key {key_id} {head}.", *_lines(receipts), PUBLISH]))
    return exit_codes.OK.code


def _question(call: Call) -> str:
    role = call["role"]
    if call["is_stolen"]:
        beside = ", and a former one that still signs beside it" if role == "log" else ""
        return f"Revoke the {role} key that signs now{beside}? {_COUNTS_NO_MORE}"
    return f"Go on by another {role} key? Machines with keys folders of their own need it first (--prepare)."


def _last_good(given: tuple[str, ...], house: House) -> Mapping[str, int]:
    from lockgate.operations.keys.last_good import last_vouched

    found = {}
    for each in given:
        org, _, number = each.rpartition(":")
        if number == VOUCHED:
            found[org or house.org] = last_vouched(house, org or house.org)
        elif number.isdecimal() and len(number) <= MAX_DIGITS:
            found[org or house.org] = int(number)
        else:
            raise UsageError(f"--last-good-index {each!r} is no entry of a log", advice="Write --last-good-index 41.")
    return found


def _said_prepared(call: Call, key_id: str) -> int:
    from lockgate.report.text import printed
    from lockgate.wiring import KEYS, home

    if call["as_json"]:
        output.emit_json({"role": call["role"], "keyid": key_id, "prepared": True})
        return exit_codes.OK.code
    names = (f"{call['role']}.next.json", f"{call['role']}.next.pem")
    file = next((name for name in names if (home() / KEYS / name).exists()), names[-1])
    lines = [
        f"Key {key_id} is prepared and signs nothing yet.",
        f"Copy {file} into the keys folder of every other machine; then call `lockgate keys rotate {call['role']}`.",
    ]
    output.say(printed(lines))
    return exit_codes.OK.code


def _said(call: Call, rotated: Rotated) -> int:
    from lockgate.report.text import printed

    if call["as_json"]:
        signs = {
            "role": call["role"],
            "keyid": rotated.key_id,
            "aside": None if rotated.aside is None else rotated.aside.place,
        }
        output.emit_json({**signs, "receipts": _documents(rotated.receipts)})
        return exit_codes.OK.code
    what = "Receipts are" if call["role"] == "receipt" else "Checkpoints of the log are"
    lines = [f"{what} signed by key {rotated.key_id} from now on."]
    lines += _lines(rotated.receipts)
    if not rotated.receipts:
        lines.append("The log said so already; only files of this machine were put into their places.")
    if rotated.aside is not None:
        lines.append(f"{_what_is(rotated.aside)} is {rotated.aside.place}; {_what_of_it(call)}")
    lines.append(PUBLISH)
    output.say(printed(lines))
    return exit_codes.OK.code


def _documents(receipts: Mapping[str, Receipt]) -> Sequence[Mapping[str, str | int]]:
    return [
        {"org": org, "id": each.rollout_id, "seq": each.seq, "logIndex": each.index} for org, each in receipts.items()
    ]


def _lines(receipts: Mapping[str, Receipt]) -> Sequence[str]:
    return [
        f"The receipt that says so is {each.seq} of {each.rollout_id}, entry {each.index} of the log of {org}."
        for org, each in receipts.items()
    ]


def _what_is(aside: Aside) -> str:
    return "The file of the program that signed before" if aside.is_program else "The former private key"


def _what_of_it(call: Call) -> str:
    if call["role"] == "log" and call["overlap"] and not call["is_stolen"]:
        return "it signs checkpoints beside the new one until the overlap is over."
    return "nothing needs it any more."
