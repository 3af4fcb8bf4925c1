"""The figures that answer the thread's question: one minimum, and an exchange."""

import numpy as np
import pytest
from vega import rows_of

from vae.charts.bias import question
from vae.charts.kit.theme import BERNOULLI, GAUSSIAN


def test_three_losses_are_least_at_one_place():
    rows = rows_of(question.build_minimum_chart(), ["loss", "p", "cost"])
    mean = np.mean(question.GREYS)
    for loss in {row["loss"] for row in rows}:
        curve = [row for row in rows if row["loss"] == loss]
        least = min(curve, key=lambda row: row["cost"])
        assert least["p"] == pytest.approx(mean, abs=0.006), loss


def test_a_run_is_drawn_where_its_card_says():
    runs = ((GAUSSIAN, "σ = 1", 6.4, 0.034), (BERNOULLI, "BCE", 24.8, 0.015))
    rows = rows_of(question.build_exchange_chart(runs=runs), ["name", "kl", "mse"])
    assert {(row["name"], row["kl"], row["mse"]) for row in rows} == {run[1:] for run in runs}
