"""The figure of losses as beliefs: what browsers compute is what theory says."""

import numpy as np
import pytest
from vega import evaluate, grid, rows_of

from vae.charts import beliefs
from vae.charts.vega import costs as vega
from vae.theory import costs

OPENING = {dial.name: dial.default for dial in beliefs.DIALS}


@pytest.mark.parametrize("family", costs.COSTS)
def test_costs_are_theorys(family):
    rows = grid(x=[0.0, 0.2, 0.55, 1.0], y=[0.05, 0.3, 0.9])
    got = evaluate(vega.COSTS[family]("datum.x", "datum.y", "0.12"), rows)
    want = [
        float(costs.COSTS[family](np.array(row["x"]), np.array(row["y"]), 0.12)) for row in rows
    ]
    assert got == pytest.approx(want, abs=1e-12)


@pytest.mark.parametrize("family", costs.COSTS)
def test_the_best_output_is_where_the_expected_cost_is_least(family):
    chart = beliefs.build_best_output_chart(family=family, **OPENING)
    for moved in ({}, {"bright": 0.6, "place": 0.6}, {"log10_spread": -1.4}):
        drawn = rows_of(chart, ["y", "excess"], moved)
        found = next(row["y"] for row in drawn if row["excess"] == 0)
        settings = {**OPENING, **moved}
        width = 10 ** moved["log10_spread"] if "log10_spread" in moved else OPENING["spread"]
        greys, outputs = np.linspace(0, 1, beliefs.TARGETS), np.linspace(0, 1, beliefs.OUTPUTS)
        outputs = np.clip(outputs, 0.005, 0.995)
        weights = costs.target_weights(greys, settings["bright"], settings["place"])
        cost = costs.expected_cost(family, outputs, greys, weights, width)
        assert found == pytest.approx(outputs[cost.argmin()], abs=1e-9)


def test_the_targets_mean_median_and_mode_are_marked():
    chart = beliefs.build_best_output_chart(family="laplace", **OPENING)
    words = {row["words"] for row in rows_of(chart, ["words", "x"])}
    greys = np.linspace(0, 1, 201)
    weights = costs.target_weights(greys, OPENING["bright"], OPENING["place"])
    median = greys[np.searchsorted(weights.cumsum(), weights.sum() / 2)]
    assert f"mean {greys @ weights / weights.sum():.2f}" in words
    assert f"median {median:.2f}" in words
    assert f"mode {greys[weights.argmax()]:.2f}" in words


def test_a_belief_is_its_cost_turned_round():
    chart = beliefs.build_density_chart(family="student-t", **OPENING)
    for row in rows_of(chart, ["x", "height"])[::20]:
        cost = costs.COSTS["student-t"](np.array(row["x"]), np.array(0.4), 0.1)
        assert row["height"] == pytest.approx(float(np.exp(-cost)), abs=1e-9)
