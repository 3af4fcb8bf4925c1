"""The belief of a reading: densities integrate to one, and the cost is minus their logarithm."""

import numpy as np
import pytest

from vae.your_loss import read

KL = "    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1).mean()\n"
CODES = {
    "gaussian": "F.mse_loss(y, x)",
    "laplace": "F.l1_loss(y, x)",
    "huber": "10 * F.smooth_l1_loss(y, x, reduction='sum') / x.shape[0]",
    "gaussian-learned": "(0.5 * ((x - y) / s.exp()) ** 2 + s).sum(1).mean()",
    "laplace-learned": "((x - y).abs() / s.exp() + s).sum(1).mean()",
    "mixture": "-torch.logsumexp(w - (x[:, None] - y) ** 2, 1).sum(1).mean()",
}


def belief_of(family: str):
    s = "log_sigma_x" if family.endswith("learned") else "s"
    error = CODES[family].replace("s.exp", f"{s}.exp").replace("+ s)", f"+ {s})")
    code = f"def loss(y, x, mu, logvar, w, {s}):\n{KL}    return {error} + kl\n"
    found = read(code, image=784, latents=20, batch=64)
    assert found.family == family, found.verdict
    assert found.belief is not None
    return found.belief


@pytest.mark.parametrize("family", CODES)
def test_the_density_is_that_of_the_cost_and_integrates_to_one(family: str) -> None:
    belief = belief_of(family)
    for cost, density in zip(belief.costs, belief.densities, strict=True):
        x, y = np.array(density.x), np.array(density.y)
        mass = np.trapezoid(y, x)
        # A tail beyond the figure's ends may be missing, nothing may be too much.
        assert 0.85 < mass < 1.01, (cost.name, mass)
        log = np.log(y) + np.array(cost.y)
        assert np.ptp(log) < 1e-9


def test_a_mixture_has_a_valley_for_each_part_and_a_class_its_probability() -> None:
    density = np.array(belief_of("mixture").densities[0].y)
    inner = density[1:-1]
    assert ((inner > density[:-2]) & (inner > density[2:])).sum() == 2
    code = f"def loss(y, x, mu, logvar):\n{KL}    return F.cross_entropy(y, x) + kl\n"
    belief = read(code, image=40, latents=20, batch=64).belief
    assert belief is not None
    assert sum(belief.densities[0].y) == pytest.approx(1.0)
    assert np.allclose(np.exp(-np.array(belief.costs[0].y)), belief.costs[0].x)
