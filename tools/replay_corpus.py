# SPDX-License-Identifier: Apache-2.0
"""Paths of chains of a corpus come in, a line each; what each decision comes to, made again here, goes out.

    find CORPUS -name '*.chain' | PYTHONPATH=src:. python tools/replay_corpus.py [DECIMAL_POINT]

It needs the core, numpy and rfc8785, so that it runs wherever those do. The decimal point is that of the locale, which
is then set, as programs do that print for people. Each line that goes out is JSON: this machine, then every few
decisions how many came out equal, and each one that did not.
"""

from __future__ import annotations

import json
import locale
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lockgate.core.refusal import VerifyError
from lockgate.core.replay.case_reading import read_case
from lockgate.core.replay.outcome import ReplayOutcome, Result, Why, compared, differs, past_of, record_of
from tools.corpus import Chain, read_chain

# So many decisions between two lines take some seconds.
PORTION = 200


def main(decimal_point: str | None = None) -> int:
    """Replay chains; 1 where a decision comes out otherwise."""
    if decimal_point is not None:
        locale.setlocale(locale.LC_ALL, "")
        assert locale.localeconv()["decimal_point"] == decimal_point, "the locale was not taken"
    features = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    _tell({"numpy": np.__version__, "features": len(features)})
    equal = different = 0
    for path in map(Path, sys.stdin.read().splitlines()):
        chain = read_chain(path)
        for outcome in _outcomes(chain):
            if outcome.result is Result.EQUAL:
                equal += 1
            else:
                different += 1
                _tell({"different": {"test": chain.test, "chain": str(path), **outcome.document()}})
            if equal == PORTION:
                _tell({"equal": equal})
                equal = 0
    _tell({"equal": equal})
    return int(different > 0)


def _outcomes(chain: Chain) -> Iterator[ReplayOutcome]:
    """Yield what each decision came to; the first of a chain begins where its case says."""
    past = None
    for envelope, data in chain.decisions:
        record, made = record_of(envelope), None
        try:
            outcome, made = compared(record, read_case(data), past)
        except VerifyError as error:
            outcome = differs(record, Why.REFUSED, error.message)
        past = None if made is None else past_of(record, made)
        yield outcome


def _tell(what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
