"""Checks of B15 to B26 and B28: losses without a KL, beside one, and on greys."""

import math
from functools import partial

import numpy as np

from vae.ledger.checks.evidence import Evidence
from vae.ledger.checks.numeric import lowest, slope
from vae.shipped import cards
from vae.theory import bernoulli, counter_biased, early_stopping, gaussian, pull

SHIPPED = "cards of the shipped runs"
# Two hundred greys, most of them bright.
TARGETS = np.random.default_rng(1).beta(2.0, 0.8, size=200).clip(0.01, 0.99)


def least_of(loss: str) -> float:
    """The single output of least mean loss for ``TARGETS``."""
    costs = {
        "squared error": lambda p: bernoulli.squared_error(TARGETS, p).mean(),
        "BCE": lambda p: bernoulli.bce(TARGETS, p).mean(),
        "L₁": lambda p: counter_biased.loss_one(TARGETS, p).mean(),
    }
    # L₁ is flat near the ends: its own minimum is searched where it is a bowl.
    return lowest(costs[loss], 0.4, 0.95)


def title_question() -> Evidence:
    least = {loss: least_of(loss) for loss in ("squared error", "BCE", "L₁")}
    shipped = cards.load_cards()
    kls = [
        shipped[f"mnist-{name}"].test_kl for name in ("bernoulli", "gaussian", "gaussian-optimal")
    ]
    figure = (
        "least mean loss at "
        + ", ".join(f"{place:.4f} ({loss})" for loss, place in least.items())
        + f"; beside a KL: {kls[0]:.0f} nats (BCE), {kls[1]:.0f} (σ = 1), {kls[2]:.0f} (best σ)"
    )
    agree = all(abs(place - TARGETS.mean()) < 1e-4 for place in least.values())
    return Evidence(figure, agree and kls[2] > 5 * kls[1], SHIPPED)


def does_it_matter() -> Evidence:
    names = ("gaussian", "bernoulli", "gaussian-optimal")
    runs = [cards.load_cards()[f"mnist-{name}"] for name in names]
    kls, errors = [run.test_kl for run in runs], [run.test_mse for run in runs]
    figure = (
        f"MNIST, one network, one seed: KL from {min(kls):.0f} to {max(kls):.0f} nats, squared "
        f"error from {min(errors):.4f} to {max(errors):.4f} a pixel"
    )
    return Evidence(figure, max(kls) > 5 * min(kls) and max(errors) > 2 * min(errors), SHIPPED)


def sigmoid_needed() -> Evidence:
    free = slope(lambda p: float(bernoulli.squared_error(0.8, p)) / 2, 0.01)
    through = float(early_stopping.mse_gradient(0.8, bernoulli.logit(0.01), 1.0))
    figure = (
        f"an output of 1.1 makes BCE ask for the logarithm of {1 - 1.1:.1f}; for squared error a "
        f"free output at 0.01 feels {abs(free):.2f}, one behind a sigmoid {abs(through):.4f}"
    )
    return Evidence(figure, abs(free + 0.79) < 1e-6 and abs(through) < 0.02 * abs(free))


def always_mse() -> Evidence:
    binary = np.repeat([1.0, 0.0], [30, 70])
    least = lowest(lambda p: bernoulli.squared_error(binary, p).mean(), 0.01, 0.99)
    slow = float(early_stopping.mse_escape_time(-5.0, 0.0)) / float(
        early_stopping.bce_escape_time(-5.0, 0.0)
    )
    figure = (
        f"30 whites of 100: least squared error at p = {least:.3f}; out of a confident error at "
        f"σ = 0.707 it takes {slow:.0f} times as long as BCE"
    )
    return Evidence(figure, abs(least - 0.3) < 1e-6 and slow > 10)


def labels_need_not_be_probabilities() -> Evidence:
    least = least_of("BCE")
    figure = f"200 greys of mean {TARGETS.mean():.4f}: BCE is least at p = {least:.4f}"
    return Evidence(figure, abs(least - TARGETS.mean()) < 1e-6)


def averaging_is_blur() -> Evidence:
    edge = np.array([0.0, 1.0])
    squared = lowest(lambda p: bernoulli.squared_error(edge, p).mean(), 0.01, 0.99)
    bce = lowest(lambda p: bernoulli.bce(edge, p).mean(), 0.01, 0.99)
    figure = f"a pixel that is black or white: best output {squared:.3f} (MSE), {bce:.3f} (BCE)"
    return Evidence(figure, abs(squared - 0.5) < 1e-6 and abs(bce - 0.5) < 1e-6)


