# SPDX-License-Identifier: Apache-2.0
"""Values that an independent implementation computed come in; every method must reproduce them to 1e-9."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.sequential import binary, mean, pairs, rate, sequence, share, wealth
from lockgate.core.stats.sequential.null import Null

VECTORS = Path(__file__).parents[3] / "vectors"
ENGINE = json.loads((VECTORS / "engine_eprocess.json").read_text(encoding="utf-8"))
SEQUENCES = json.loads((VECTORS / "engine_confidence_sequence.json").read_text(encoding="utf-8"))
SAVVI = json.loads((VECTORS / "savvi_srm.json").read_text(encoding="utf-8"))
ALL = np.array([True])
SHARES = wealth.copy_shares(1)
Step = Callable[..., Floats]


close = functools.partial(pytest.approx, rel=1e-9, abs=1e-12)


def _binary_path(buckets: list[list[int]], null: Null, step: Step) -> list[float]:
    log_wealth, runs, events, path = np.zeros((1, 12)), 0, 0, []
    for n_a, s_a, n_b, s_b in buckets:
        rate_b = binary.plug_in(runs, events)
        log_wealth = wealth.grow(log_wealth, step(n_a, s_a, n_b, s_b, rate_b, null), ALL)
        runs, events = runs + n_b, events + s_b
        path.append(float(wealth.log_evidence(log_wealth, SHARES)))
    return path


def _rate_path(buckets: list[list[float]], ratio: float) -> list[float]:
    gains = [rate.increments(e_a, s_a, e_b, s_b, ratio) for e_a, s_a, e_b, s_b in buckets]
    return [float(wealth.log_evidence(row[None], SHARES)) for row in np.cumsum(gains, axis=0)]


def _mean_path(case: dict[str, Any]) -> list[float]:
    span, null = mean.Span(0.0, case["cap"], case["sign"]), Null(case["r"], case["m"])
    log_wealth, seen, path = np.zeros((1, 8)), mean.NO_MOMENTS, []
    for arm_a, arm_b in case["buckets"]:
        (values_a, counts_a), (values_b, counts_b) = zip(*arm_a, strict=True), zip(*arm_b, strict=True)
        gains = mean.increments(values_a, counts_a, values_b, counts_b, mean.bet_on(seen, span, null))
        log_wealth = wealth.grow(log_wealth, gains, ALL)
        seen = mean.merge(seen, mean.moments(values_b, counts_b, span))
        path.append(float(wealth.log_evidence(log_wealth, SHARES)))
    return path


@pytest.mark.clause("ST-42")
def test_the_grids_of_alternatives_are_the_published_ones() -> None:
    """Twelve log odds ratios, eight relative effects, ten bets."""
    grids = [binary.DELTAS.tolist(), mean.RELATIVE.tolist(), pairs.BETS.tolist()]

    assert grids == [close(ENGINE["defaults"][name]) for name in ("DELTA", "RELG", "LAM")]


@pytest.mark.clause("ST-42", "ST-48")
@pytest.mark.parametrize("case", ENGINE["binary"])
def test_binary_evidence_of_harm_after_each_bucket(case: dict[str, Any]) -> None:
    """Method B with the plug-in of earlier buckets, mixed after multiplication."""
    assert _binary_path(case["buckets"], Null(case["r"], case["m"]), binary.increments) == close(case["log_e"])


@pytest.mark.clause("ST-46")
@pytest.mark.parametrize("case", ENGINE["binary_noninferiority"])
def test_binary_evidence_of_safety_after_each_bucket(case: dict[str, Any]) -> None:
    """The mirrored process of method B against an absolute margin."""
    assert _binary_path(case["buckets"], Null(1.0, case["margin"]), binary.mirrored_increments) == close(case["log_e"])


@pytest.mark.clause("ST-43")
@pytest.mark.parametrize("case", ENGINE["kl_projection"])
def test_projections_lie_on_the_boundary(case: dict[str, float]) -> None:
    """Also from inside the null, where method B never asks."""
    q = binary.projection(case["na"], case["ta"], case["nb"], case["tb"], Null(case["r"], case["m"]))

    assert float(q) == pytest.approx(case["theta_b0"], rel=1e-12)


@pytest.mark.clause("ST-43")
def test_the_projection_that_the_reference_text_prints() -> None:
    """An absolute margin of two points."""
    assert float(binary.projection(20, 0.12, 380, 0.05, Null(1.0, 0.02))) == pytest.approx(0.05186769245130626)


@pytest.mark.clause("ST-50")
@pytest.mark.parametrize("case", ENGINE["rate"])
def test_rate_evidence_is_the_published_one_after_each_bucket(case: dict[str, Any]) -> None:
    """Method R with exposures that change."""
    assert _rate_path(case["buckets"], case["r"]) == close(case["log_e"])


@pytest.mark.clause("ST-52")
@pytest.mark.parametrize("case", ENGINE["paired"])
def test_paired_evidence_is_the_published_one(case: dict[str, Any]) -> None:
    """Method P from three counts."""
    gains = pairs.increments(case["loss"], case["tie"], case["win"], case["m"])

    assert float(wealth.log_evidence(gains[None], SHARES)) == close(case["log_e"])


@pytest.mark.clause("ST-53", "ST-54")
@pytest.mark.parametrize("case", ENGINE["mean"])
def test_mean_evidence_is_the_published_one_after_each_bucket(case: dict[str, Any]) -> None:
    """Method M with two buckets of warm-up."""
    assert _mean_path(case) == close(case["log_e"])


@pytest.mark.clause("ST-57")
@pytest.mark.parametrize("case", ENGINE["srm"])
def test_share_evidence_adds_over_steps(case: dict[str, Any]) -> None:
    """Method S at each step's own probability."""
    rho, n_a, n_b = np.array(case["steps"]).T

    assert float(share.log_evidence(rho, n_a, n_b, case["k"]).sum()) == close(case["log_e"])


@pytest.mark.clause("ST-57")
@pytest.mark.parametrize("case", SAVVI["srm"])
def test_share_evidence_agrees_with_savvi(case: dict[str, Any]) -> None:
    """The evidence after each batch, and the p-value that savvi prints: the least inverse so far."""
    n_a, n_b = np.array([batch["batch"] for batch in case["sequence"]]).cumsum(axis=0).T

    evidence = share.log_evidence(case["theta0"][0], n_a, n_b, case["k"])

    p_values = np.minimum.accumulate(np.minimum(np.exp(-evidence), 1.0))
    assert evidence.tolist() == close([batch["log_e_formula"] for batch in case["sequence"]])
    assert p_values.tolist() == close([batch["p_value"] for batch in case["sequence"]])


@pytest.mark.clause("ST-60", "ST-61")
@pytest.mark.parametrize("case", SEQUENCES)
def test_confidence_sequences_are_those_of_their_own_grid(case: dict[str, Any]) -> None:
    """The interval's ends are points of the grid."""
    low, high = sequence.confidence_sequence(case["buckets"], case["alpha"], sequence.offsets(case["cs_grid_step"]))

    assert (float(low), float(high)) == close((case["lower"], case["upper"]))
