# SPDX-License-Identifier: Apache-2.0
"""Rollouts, receipts or turns come in; short lines of a terminal, one for each, go out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from lockgate.core.instant import Instant, instant_text
from lockgate.core.rollout import Rollout
from lockgate.core.transition import Transition
from lockgate.core.vault import Receipt
from lockgate.report import number
from lockgate.report.decided import actor_of, actor_words, reason_of
from lockgate.report.screen import Screen
from lockgate.report.standing import TONES, status_words, weight_words
from lockgate.report.text import NO_BREAK, pad, shorten, width, wrap

MARGIN = "  "
GAP = "  "
MIN_NAME, MIN_REASON = 9, 24
# What a name may take of a screen's width.
WHO_SHARE = 4
# Below this the baseline is left out.
WIDE = 96
NAMES, STANDING = ("app", "candidate", "baseline"), ("status", "weight")
# The columns of rollouts, from those of a wide screen to those of a narrow one, where each has two lines. The mode goes
# before that: a weight says of itself that it would be.
_FORMS = (
    (("id", *NAMES, "mode", *STANDING),),
    (("id", *NAMES[:2], "mode", *STANDING),),
    (("id", *NAMES[:2], *STANDING),),
    (("id", *STANDING), NAMES[:2]),
)
_HEADS = {name: name for name in _FORMS[0][0]}
_MARGINS = (MARGIN, MARGIN + GAP)


@dataclass(frozen=True, slots=True)
class Change:
    """What was decided of a rollout, or holds it, and why."""

    rollout: Rollout
    action: str
    cause: str
    reason: str
    at: Instant


def render_rollouts(rollouts: Sequence[Rollout], screen: Screen, notes: Mapping[str, Sequence[str]]) -> str:
    """Return rollouts as a table, the oldest first; below each stand its notes, by its id."""
    rows = [_cells(each, screen) for each in rollouts]
    widest = {name: max(width(row[name]) for row in (_HEADS, *rows)) for name in _HEADS}
    form = _form(widest, screen)
    widths = dict(widest)
    for margin, names in zip(_MARGINS, form, strict=False):
        ours = [name for name in names if name in NAMES]
        room = screen.width - _columns(margin, names, {**widths, **dict.fromkeys(ours, 0)})
        widths |= zip(ours, _shared([widest[name] for name in ours], room), strict=True)
    lines = [screen.paint(line, "dim") for line in _lines(form, _HEADS, widths, screen)]
    for each, row in zip(rollouts, rows, strict=True):
        lines += _lines(form, row, widths, screen, TONES[each.status])
        indent = MARGIN + GAP
        for note in notes.get(each.id, ()):
            wrapped = wrap(screen.text(number.write_sentence(note)), max(MIN_REASON, screen.width - len(indent)))
            lines += [indent + screen.paint(line, "yellow") for line in wrapped]
    return _text(lines)


def _cells(rollout: Rollout, screen: Screen) -> Mapping[str, str]:
    names = {name: screen.text(str(getattr(rollout, name))) for name in NAMES}
    standing = {"mode": rollout.mode.value, "status": status_words(rollout), "weight": weight_words(rollout)}
    return {"id": rollout.id, **names, **standing}


def _form(widest: Mapping[str, int], screen: Screen) -> Sequence[Sequence[str]]:
    """Return the columns of each line of a row, as many as a screen has room for."""
    least = {name: min(columns, MIN_NAME) if name in NAMES else columns for name, columns in widest.items()}
    fitting = (form for form in _FORMS[screen.width < WIDE : -1] if _columns(MARGIN, form[0], least) <= screen.width)
    return next(fitting, _FORMS[-1])


def _columns(margin: str, names: Sequence[str], widths: Mapping[str, int]) -> int:
    return len(margin) + sum(widths[name] for name in names) + (len(names) - 1) * len(GAP)


def _lines(
    form: Sequence[Sequence[str]], row: Mapping[str, str], widths: Mapping[str, int], screen: Screen, tone: str = ""
) -> Iterator[str]:
    for margin, names in zip(_MARGINS, form, strict=False):
        cells = [pad(shorten(row[name], widths[name], screen.signs.ellipsis), widths[name]) for name in names]
        painted = [
            screen.paint(cell, *([tone] if tone and name in STANDING else []))
            for name, cell in zip(names, cells, strict=True)
        ]
        yield margin + GAP.join(painted)


def _shared(wanted: Sequence[int], room: int) -> list[int]:
    """Return how many columns each name's column takes of a room: the widest gives way first."""
    given = list(wanted)
    while sum(given) > max(room, sum(min(each, MIN_NAME) for each in wanted)):
        given[given.index(max(given))] -= 1
    return given


