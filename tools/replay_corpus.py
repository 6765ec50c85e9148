# SPDX-License-Identifier: Apache-2.0
"""A folder of receipts and their cases comes in; every decision is made again, and how many came out equal goes out.

It needs the core, numpy and rfc8785, so that it runs wherever those do: PYTHONPATH=src python tools/replay_corpus.py F.
A second word is the decimal point of the locale, which is then set, as programs do that print for people.
"""

from __future__ import annotations

import locale
import sys
from pathlib import Path

import numpy as np

from lockgate.core.replay.case_reading import read_case
from lockgate.core.replay.outcome import Result, compared, past_of, record_of


def main(folder: Path, decimal_point: str | None = None) -> int:
    """Replay a corpus; 1 where a decision comes out otherwise, or where there is none."""
    if decimal_point is not None:
        locale.setlocale(locale.LC_ALL, "")
        assert locale.localeconv()["decimal_point"] == decimal_point, "the locale was not taken"
    equal, others = 0, []
    for file in sorted(folder.glob("*.ndjson")):
        past = None
        lines = file.read_bytes().splitlines()
        for envelope, data in zip(lines[::2], lines[1::2], strict=True):
            record, case = record_of(envelope), read_case(data)
            # Where earlier receipts of a rollout could not be replayed, the next begins where its case says.
            follows = past is not None and case.setting.previous == past.digest
            outcome, made = compared(record, case, past if follows else None)
            past = None if made is None else past_of(record, made)
            equal += outcome.result is Result.EQUAL
            others += [] if outcome.result is Result.EQUAL else [f"{file.name}, receipt {outcome.seq}: {outcome}"]
    features = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    print(f"numpy {np.__version__}, {len(features)} features of the processor: {equal} equal, {len(others)} different")
    print("\n".join(others[:20]), end="\n" if others else "")
    return int(bool(others) or not equal)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
