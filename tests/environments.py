# SPDX-License-Identifier: Apache-2.0
"""Two environments of a process, in which the same bytes come out."""

from __future__ import annotations

import numpy as np

FEATURES: list[str] = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
# Every difference at once: if one of them shows, running them one by one tells which.
HERE = {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
ELSEWHERE = {
    "PYTHONHASHSEED": "20",
    "LC_ALL": "tr_TR.UTF-8",
    "TZ": "Pacific/Chatham",
    "PYTHONUTF8": "0",
    "NPY_DISABLE_CPU_FEATURES": " ".join(FEATURES),
}
