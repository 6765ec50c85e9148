# SPDX-License-Identifier: Apache-2.0
"""Lines that could differ between machines come in; the arithmetic lint must name each, and spare the exact ones."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
faults = runpy.run_path(str(ROOT / "tools" / "exact_arithmetic.py"))["faults"]

INEXACT = {
    "a transcendental of the C library": "math.log(x)",
    "a transcendental imported by name": "from math import exp",
    "a transcendental of numpy": "np.log1p(x)",
    "a numpy function handed on as a value": "f = np.exp",
    "a numpy function imported by name": "from numpy import power",
    "numpy's own sum": "np.sum(x)",
    "a float sum by method": "x.sum(axis=-1)",
    "a float sum typed as float": "x.sum(dtype=np.float64)",
    "a mean": "x.mean()",
    "a running sum": "x.cumsum()",
    "a reduction by ufunc": "np.add.reduce(x)",
    "a sum by index": "np.add.at(x, i, y)",
    "an inner product": "np.dot(x, y)",
    "an inner product by operator": "x @ y",
    "an inner product in place": "x @= y",
    "Einstein's sum": "np.einsum('i,i', x, y)",
    "a root as a power": "x ** 0.5",
    "a square as a power": "x ** 2",
    "a power in place": "x **= 2",
    "a power by name": "pow(x, 2)",
    "the built-in sum": "sum(x)",
    "numpy's generator": "np.random.default_rng(1)",
    "linear algebra": "import numpy.linalg",
    "another library": "import scipy.special",
    "a hidden name": "getattr(np, 'lo' + 'g')(x)",
    "a narrow float": "x.astype(np.float32)",
    "an excuse without a reason": "np.log(x)  # exact: ",
}
EXACT = {
    "the four operations and a root": "np.sqrt(x * y - z / 2.0) + 1.0",
    "an exact square": "x * x",
    "whole powers of whole numbers": "LIMIT = 10**12",
    "an integer sum": "counts.sum(axis=-1, dtype=np.int64)",
    "an integer reduction by ufunc": "np.add.reduce(counts, dtype=np.int64)",
    "a sum of integers": "sum(int(n) for n in counts)",
    "a count": "sum(1 for n in counts)",
    "taking a float apart": "np.frexp(x)",
    "our own total": "from lockgate.core.stats.elementary import total",
    "a modular power": "pow(a, b, m)",
    "an excuse with a reason": "parts.sum()  # exact: int64 by construction",
}


@pytest.mark.clause("HO-02")
@pytest.mark.parametrize("line", INEXACT.values(), ids=INEXACT.keys())
def test_an_inexact_line_is_named_with_its_number(line: str) -> None:
    """Each way to let a library choose the last bit is found where it stands."""
    found = faults(f"x = 1\n{line}\n", "seeded.py")

    assert {(fault.path, fault.line) for fault in found} == {("seeded.py", 2)}


@pytest.mark.clause("HO-02")
@pytest.mark.parametrize("line", EXACT.values(), ids=EXACT.keys())
def test_an_exact_line_is_spared(line: str) -> None:
    """What every machine rounds alike may be written."""
    assert faults(f"x = 1\n{line}\n", "seeded.py") == []


@pytest.mark.clause("HO-02")
def test_the_engine_has_no_inexact_line() -> None:
    """The lint's rules hold for every module of the engine."""
    modules = sorted((ROOT / "src/lockgate/core/stats").rglob("*.py"))

    found = [str(fault) for module in modules for fault in faults(module.read_text(encoding="utf-8"), str(module))]

    assert modules
    assert found == []
