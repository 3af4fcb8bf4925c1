"""Section 0's figures in the Vega runtime, against the theory and against quadrature."""

import math

import numpy as np
import pytest
from scipy import integrate
from vega import evaluate, grid, parameters_of, rows_of

from vae.charts.derivation import evidence as charts
from vae.charts.vega import evidence as ex
from vae.theory.evidence import OnePixel, kl

ROWS = grid(x=[0.0, 0.5, 0.8], sigma=[0.05, 0.3, 2.0], q_mean=[-1.0, 0.5], q_scale=[0.4, 1.0])


def in_vega(expression):
    """``expression`` at every row, whose dials it reads by name."""
    names = ("x", "sigma", "q_mean", "q_scale")
    return [evaluate(expression, [{"row": 0}], {n: row[n] for n in names})[0] for row in ROWS]


def test_every_term_of_the_bound_is_the_theorys():
    want = {"e": [], "kl": [], "gap": [], "evidence": [], "elbo": []}
    for row in ROWS:
        pixel = OnePixel(row["x"], row["sigma"])
        q = row["q_mean"], row["q_scale"]
        want["e"].append(pixel.expected_log_likelihood(*q))
        want["kl"].append(kl(*q))
        want["gap"].append(pixel.gap(*q))
        want["evidence"].append(pixel.log_evidence)
        want["elbo"].append(pixel.elbo(*q))
    pairs = ((ex.EXPECTED, "e"), (ex.KL, "kl"), (ex.GAP, "gap"), (ex.LOG_EVIDENCE, "evidence"))
    for expression, name in (*pairs, (ex.ELBO, "elbo")):
        np.testing.assert_allclose(in_vega(expression), want[name], rtol=1e-9, atol=1e-9)


def test_the_area_that_is_drawn_is_the_evidence():
    chart = charts.build_area_chart(x=0.8, sigma=0.3)
    rows = rows_of(chart, ["z", "height"])
    count = len(rows) // 4
    product = rows[:count]
    area = integrate.trapezoid([r["height"] for r in product], [r["z"] for r in product])
    assert math.log(area) == pytest.approx(OnePixel(0.8, 0.3).log_evidence, abs=1e-4)
    texts = " ".join(str(row["readout"]) for row in rows_of(chart, ["readout"]))
    assert f"p(x) = {area:.3f}" in texts


def test_the_dials_close_the_gap():
    mean, scale = OnePixel(0.8, 0.3).posterior
    chart = charts.build_posterior_chart(x=0.8, sigma=0.3, q_mean=0.0, q_scale=1.0)
    known = parameters_of(chart)
    [open_gap] = evaluate(ex.GAP, [{"row": 0}], known)
    closed = known | {"q_mean": mean, "log10_q_scale": math.log10(scale)}
    [closed_gap] = evaluate(ex.GAP, [{"row": 0}], closed)
    assert open_gap > 0.1
    assert closed_gap == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("sigma", [0.01, 0.3, 20.0])
def test_the_bars_add_up_to_log_p(sigma):
    chart = charts.build_bound_chart(x=0.8, sigma=sigma, q_mean=0.4, q_scale=0.9)
    # Five rows in order, each read by its bar, its number and once more by Vega.
    words = [row["words"] for row in rows_of(chart, ["start", "end", "words"])]
    expected, to_prior, bound, gap, evidence = (
        float(str(text).replace("−", "-")) for text in words[:: len(words) // 5]
    )
    assert expected + to_prior == pytest.approx(bound, abs=2e-3)
    assert bound + gap == pytest.approx(evidence, abs=2e-3)
    assert evidence == pytest.approx(OnePixel(0.8, sigma).log_evidence, abs=1e-3)
