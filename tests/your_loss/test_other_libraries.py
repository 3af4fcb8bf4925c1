"""Losses and densities of Chainer, Theano and MXNet: what each divides by."""

import pytest

from vae import your_loss

CHAINER = """
import chainer
import chainer.functions as F
import chainer.distributions as D

def loss(x, mu, ln_var):
    logits = decode(F.gaussian(mu, ln_var))
    return {error} + {kl}
"""
SUMMED = "F.gaussian_kl_divergence(mu, ln_var) / 16"


@pytest.mark.parametrize(
    ("error", "kl", "beta"),
    [
        ("F.bernoulli_nll(x, logits) / 16", SUMMED, 1.0),
        ("F.bernoulli_nll(x, logits, reduce='mean')", SUMMED, 784.0),
        ("F.sigmoid_cross_entropy(logits, x)", SUMMED, 784.0),
        ("F.sigmoid_cross_entropy(logits, x, normalize=False)", SUMMED, 1.0),
        ("F.sum(F.sigmoid_cross_entropy(logits, x, reduce='no')) / 16", SUMMED, 1.0),
        (
            "-F.sum(D.Bernoulli(logit=logits).log_prob(x)) / 16",
            "3 * F.sum(chainer.kl_divergence(D.Normal(mu, log_scale=0.5 * ln_var), "
            "D.Normal(np.zeros(8, np.float32), np.ones(8, np.float32)))) / 16",
            3.0,
        ),
    ],
)
def test_chainer(error: str, kl: str, beta: float) -> None:
    code = CHAINER.format(error=error, kl=kl)
    found = your_loss.read(code, image=(784,), latents=(8,), batch=16)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(beta))


@pytest.mark.parametrize(
    ("error", "sigma2"),
    [
        ("F.mean_squared_error(y, x)", 392.0),
        ("F.sum(F.squared_error(y, x)) / 16", 0.5),
        ("F.gaussian_nll(x, y, np.zeros_like(x.array)) / 16", 1.0),
    ],
)
def test_errors_of_chainer(error: str, sigma2: float) -> None:
    code = CHAINER.replace("logits", "y").format(error=error, kl=SUMMED)
    found = your_loss.read(code, image=(784,), latents=(8,), batch=16)
    assert found.sigma2 == pytest.approx(sigma2)


@pytest.mark.parametrize(
    ("head", "error", "beta"),
    [
        ("import theano.tensor as T", "T.sum(T.nnet.binary_crossentropy(y, x), axis=1)", 1.0),
        ("from theano.tensor import nnet", "nnet.binary_crossentropy(y, x).mean(axis=1)", 784.0),
        (
            "from mxnet import gluon",
            "gluon.loss.SigmoidBinaryCrossEntropyLoss(from_sigmoid=True)(y, x)",
            784.0,
        ),
    ],
)
def test_theano_and_mxnet(head: str, error: str, beta: float) -> None:
    code = f"""
{head}
import numpy as np

def loss(x, y, mu, logvar):
    kl = -0.5 * np.sum(1 + logvar - mu ** 2 - np.exp(logvar), axis=1)
    return ({error} + kl).mean()
"""
    found = your_loss.read(code, image=(784,), latents=(8,), batch=16)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(beta))


def test_half_the_square_of_gluon() -> None:
    code = """
from mxnet import gluon
l2 = gluon.loss.L2Loss()

def loss(x, y, mu, logvar):
    kl = -0.5 * mx.nd.sum(1 + logvar - mu ** 2 - mx.nd.exp(logvar), axis=1)
    return l2(y, x) * 784 + kl
"""
    found = your_loss.read(code, image=(784,), latents=(8,), batch=16)
    assert found.sigma2 == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("error", "beta"),
    [
        ('nn.losses.binary_cross_entropy(y, x, reduction="sum") / 16', 1.0),
        ("nn.losses.binary_cross_entropy(y, x, with_logits=False)", 784.0),
    ],
)
def test_mlx(error: str, beta: float) -> None:
    code = f"""
import mlx.core as mx
import mlx.nn as nn

def loss_fn(model, x):
    y, mu, logvar = model(x)
    kl = -0.5 * mx.sum(1 + logvar - mu.square() - logvar.exp(), axis=1)
    return {error} + mx.mean(kl)
"""
    found = your_loss.read(code, image=(784,), latents=(8,), batch=16)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(beta))


def test_a_size_of_nought_is_the_old_one() -> None:
    code = """
class Net(gluon.HybridBlock):
    def hybrid_forward(self, F, x):
        mu, lv = self.mean(x), self.logvar(x)
        y = self.decoder(mu + F.exp(0.5 * lv) * F.random_normal(shape=(100, 2)))
        y, x = y.reshape((0, -1)), x.reshape((0, -1))
        kl = 0.5 * F.sum(mu * mu + F.exp(lv) - lv - 1, axis=1)
        return F.sum((y - x) ** 2, axis=1) + kl
"""
    found = your_loss.read(code, image=(1, 28, 28), latents=(8,), batch=16)
    assert found.sigma2 == pytest.approx(0.5)


@pytest.mark.parametrize("last", ["T.grad(-elbo, weights)", "lasagne.updates.adam(-elbo, weights)"])
def test_gradients_of_theano(last: str) -> None:
    code = f"""
import theano.tensor as T
import lasagne

class VAE:
    def build(self):
        x = T.matrix("x")
        mu, log_sigma = self.encoder(x)
        y = self.decoder(mu + T.exp(log_sigma) * self.noise)
        kl = 0.5 * T.sum(mu ** 2 + T.exp(2 * log_sigma) - 2 * log_sigma - 1)
        elbo = -T.sum(T.nnet.binary_crossentropy(y, x)) - 2 * kl
        updates = {last}
"""
    found = your_loss.read(code, image=(784,), latents=(8,))
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(2.0))
