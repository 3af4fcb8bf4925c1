"""The Vega expressions that browsers draw, in Vega, against numpy and torch to 1e-9."""

import numpy as np
import pytest
import torch
from vega import evaluate, grid

from vae.charts.vega import bernoulli as ex
from vae.theory import bernoulli as b
from vae.theory import continuous_bernoulli as cb
from vae.theory import counter_biased, early_stopping, pull

ROWS = grid(t=[0.0, 0.02, 0.3, 0.5, 0.8, 1.0], p=[0.001, 0.2, 0.5, 0.8001, 0.999])
INNER = [row for row in ROWS if 0 < row["t"] < 1]
LOGITS = grid(
    t=[0.0, 0.3, 0.8, 1.0],
    a=[
        -5120.0,
        -512.0,
        -30.0,
        -3.0,
        -0.051,
        -0.049,
        -1e-6,
        1e-6,
        0.0499,
        0.0501,
        2.0,
        30.0,
        512.0,
        5120.0,
    ],
)


def column(rows, name):
    return np.array([row[name] for row in rows])


def check(expression, rows, want, atol=1e-9):
    np.testing.assert_allclose(evaluate(expression, rows), want, rtol=1e-9, atol=atol)


def test_bce_its_floor_and_its_excess():
    t, p = column(ROWS, "t"), column(ROWS, "p")
    check(ex.entropy("datum.t"), ROWS, b.bernoulli_entropy(t))
    torch_bce = torch.nn.functional.binary_cross_entropy(
        torch.from_numpy(p), torch.from_numpy(t), reduction="none"
    )
    check(ex.bce("datum.t", "datum.p"), ROWS, torch_bce.numpy())
    check(ex.excess("datum.t", "datum.p"), ROWS, b.kl_bernoulli(t, p))


def test_functions_of_the_logit():
    t, a = column(LOGITS, "t"), column(LOGITS, "a")
    torch_bce = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.from_numpy(a), torch.from_numpy(t), reduction="none"
    )
    check(ex.bce_with_logits("datum.t", "datum.a"), LOGITS, torch_bce.numpy())
    check(ex.sigmoid("datum.a"), LOGITS, torch.sigmoid(torch.from_numpy(a)).numpy())
    check(ex.bce_gradient("datum.t", "datum.a"), LOGITS, early_stopping.bce_gradient(t, a))
    for scale in (early_stopping.CODE_SCALE, 0.1):
        gradient = ex.mse_gradient("datum.t", "datum.a", repr(scale))
        check(gradient, LOGITS, early_stopping.mse_gradient(t, a, scale))
    check(ex.cb_mean("datum.a"), LOGITS, cb.mean(a))
    check(ex.cb_log_normaliser("datum.a"), LOGITS, cb.log_normaliser(a))
    check(ex.cb_log_prob("datum.t", "datum.a"), LOGITS, cb.log_prob(t, a))


def test_costs_under_output_noise():
    rows = grid(t=[0.1, 0.5, 0.8], p=[0.3, 0.5, 0.65], s=[0.002, 0.05, 0.17])
    t, p, s = (column(rows, name) for name in "tps")
    a = f"(datum.s * {3**0.5!r})"
    check(ex.noisy_bce("datum.t", "datum.p", a), rows, pull.noisy_bce(t, p, s))
    check(ex.noisy_loss_one("datum.t", "datum.p", "datum.s"), rows, pull.noisy_loss_one(t, p, s))


def sigmas(name):
    """The further argument of squared error's functions; BCE has none."""
    return [(early_stopping.CODE_SCALE,), (0.1,)] if name.startswith("mse") else [()]


@pytest.mark.parametrize("name", ["bce_time", "mse_time"])
def test_training_times(name):
    rows = grid(t=[0.6, 0.8, 0.98], p=[0.5, 0.52, 0.59])
    for more in sigmas(name):
        want = [float(getattr(early_stopping, name)(row["t"], row["p"], *more)) for row in rows]
        check(getattr(ex, name)("datum.t", "datum.p", *map(repr, more)), rows, want)


@pytest.mark.parametrize("name", ["bce_escape_time", "mse_escape_time"])
def test_escape_times(name):
    rows = grid(start=[-8.0, -2.0], a=[-1.0, 0.0, 5.0])
    for more in sigmas(name):
        want = getattr(early_stopping, name)(column(rows, "start"), column(rows, "a"), *more)
        check(getattr(ex, name)("datum.start", "datum.a", *map(repr, more)), rows, want)


def test_the_family_of_losses():
    rows = grid(t=[0.01, 0.3, 0.8, 0.99], p=[0.01, 0.5, 0.99], g=[-1.0, -0.4, 0.0, 1.0])
    t, p, g = (column(rows, name) for name in "tpg")
    check(ex.counter_biased("datum.t", "datum.p", "datum.g"), rows, counter_biased.loss(t, p, g))


def params(*found):
    return {one.name: {"expr": one.param.to_dict()["expr"]} for group in found for one in group}


@pytest.mark.parametrize("t", [0.05, 0.3, 0.8])
@pytest.mark.parametrize("s", [0.01, 0.1, 0.25])
def test_bisection_finds_the_optimum_under_noise(t, s):
    a = 3**0.5 * s
    steps = ex.bisection("best", "a", "1 - a", lambda p: ex.noisy_bce_slope("t", p, "a"))
    [found] = evaluate("best", [{"row": 0}], {"t": t, "a": a, **params(steps)})
    assert found == pytest.approx(float(pull.bce_optimum(t, s)), abs=1e-9)


def test_bisection_stays_at_an_end_without_a_crossing():
    for slope, want in (("1", 0.2), ("-1", 0.9)):
        steps = ex.bisection("best", "0.2", "0.9", lambda _, slope=slope: slope)
        [found] = evaluate("best", [{"row": 0}], params(steps))
        assert found == pytest.approx(want, abs=1e-9)
