"""BCE's closed forms against torch, autograd, quadrature and root finding."""

import numpy as np
import pytest
import torch
from scipy import integrate, optimize

from vae.theory import bernoulli as b
from vae.theory import early_stopping

GRID = np.linspace(0.02, 0.98, 25)
T, P = np.meshgrid(GRID, GRID)


def test_bce_and_its_excess_are_torchs():
    t, p = torch.from_numpy(T), torch.from_numpy(P)
    want = torch.nn.functional.binary_cross_entropy(p, t, reduction="none").numpy()
    np.testing.assert_allclose(b.bce(T, P), want, rtol=1e-12)
    kl = torch.distributions.kl_divergence(
        torch.distributions.Bernoulli(t), torch.distributions.Bernoulli(p)
    )
    np.testing.assert_allclose(b.kl_bernoulli(T, P), kl.numpy(), atol=1e-12)


def test_the_ends_have_their_limits():
    np.testing.assert_array_equal(b.bernoulli_entropy(np.array([0.0, 1.0])), [0, 0])
    assert b.bce(1.0, 1.0) == 0
    assert b.bce(1.0, 0.0) == np.inf
    assert b.bce(0.0, 0.3) == pytest.approx(-np.log(0.7), rel=1e-14)


def test_bce_from_logits_holds_where_sigmoids_round():
    logits = np.array([-800.0, -40.0, -1.0, 0.0, 3.0, 40.0, 800.0])
    for t in (0.0, 0.3, 1.0):
        want = torch.nn.functional.binary_cross_entropy_with_logits(
            torch.from_numpy(logits), torch.full((7,), t, dtype=torch.float64), reduction="none"
        )
        np.testing.assert_allclose(
            b.bce_with_logits(t, logits), want.numpy(), rtol=1e-13, atol=1e-15
        )


def test_minimum_is_the_target_and_the_mean():
    for t in (0.1, 0.5, 0.8):
        found = optimize.minimize_scalar(
            lambda p, t=t: b.bce(t, p), bounds=(1e-6, 1 - 1e-6), options={"xatol": 1e-10}
        )
        assert found.x == pytest.approx(t, abs=1e-6)
    targets = np.random.default_rng(1).beta(0.6, 1.7, 400)
    for cost in (b.bce, b.squared_error):
        found = optimize.minimize_scalar(
            lambda p, cost=cost: cost(targets, p).mean(),
            bounds=(1e-6, 1 - 1e-6),
            options={"xatol": 1e-10},
        )
        assert found.x == pytest.approx(targets.mean(), abs=1e-6)


@pytest.mark.parametrize(
    ("t", "ratio", "raw"), [(0.8, 1.726, 1.035), (0.3, 1.304, 1.010), (0.7, 1.304, 1.010)]
)
def test_the_threads_examples(t, ratio, raw):
    excess = {
        sign: integrate.quad(lambda u: (u - t) / (u * (1 - u)), t, t + sign * 0.1)[0]
        for sign in (1, -1)
    }
    away = 1 if t > 0.5 else -1
    assert b.excess_ratio(t, 0.1) == pytest.approx(excess[away] / excess[-away], rel=1e-9)
    assert float(b.excess_ratio(t, 0.1)) == pytest.approx(ratio, abs=5e-4)
    assert float(b.raw_ratio(t, 0.1)) == pytest.approx(raw, abs=6e-4)


def test_a_mirror_image_outside_the_range_is_refused():
    with pytest.raises(ValueError, match=r"t ± h: .* given; allowed is 0 to 1"):
        b.excess_ratio(0.95, 0.1)
    with pytest.raises(ValueError, match=r"p: 1\.5"):
        b.bce(0.5, 1.5)


def test_the_series_is_right_to_fourth_order():
    for t in (0.3, 0.5, 0.8):
        wide = abs(b.kl_series(t, 0.02) - b.kl_bernoulli(t, t + 0.02))
        narrow = abs(b.kl_series(t, 0.01) - b.kl_bernoulli(t, t + 0.01))
        # The remainder is of fifth order (sixth at 1/2): halving h divides it by 32 at least.
        assert wide / narrow > 25


def test_double_mse_and_where_it_goes_wrong():
    for h, percent in ((0.05, 0.5), (0.1, 2.1), (0.2, 9.0), (0.3, 24.0), (0.4, 59.6)):
        exact = b.kl_bernoulli(0.5, 0.5 + h)
        assert 100 * (exact / (2 * h**2) - 1) == pytest.approx(percent, abs=0.06)
        assert b.double_mse_error(h) == pytest.approx(exact / (2 * h**2) - 1, rel=1e-9)
    for share, gap in ((0.01, 0.070), (0.1, 0.210)):
        found = optimize.brentq(
            lambda h, share=share: b.kl_bernoulli(0.5, 0.5 + h) / (2 * h**2) - 1 - share, 0.01, 0.49
        )
        assert b.half_gap_at_error(share) == pytest.approx(found, rel=1e-9)
        assert found == pytest.approx(gap, abs=5e-4)
    with pytest.raises(ValueError, match="error: 0 given"):
        b.half_gap_at_error(0)


@pytest.mark.parametrize("scale", [early_stopping.CODE_SCALE, 0.1])
def test_logit_gradients_by_autograd(scale):
    a = torch.linspace(-8, 8, 33, dtype=torch.float64, requires_grad=True)
    for t in (0.0, 0.3, 1.0):
        target = torch.full_like(a, t)
        bce = torch.nn.functional.binary_cross_entropy_with_logits(a, target, reduction="sum")
        normal = torch.distributions.Normal(torch.sigmoid(a), scale)
        mse = -normal.log_prob(target).sum()
        logits = a.detach().numpy()
        for loss, ours in (
            (bce, early_stopping.bce_gradient(t, logits)),
            (mse, early_stopping.mse_gradient(t, logits, scale)),
        ):
            [want] = torch.autograd.grad(loss, a)
            np.testing.assert_allclose(ours, want.numpy(), atol=1e-12)
    # Without a scale named, the loss is plain (p - t)^2.
    [plain] = torch.autograd.grad((torch.sigmoid(a) - 0.3).square().sum(), a)
    np.testing.assert_allclose(early_stopping.mse_gradient(0.3, logits), plain.numpy(), atol=1e-14)


