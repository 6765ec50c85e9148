# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; hypothesis strategies for legal policy documents, and for damaged ones, go out."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

Node = Any
Document = dict[str, Node]

TEXT = st.text(st.characters(codec="utf-8").filter(str.isprintable), min_size=1, max_size=20)
RUNS = st.integers(1, 10**6)
DURATION = st.one_of(
    st.integers(1, 10**6),
    st.integers(1, 400).map(lambda n: f"{n}s"),
    st.integers(1, 400).map(lambda n: f"{n}m"),
    st.sampled_from(["1h30m", "1.5h", "2d", "1d1h1m1s"]),
)
SHARES = ("error_rate", "timeout_rate", "pass_rate", "scores.ok:pass")
OTHERS = ("latency_ms:p95", "latency_ms:p99.9", "cost", "cost:mean", "input_tokens", "scores.groundedness")
PERCENT = st.floats(0.001, 0.9).map(lambda part: f"{part * 100:.6g}%")


def _optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    return st.fixed_dictionaries({}, optional=fields)


def _with_id(parts: tuple[int, Document]) -> Document:
    return {**parts[1], "id": f"gate {parts[0]}"}


@st.composite
def gates(draw: st.DrawFn) -> Document:
    """Return a legal gate without an id."""
    metric = draw(st.sampled_from((*SHARES, *OTHERS, "cost:rate", "error_rate:paired")))
    document: Document = {"metric": metric} | draw(
        _optional(
            min_runs=st.integers(10_000, 10**6),
            slice=st.dictionaries(TEXT, TEXT, max_size=3),
            user_outcome=st.booleans(),
            breach=st.sampled_from(["rollback", "reduce", "pause"]),
            share=st.one_of(st.floats(0.001, 0.01), st.just("1%")),
        )
    )
    absolute = st.floats(0.0001, 0.04)
    ladder: list[Node]
    if metric.endswith(":paired"):
        amount = draw(absolute)
        ladder = [amount, amount * 2, amount * 4]
    elif metric.endswith(":rate"):
        part = draw(st.integers(1, 9))
        ladder = [f"{part}%", f"{part * 10}%", f"{part * 100}%"]
    else:
        part, amount = draw(st.integers(1, 9)), draw(absolute)
        ladder = [f"{part * scale}%" for scale in (1, 2, 4)]
        if draw(st.booleans()):
            ladder = [{"relative": text, "absolute": amount * (at + 1)} for at, text in enumerate(ladder)]
    kept = draw(st.tuples(st.booleans(), st.booleans(), st.sampled_from(["given", "none", "default"])))
    document |= {"tolerance": ladder[0]} if kept[0] else {}
    document |= {"margin": ladder[1]} if kept[1] else {}
    document |= {"detect": ladder[2]} if kept[2] == "given" else {"detect": "none"} if kept[2] == "none" else {}
    if metric in SHARES and kept == (False, False, "default") and draw(st.booleans()):
        side = "max" if metric in ("error_rate", "timeout_rate") else "min"
        document |= {side: draw(st.one_of(st.floats(0.001, 0.999), PERCENT))}
    return document


@st.composite
def steps(draw: st.DrawFn) -> Node:
    """Return legal steps in one of their forms."""
    weights = sorted(draw(st.sets(st.integers(1, 99), max_size=5)))
    weights.append(100)
    form = draw(st.sampled_from(["text", "numbers", "mappings"]))
    if form == "text":
        return ",".join(str(weight) for weight in weights)
    if form == "numbers":
        return weights
    fields = _optional(
        min_runs=RUNS,
        min_hold=DURATION,
        settle=DURATION,
        approval=st.sampled_from(["auto", "manual"]),
        gates=st.just("all"),
    )
    ramp: list[Document] = [{"weight": weight} | draw(fields) for weight in weights]
    # The last step's own part, which a holdback leaves, is above the weight before it.
    most = min(50, 99 - (weights[-2] if len(weights) > 1 else 0))
    ramp[-1] |= draw(_optional(soak=DURATION, holdback=st.integers(0, most)))
    if draw(st.booleans()):
        ramp[0] |= {"max_hold": "366d", "on_deadline": draw(st.sampled_from(["hold", "pause", "reduce", "rollback"]))}
    before = [{"kind": "offline"}, {"kind": "mirror"}, {"ring": "internal", "holdback": 5}, {"ring": "friends"}]
    return (
        draw(st.lists(st.sampled_from(before), unique_by=str).map(lambda some: sorted(some, key=before.index))) + ramp
    )


SUSTAINED = st.fixed_dictionaries(
    {"metric": st.sampled_from(OTHERS), "budget": st.integers(1, 10**6)},
    optional={"window": st.just("5m"), "need": st.integers(1, 3), "of": st.integers(3, 9)},
)
_WHOLE = _optional(
    app=TEXT,
    mode=st.sampled_from(["shadow", "canary"]),
    inference=st.sampled_from(["sequential", "fixed"]),
    alpha=st.one_of(st.floats(0.001, 0.5), st.just("5%")),
    alpha_promote=st.floats(0.001, 0.5),
    min_runs=st.integers(1, 10**6),
    bucket=st.integers(1, 3600),
    bucket_runs=st.one_of(st.none(), st.integers(1, 10**9)),
    unit=st.one_of(st.none(), TEXT),
    require_pairwise=st.booleans(),
    max_stale=DURATION,
    gates=st.lists(gates(), min_size=1, max_size=4).map(lambda some: [_with_id(each) for each in enumerate(some)]),
    steps=steps(),
    invariants=st.lists(st.one_of(TEXT, st.fixed_dictionaries({"event": TEXT, "max": RUNS})), max_size=1),
    sustained=st.lists(SUSTAINED, max_size=1),
    disagreement=st.lists(st.just({"max_excess": "5%"}), max_size=1),
    limits=_optional(spend=st.sampled_from(["200 EUR", "0.50 USD"]), time=DURATION, units=RUNS, runs=RUNS),
)


def _declarable(document: Document) -> Document:
    """Return a document without what only goes together with sequential inference."""
    gates: Any = document.get("gates", [])
    for each in gates if document.get("inference") == "fixed" else []:
        if each.get("breach") == "reduce":
            each["breach"] = "pause"
    return document


DOCUMENTS = _WHOLE.map(_declarable)

ODD = st.sampled_from(
    [None, True, False, -1, 0, 1, 2.5, 1e9, 10**30, "", "on", "5%", "1pp", "5% + 1pp", "none", "all", "-5%", "30m",
     "90", "1:30", [], [1], [2, 1], {}, {"a": "b"}, {"relative": "5%"}, {"relative": 5}, {"weight": 5}, "5,25",
     "x" * 300]
)  # fmt: skip


def _places(value: Node, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in _places(item, (*path, key)))]


@st.composite
def damaged(draw: st.DrawFn) -> Document:
    """Return a legal document with one value replaced, or one field added."""
    document = copy.deepcopy(draw(DOCUMENTS))
    *path, last = draw(st.sampled_from(_places(document)[1:])) if document else ["app"]
    holder: Any = document
    for key in path:
        holder = holder[key]
    if isinstance(holder, dict) and draw(st.booleans()):
        last = draw(st.sampled_from(["wieght", "weight", "ring", "kind", "max", "margin", "extent", "steps", "soak"]))
    holder[last] = draw(ODD)
    return document