def no_push_at_the_target() -> Evidence:
    ratios = [float(bernoulli.excess_ratio(0.8, h)) for h in (0.1, 0.01, 0.001)]
    push = float(early_stopping.bce_gradient(0.8, bernoulli.logit(0.8)))
    figure = (
        "away / toward ½ at t = 0.8: "
        + ", ".join(
            f"{ratio:.3f} for h = {h}" for ratio, h in zip(ratios, (0.1, 0.01, 0.001), strict=True)
        )
        + f"; gradient at the target {abs(push):.4f}"
    )
    return Evidence(figure, ratios[0] > 1.5 and abs(ratios[2] - 1) < 0.01 and abs(push) < 1e-12)


def two_bells(error: float, apart: float, scale: float) -> float:
    """−log of half a Gaussian at each side of the target."""
    sides = gaussian.gaussian_log_prob(error, np.array([-apart, apart]), scale)
    return -float(np.logaddexp(*sides) - math.log(2))


def bimodal_gaussian() -> Evidence:
    near, far = (lowest(partial(two_bells, apart=a, scale=0.1), 0.0, 0.6) for a in (0.05, 0.3))
    lean = two_bells(0.2, 0.3, 0.1) - two_bells(-0.2, 0.3, 0.1)
    figure = (
        f"bells 0.05 apart from t, σ = 0.1: least {near:.3f} from it; 0.3 apart: {far:.3f} from "
        f"it; either side costs the same ({lean:.3f})"
    )
    return Evidence(figure, near < 1e-3 and far > 0.25 and abs(lean) < 1e-9)


def hard_edges() -> Evidence:
    soft = np.linspace(0.05, 0.95, 11)
    noise = 0.14
    fits = {
        "MSE": pull.mse_optimum(soft, noise),
        "BCE": pull.bce_optimum(soft, noise),
        "L₁": pull.loss_one_optimum(soft, noise),
    }
    steps = {loss: float(np.diff(fit).max()) for loss, fit in fits.items()}
    figure = "steepest step of a soft edge under output noise of 0.14: " + ", ".join(
        f"{step:.3f} ({loss})" for loss, step in steps.items()
    )
    return Evidence(figure, steps["L₁"] > 1.2 * steps["MSE"] and steps["MSE"] > steps["BCE"])


def both_converge() -> Evidence:
    runs = [cards.load_cards()[name] for name in ("mnist-bernoulli", "mnist-gaussian-optimal")]
    falls = [run.history[0].test_mse / run.history[-1].test_mse for run in runs]
    figure = (
        f"squared error after the last epoch: {runs[0].test_mse:.4f} (BCE), "
        f"{runs[1].test_mse:.4f} (MSE, best σ), {falls[0]:.1f} and {falls[1]:.1f} times less than "
        "after the first"
    )
    return Evidence(figure, min(falls) > 1.5, SHIPPED)


def range_of_the_data() -> Evidence:
    counts = np.array(cards.data_summary("mnist").grey_counts)
    levels = np.flatnonzero(counts)
    figure = (
        f"MNIST's pixels take {len(levels)} values, from {levels.min()} to {levels.max()} of 255"
    )
    inside = levels.min() == 0 and levels.max() == 255 and len(levels) == 256
    return Evidence(figure, bool(inside), "counts of the training set, shipped")


def greys_as_draws() -> Evidence:
    p = np.linspace(0.05, 0.95, 19)
    drawn = 0.3 * bernoulli.bce(1.0, p) + 0.7 * bernoulli.bce(0.0, p)
    apart = float(np.abs(bernoulli.bce(0.3, p) - drawn).max())
    figure = (
        f"BCE on a grey of 0.3 less the mean BCE of drawing white with 0.3: {apart:.4f} nats at 19 "
        "outputs"
    )
    return Evidence(figure, apart < 1e-9)


def pixels_hang_together() -> Evidence:
    mnist = cards.data_summary("mnist")
    largest, single = mnist.eigenvalues[0], max(mnist.pixel_variances)
    figure = (
        f"largest eigenvalue of MNIST's covariance {largest:.2f}; independent pixels would have "
        f"at most {single:.2f}, the largest variance of one"
    )
    return Evidence(figure, largest > 10 * single, "figures of the training set, shipped")
