# SPDX-License-Identifier: Apache-2.0
"""A block of code comes in; the record of the run that it is goes to a backlog when it ends.

Nothing here raises into the caller's code but what the code itself raises: what cannot be kept is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from decimal import Decimal
from time import perf_counter, time_ns
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar, cast
from uuid import uuid4

from lockgate.recorder.field import (
    MAX_FLAGS,
    MAX_NAMES,
    STATUSES,
    amount_of,
    cost_of,
    count_of,
    id_of,
    name_of,
    score_name_of,
    score_of,
    status_of,
    text_of,
)
from lockgate.recorder.function import recorded

# What a run takes in memory besides its texts, and each of its scores, labels and flags.
RUN_BYTES, FIELD_BYTES = 1_200, 160
NO_RELEASE = "no release is named: set LOCKGATE_RELEASE, or OpenTelemetry's service.version"
Function = TypeVar("Function", bound=Callable[..., Any])
Score = float | bool | dict[str, float | bool | str]


class Backlog(Protocol):
    """Where runs go that have ended; it belongs to one process."""

    def put(self, run: Run) -> None:
        """Take a run."""

    def lose(self, reason: str) -> None:
        """Count a run that is not kept, and why."""

    def leave_out(self, reason: str) -> None:
        """Count a field that is not kept, and why."""


class Home(Protocol):
    """What runs are recorded by."""

    @property
    def backlog(self) -> Backlog:
        """Return the backlog of this process."""

    def release(self) -> str | None:
        """Return the release that this process runs now."""


_CURRENT: ContextVar[Run | None] = ContextVar("lockgate_run", default=None)


def current_run() -> Run | None:
    """Return the run that this code is part of, the innermost, or None."""
    run = _CURRENT.get()
    return None if run is None or run.has_ended else run


class Run:
    """One unit of work: a context manager, also of `async with`, and a decorator.

    It begins where its block begins, and `release` is bound then: the one that the process runs.
    """

    __slots__ = (
        "_backlog",
        "_began",
        "_given",
        "_home",
        "_recorder",
        "_token",
        "app",
        "cost_amount",
        "cost_currency",
        "error_type",
        "fields",
        "flags",
        "has_ended",
        "labels",
        "latency_s",
        "number",
        "release",
        "scores",
        "size",
        "started_ns",
        "state",
    )

    started_ns: int
    latency_s: float
    size: int
    state: str | None
    error_type: str | None
    cost_amount: Decimal | None
    cost_currency: str | None
    scores: dict[str, Score] | None
    labels: dict[str, str] | None
    flags: dict[str, str] | None
    fields: dict[str, str | float] | None

    def __init__(
        self, app: str, release: str | None, given: Mapping[str, object] | None, home: Callable[[], Home]
    ) -> None:
        self.app, self.release, self._given, self._home = app, release, given, home
        self._backlog: Backlog | None = None
        self._token: Token[Run | None] | None = None
        self._began = 0.0
        self.has_ended = False
        self.number = 0

    @property
    def run_id(self) -> str:
        """Return the id of the run, which it is given now where it has none."""
        fields = self.fields if self._backlog is not None and self.fields is not None else {}
        found = fields.get("run_id")
        if found is None:
            found = str(uuid4())
            if self._backlog is not None and not self.has_ended:
                self._set("run_id", found)
        return str(found)

    def __enter__(self) -> Self:
        try:
            self._begin()
        except Exception:  # noqa: BLE001 -- the caller's code goes on whatever became of its record
            self._backlog = None
        self.started_ns = time_ns()
        self._began = perf_counter()
        return self

    async def __aenter__(self) -> Self:
        return self.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        latency = perf_counter() - self._began
        backlog = self._backlog
        if backlog is None or self.has_ended:
            return
        try:
            self.latency_s = latency
            if kind is not None and self.state is None:
                self.state, self.error_type = status_of(kind), text_of(kind.__name__)
            self._end(backlog)
        except Exception:  # noqa: BLE001 -- as above
            backlog.lose("the recorder failed")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _begin(self) -> None:
        home = self._recorder = self._home()
        if self._began:
            home.backlog.lose("a run was entered twice")
            self._backlog = None
            return
        self._backlog = home.backlog
        if self.release is None:
            self.release = home.release()
        self.size = RUN_BYTES
        self.state = self.error_type = self.cost_amount = self.cost_currency = None
        self.scores = self.labels = self.flags = self.fields = None
        self._token = _CURRENT.set(self)
        if self._given is not None:
            self._describe(self._given)

    def _end(self, backlog: Backlog) -> None:
        self.has_ended = True
        token, self._token = self._token, None
        if token is not None and _CURRENT.get() is self:
            # A generator may be ended in another context than it began in.
            try:
                _CURRENT.reset(token)
            except ValueError:
                _CURRENT.set(None)
        if self._recorder.backlog is not backlog:
            # The run began before a fork: the process that it began in records it.
            return
        if name_of(self.app) is None:
            backlog.lose("no app has such a name")
        elif self.release is None:
            backlog.lose(NO_RELEASE)
        elif name_of(self.release) is None:
            backlog.lose("no release has such a name")
        else:
            backlog.put(self)

    def _describe(self, given: Mapping[str, object]) -> None:
        labels = given.get("labels")
        if isinstance(labels, Mapping):
            for name, text in labels.items():
                self.label(name, text)
        elif labels is not None:
            self._leave_out("labels are no mapping")
        for name, value in given.items():
            if name in ("run_id", "probe_id", "unit_id", "environment"):
                if value is not None:
                    self._set_id(name, value)
            elif name != "labels":
                self._leave_out("a run has no such field")

    def score(self, name: str, value: object, *, evaluator: str | None = None, version: str | None = None) -> None:
        """Say what an evaluator found: a number, or true or false; the last one of a name counts."""
        try:
            known, found = score_name_of(name), score_of(value)
            scores = self.scores = {} if self.scores is None else self.scores
            if known is None or found is None or self.has_ended or (len(scores) >= MAX_NAMES and known not in scores):
                self._leave_out("a score's name or value is not one that is taken")
                return
            self.size += FIELD_BYTES + len(known)
            if evaluator is None and version is None:
                scores[known] = found
                return
            by = {"evaluator": self._text(evaluator), "version": self._text(version)}
            scores[known] = {"value": found, **{key: text for key, text in by.items() if text is not None}}
        except Exception:  # noqa: BLE001 -- as above
            self._leave_out("a score could not be read")

    def label(self, name: str, text: str) -> None:
        """Say which slice of traffic the run is of."""
        self._named("labels", text_of, name, text, MAX_NAMES)

    def flag(self, key: str, variant: str) -> None:
        """Say which variant of a flag the run met; it counts for that as well."""
        self._named("flags", name_of, key, variant, MAX_FLAGS)

    def cost(self, amount: object, currency: str | None = None) -> None:
        """Say what the run cost; what is said several times adds up."""
        try:
            found = cost_of(amount)
            other = currency if self.cost_currency is None else self.cost_currency
            total = None if found is None else found + (self.cost_amount or 0)
            if self.has_ended or cost_of(total) is None or (currency is not None and text_of(currency) != other):
                self._leave_out("a cost is not one that is taken, or in two currencies")
                return
            self.cost_amount, self.cost_currency = total, other
        except Exception:  # noqa: BLE001 -- as above
            self._leave_out("a cost could not be read")

    def tokens(self, *, input: object = None, output: object = None) -> None:  # noqa: A002 -- as the record has them
        """Say how many tokens went in and came out; what is said several times adds up."""
        for name, count in (("input_tokens", input), ("output_tokens", output)):
            if count is None:
                continue
            try:
                found = count_of(count)
                before = (self.fields or {}).get(name, 0)
                total = None if found is None else count_of(found + cast("int", before))
                self._set(name, total)
            except Exception:  # noqa: BLE001 -- as above
                self._leave_out("a count of tokens could not be read")

    def ttft(self, milliseconds: object = None) -> None:
        """Say that the first token is there: now, or after so many milliseconds; only the first call counts."""
        try:
            if self.fields is not None and "ttft_ms" in self.fields:
                return
            since = 1_000 * (perf_counter() - self._began)
            self._set("ttft_ms", round(since, 3) if milliseconds is None else amount_of(milliseconds))
        except Exception:  # noqa: BLE001 -- as above
            self._leave_out("a time to the first token could not be read")

    def fail(self, error_type: str | None = None, *, status: str = "error") -> None:
        """Say that the run failed although nothing is raised; `status` is error, timeout or cancelled."""
        try:
            if status not in STATUSES or self.has_ended:
                self._leave_out("a status is not one that is taken")
                return
            self.state, self.error_type = status, self._text(error_type)
        except Exception:  # noqa: BLE001 -- as above
            self._leave_out("a status could not be read")

    def probe(self, probe_id: object) -> None:
        """Say which input of a fixed set the run answered, so that it is paired with the other release's."""
        self._set_id("probe_id", probe_id)

    def unit(self, unit_id: object) -> None:
        """Say which user, session or tenant the run was for."""
        self._set_id("unit_id", unit_id)

    def _set_id(self, name: str, given: object) -> None:
        try:
            self._set(name, id_of(given))
        except Exception:  # noqa: BLE001 -- as above
            self._leave_out("an id could not be read")

    def _set(self, name: str, value: str | float | None) -> None:
        if value is None or self.has_ended:
            self._leave_out(f"{name} is not one that is taken")
            return
        if self.fields is None:
            self.fields = {}
        self.fields[name] = value
        self.size += FIELD_BYTES + (len(value) if isinstance(value, str) else 0)

    def _named(self, part: str, read: Callable[[object], str | None], name: object, text: object, most: int) -> None:
        try:
            found: dict[str, str] = getattr(self, part) or {}
            known, said = read(name), read(text)
            # For its own app a run counts by its release, and by no flag.
            is_own = part == "flags" and known == self.app
            is_full = len(found) >= most and known not in found
            if known is None or said is None or is_own or is_full or self.has_ended:
                self._leave_out(f"one of the {part} is not one that is taken")
                return
            found[known] = said
            setattr(self, part, found)
            self.size += FIELD_BYTES + len(known) + len(said)
        except Exception:  # noqa: BLE001 -- as above
            self._leave_out(f"one of the {part} could not be read")

    def _text(self, text: object) -> str | None:
        found = None if text is None else text_of(text)
        if found is None and text is not None:
            self._leave_out("a text is empty or too long")
        self.size += len(found or "")
        return found

    def _leave_out(self, reason: str) -> None:
        if self._backlog is not None:
            self._backlog.leave_out(reason)

    def again(self) -> Run:
        """Return a run that is described as this one is and has not begun."""
        return Run(self.app, self.release, self._given, self._home)

    def __call__(self, function: Function) -> Function:
        """Return a function each call of which is a run; of a generator it ends when that ends."""
        return cast("Function", recorded(self.again, function))