def render_receipts(receipts: Sequence[Receipt], screen: Screen) -> str:
    """Return receipts in order, with who decided and why, and below that by which id each is found."""
    heads = ("seq", "at", "decision", "by")
    rows = [
        (str(each.seq), time_text(each.at), f"{each.action} ({each.cause})", _who(each, screen)) for each in receipts
    ]
    widths = [max(width(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    indent = len(_row(("",) * len(heads), widths) + GAP)
    if screen.width - indent < MIN_REASON:
        return _text(_stacked(receipts, rows, widths, screen))
    lines = [screen.paint(_row((*heads, "reason"), [*widths, 0]), "dim")]
    for row, each in zip(rows, receipts, strict=True):
        first, *rest = _reason(each, screen, screen.width - indent)
        lines.append(_row((*row, first), [*widths, 0]))
        below = pad(_id_line(each, widths), indent)
        lines += [f"{beside}{line}" for beside, line in zip_longest([below], rest or [""], fillvalue=" " * indent)]
    return _text(lines)


def _id_line(receipt: Receipt, widths: Sequence[int]) -> str:
    return f"{_row(('',), widths[:1])}{GAP}{receipt.id}"


def _stacked(
    receipts: Sequence[Receipt], rows: Sequence[Sequence[str]], widths: Sequence[int], screen: Screen
) -> Iterator[str]:
    """Yield the lines of receipts where reasons have no room beside the rest: each stands below its own."""
    indent = " " * len(_row(("",), widths[:1]) + GAP)
    yield screen.paint(_row(("seq", "at", "decision", "by"), widths), "dim")
    for row, each in zip(rows, receipts, strict=True):
        yield _row(row, widths)
        yield _id_line(each, widths)
        yield from (indent + line for line in _reason(each, screen, screen.width - len(indent)))


def _reason(receipt: Receipt, screen: Screen, room: int) -> list[str]:
    said = number.bind_units(number.write_sentence(reason_of(receipt)))
    return wrap(screen.text(said), max(MIN_REASON, room))


def _who(receipt: Receipt, screen: Screen) -> str:
    return screen.text(actor_words(actor_of(receipt)), screen.width // WHO_SHARE)


def change_of(transition: Transition) -> Change:
    """Return what one turn of the loop came to as a change."""
    decision = transition.decision
    return Change(transition.after, decision.action.value, decision.cause.value, decision.reason, transition.at)


def render_change(change: Change, screen: Screen) -> str:
    """Return one change as one line, as a log keeps it."""
    rollout = change.rollout
    where = pad(weight_words(rollout), 5, right=True)
    said = screen.text(f"{change.action} ({change.cause}): {number.write_sentence(change.reason)}")
    status = screen.paint(pad(status_words(rollout), 11), TONES[rollout.status])
    return f"{time_text(change.at)}  {rollout.id}  {status}  {where}  {said}\n".replace(NO_BREAK, " ")


def time_text(at: Instant) -> str:
    """Return a time to the second, in UTC."""
    return instant_text(at)[:19] + "Z"


def _text(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).replace(NO_BREAK, " ") + "\n"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return MARGIN + GAP.join(pad(cell, columns) for cell, columns in zip(cells, widths, strict=True))