def test_the_largest_mse_gradient_is_8_27():
    found = optimize.minimize_scalar(lambda a: early_stopping.mse_gradient(1.0, a), bounds=(-5, 5))
    assert -found.fun == pytest.approx(early_stopping.LARGEST_MSE_GRADIENT, rel=1e-9)
    assert b.sigmoid(found.x) == pytest.approx(1 / 3, abs=1e-4)


def _gradient(loss, scale):
    if loss == "bce":
        return early_stopping.bce_gradient
    return lambda t, a: early_stopping.mse_gradient(t, a, scale)


CASES = [("bce", 1.0), ("mse", early_stopping.CODE_SCALE), ("mse", 0.3), ("mse", 0.1)]


@pytest.mark.parametrize(("loss", "scale"), CASES)
def test_times_are_those_of_the_differential_equation(loss, scale):
    gradient = _gradient(loss, scale)
    more = () if loss == "bce" else (scale,)
    for t, start, end in ((0.8, 0.0, float(b.logit(0.77))), (1.0, -3.0, 1.0)):

        def reached(_, a, end=end):
            return a[0] - end

        reached.terminal = True
        run = integrate.solve_ivp(
            lambda _, a, t=t: -gradient(t, a),
            (0, 1e4),
            [start],
            events=reached,
            rtol=1e-11,
            atol=1e-12,
        )
        if t < 1:
            ours = getattr(early_stopping, f"{loss}_time")(t, b.sigmoid(end), *more)
        else:
            ours = getattr(early_stopping, f"{loss}_escape_time")(start, end, *more)
        assert run.t_events[0][0] == pytest.approx(float(ours), rel=1e-7)


@pytest.mark.parametrize(("loss", "scale"), CASES)
@pytest.mark.parametrize("t", [0.3, 0.5, 0.8])
def test_where_training_stops_is_where_the_differential_equation_is(loss, scale, t):
    gradient = _gradient(loss, scale)
    run = integrate.solve_ivp(lambda _, a: -gradient(t, a), (0, 2), [0.0], rtol=1e-11, atol=1e-12)
    ours = early_stopping.stopped(t, 2.0, loss, scale)
    assert ours == pytest.approx(float(b.sigmoid(run.y[0][-1])), abs=1e-8)


def _kept(loss, scale, t, decay):
    """The output of least loss + decay / 2 a^2, by search."""

    def cost(a):
        p = b.sigmoid(a)
        data = b.bce_with_logits(t, a) if loss == "bce" else (p - t) ** 2 / (2 * scale**2)
        return data + decay / 2 * a**2

    found = optimize.minimize_scalar(cost, bounds=(-1, 3), options={"xatol": 1e-10})
    return float(b.sigmoid(found.x))


@pytest.mark.parametrize(("loss", "scale"), CASES)
@pytest.mark.parametrize("decay", [0.01, 0.1])
def test_decay_is_solved(loss, scale, decay):
    more = () if loss == "bce" else (scale,)
    ours = float(getattr(early_stopping, f"{loss}_decayed")(0.8, decay, *more))
    assert ours == pytest.approx(_kept(loss, scale, 0.8, decay), abs=1e-6)


def test_which_loss_is_held_more_depends_on_sigma():
    """Decay and an early stop hold squared error more at sigma^2 = 1/2, and less at sigma = .1."""
    bce = float(early_stopping.bce_decayed(0.8, 0.1))
    wide, middle, narrow = (
        float(early_stopping.mse_decayed(0.8, 0.1, scale))
        for scale in (early_stopping.CODE_SCALE, 0.3, 0.1)
    )
    assert [round(value, 3) for value in (bce, wide, middle, narrow)] == [
        0.710,
        0.656,
        0.748,
        0.792,
    ]
    assert wide < bce < middle < narrow
    assert early_stopping.stopped(0.8, 2, "mse", 0.3) > early_stopping.stopped(0.8, 2, "bce")
    assert early_stopping.stopped(0.8, 2, "mse") < early_stopping.stopped(0.8, 2, "bce")
    # Out of a confident error: BCE 6.0, squared error 82.9, and 1.66 at sigma = .1.
    escape = [
        float(early_stopping.mse_escape_time(-5, 0, scale))
        for scale in (early_stopping.CODE_SCALE, 0.1)
    ]
    assert escape[1] < float(early_stopping.bce_escape_time(-5, 0)) < escape[0]


@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_adams_steps_are_those_of_torch(loss):
    a = torch.tensor([-5.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([a], lr=0.1)
    steps = 0
    while torch.sigmoid(a).item() < 0.9:
        optimizer.zero_grad()
        error = torch.nn.functional.softplus(-a) if loss == "bce" else 50 * (1 - a.sigmoid()) ** 2
        error.sum().backward()
        optimizer.step()
        steps += 1
    assert early_stopping.adam_steps(loss, -5.0, 0.9) == steps
    assert steps == {"bce": 105, "mse": 66}[loss]


def test_what_adam_cannot_do_is_said():
    with pytest.raises(ValueError, match="'mae' given"):
        early_stopping.adam_steps("mae", -5, 0.9)
    with pytest.raises(ValueError, match="not reached"):
        early_stopping.adam_steps("bce", -5, 1.0, rate=1e-5)
