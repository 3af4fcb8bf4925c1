"""A discretised logistic and a sigma for each pixel: read, named, written as an ELBO, trained."""

import numpy as np
import pytest
from scipy.stats import logistic

from vae.engine.training import Trainer
from vae.images.sets import load_images
from vae.web.your_loss import train
from vae.your_loss import Reading, read

KL = "    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())\n"
PLAIN = """def loss(y, {given}x, mu, logvar):
    s = {scale}
    above = torch.sigmoid((x + {half} - y) / s)
    below = torch.sigmoid((x - {half} - y) / s)
    error = -torch.log(above - below + 1e-12)
"""
# As PixelCNN++ and what follows it have it, for pixels between -1 and 1.
SALIMANS = """def loss(y, log_scale, x, mu, logvar):
    inv = torch.exp(-log_scale)
    plus = inv * (x - y + 1. / 255.)
    minus = inv * (x - y - 1. / 255.)
    delta = torch.sigmoid(plus) - torch.sigmoid(minus)
    error = -torch.where(x < -0.999, plus - F.softplus(plus), torch.where(
        x > 0.99, -F.softplus(minus), torch.log(torch.clamp(delta, min=1e-12))))
"""


def found(code: str, **given: object) -> Reading:
    whole = f"{code}{KL}    return error.sum() + 2 * kl\n"
    return read(whole, **{"image": (1, 28, 28), "latents": (20,), "batch": 16, **given})


def plain(scale: str = "0.05", half: str = "1 / 510", **given: object) -> Reading:
    more = "log_scale, " if "log_scale" in scale else ""
    return found(PLAIN.format(scale=scale, half=half, given=more), **given)


def kinds(reading: Reading) -> set[str]:
    return {fault.kind for fault in reading.faults}


def test_a_difference_of_sigmoids_is_a_discretised_logistic() -> None:
    reading = plain()
    assert reading.read
    assert (reading.family, reading.logistic_scale) == (
        "discretised-logistic",
        pytest.approx(0.05),
    )
    assert reading.beta == pytest.approx(2.0)
    assert "discretised logistic" in reading.verdict
    assert "scale 0.05" in reading.verdict
    assert "closed-ends" in kinds(reading)


def test_its_masses_are_those_of_the_logistic() -> None:
    reading = plain()
    assert reading.belief is not None
    curve, cost = reading.belief.densities[0], reading.belief.costs[0]
    errors = np.array(curve.x)
    wanted = logistic.cdf(errors + 1 / 510, scale=0.05) - logistic.cdf(errors - 1 / 510, scale=0.05)
    np.testing.assert_allclose(np.array(curve.y) / 255, wanted, rtol=1e-9)
    np.testing.assert_allclose(np.exp(-np.array(cost.y)), wanted, rtol=1e-9)


def test_a_learned_scale_and_open_ends_are_read_as_they_were_published() -> None:
    reading = found(SALIMANS, data_range=(-1.0, 1.0))
    assert (reading.family, reading.logistic_scale) == ("discretised-logistic", None)
    assert reading.beta == pytest.approx(2.0)
    assert not kinds(reading) & {"closed-ends", "bin-width"}
    assert "learned" in reading.verdict


@pytest.mark.parametrize(("half", "faulty"), [("1 / 510", False), ("1 / 255", True)])
def test_bins_that_are_no_grey_levels_are_a_fault(half: str, faulty: bool) -> None:
    reading = plain(half=half, data_range=(0.0, 1.0))
    assert ("bin-width" in kinds(reading)) is faulty


def test_what_bends_inside_the_sigmoid_is_no_logistic() -> None:
    code = PLAIN.format(scale="0.05", half="1 / 510", given="").replace("- y)", "- y ** 2)")
    assert found(code).family != "discretised-logistic"


WORDS = {
    "import torch": ("torch.sigmoid", "torch.log", "torch.exp", "torch.sum"),
    "import jax\nimport jax.numpy as jnp": ("jax.nn.sigmoid", "jnp.log", "jnp.exp", "jnp.sum"),
    "import tensorflow as tf": ("tf.sigmoid", "tf.math.log", "tf.exp", "tf.reduce_sum"),
    "import numpy as np\nfrom scipy.special import expit": ("expit", "np.log", "np.exp", "np.sum"),
}


@pytest.mark.parametrize("start", WORDS)
def test_what_it_suggests_is_read_as_the_elbo(start: str) -> None:
    sigmoid, log, exp, total = WORDS[start]
    code = f"""{start}
def loss(x_hat, x, mu, logvar):
    s = 0.05
    error = -{log}({sigmoid}((x + 1 / 510 - x_hat) / s) - {sigmoid}((x - 1 / 510 - x_hat) / s))
    kl = -0.5 * {total}(1 + logvar - mu**2 - {exp}(logvar))
    return {total}(error) + 2 * kl
"""
    sizes = {"image": (28, 28, 1), "latents": (20,), "batch": 16}
    first = read(code, **sizes)
    assert first.family == "discretised-logistic", first.message
    body = "\n".join(f"    {line}" for line in first.suggestion.splitlines())
    again = read(f"{start}\ndef f(x_hat, x, mu, logvar):\n{body}\n    return loss\n", **sizes)
    assert again.read, f"{again.message}\n{body}"
    assert (again.family, again.beta) == ("discretised-logistic", pytest.approx(1.0))
    assert again.logistic_scale == pytest.approx(0.05)
    assert not kinds(again) & {"closed-ends", "bin-width"}


PER_PIXEL = {
    "by name": "def loss(y, x_logvar, x, mu, logvar):\n"
    "    error = 0.5 * ((x - y) ** 2 / x_logvar.exp() + x_logvar)\n",
    "of torch": "def loss(y, y_logvar, x, mu, logvar):\n"
    "    error = F.gaussian_nll_loss(y, x, y_logvar.exp(), reduction='none')\n",
    "of the decoder": "def loss(self, x, z, mu, logvar):\n"
    "    y, spread = self.decoder(z)\n"
    "    error = -torch.distributions.Normal(y, torch.exp(spread)).log_prob(x)\n",
}


@pytest.mark.parametrize("name", PER_PIXEL)
def test_a_scale_beside_the_output_is_one_a_pixel(name: str) -> None:
    reading = found(PER_PIXEL[name])
    assert (reading.family, reading.scale_per_pixel) == ("gaussian-learned", True)
    assert "one sigma a pixel" in reading.verdict
    assert reading.train_elbo is not None
    assert reading.train_elbo["likelihood"] == "gaussian-per-pixel"
    assert "-4" in reading.suggestion


def test_a_parameter_is_one_scale_for_all() -> None:
    reading = found(
        "def loss(self, y, x, mu, logvar):\n"
        "    error = 0.5 * ((x - y) / self.log_sigma.exp()) ** 2 + self.log_sigma\n"
    )
    assert (reading.family, reading.scale_per_pixel) == ("gaussian-learned", False)
    assert reading.train_elbo is not None
    assert reading.train_elbo["likelihood"] == "gaussian-learned"


@pytest.mark.parametrize(
    ("code", "likelihood"),
    [(SALIMANS, "discretised-logistic"), (PER_PIXEL["by name"], "gaussian-per-pixel")],
)
def test_the_trainer_takes_what_was_read(code: str, likelihood: str) -> None:
    pair = train.pair_of(found(code, data_range=(-1.0, 1.0)))
    assert pair is not None
    assert pair.config.likelihood == likelihood
    trainer = Trainer(pair.config, load_images(pair.config))
    assert trainer.config.likelihood == likelihood


def test_a_fixed_scale_is_not_trained_and_the_page_says_why() -> None:
    reading = plain()
    assert train.pair_of(reading) is None
    assert "learns the scale" in train.why_not(reading)
