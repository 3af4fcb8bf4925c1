"""What reaches a loss is read, said or asked for: no term and no weight is dropped in silence."""

import math

import pytest

from vae.your_loss import Reading, read

_TERMS = """
import torch
import torch.nn.functional as F

class Model:
    def compute(self, x_hat, x, mu, logvar):
        recon = F.mse_loss(x_hat, x, reduction="sum")
        kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        return {given}

    def training_step(self, batch):
        x, y = batch
        x_hat, mu, logvar = self(x)
        {taken} = self.compute(x_hat, x, mu, logvar)
        loss = {whole}
        {more}
        {last}
"""
_FORMS = {
    "two terms": {"given": "recon, kl", "taken": "recon, kl", "whole": "recon + kl"},
    "one loss": {"given": "recon + kl", "taken": "loss", "whole": "loss"},
}
_LASTS = ("loss.backward()", "return loss")
_WAYS = (
    "loss = loss + {term}",
    "loss = sum(each for each in [loss, {term}])",
    "loss = sum(v for v in [loss, {term}])",
    "loss = mixed(loss, {term})",
    "loss = loss + ({term} if self.more else 0)",
)
_MORE = (
    "lpips(x_hat, x)",
    "0.1 * F.cross_entropy(classify(x_hat), y)",
    "self.weight * contrast(mu)",
    "3.0 * mu.pow(2).sum()",
    "F.l1_loss(x_hat, x)",
    "F.mse_loss(x_hat2, x2)",
)


def _read(form: str, more: str, last: str) -> Reading:
    code = _TERMS.format(**_FORMS[form], more=more, last=last)
    return read(code, image=784, latents=20, batch=64)


@pytest.mark.parametrize("form", _FORMS)
@pytest.mark.parametrize("last", _LASTS)
def test_a_term_more_is_read_or_said(form: str, last: str) -> None:
    plain = _read(form, "pass", last)
    assert plain.sigma2 == pytest.approx(0.5)
    assert not plain.unknown
    for way in _WAYS:
        for term in _MORE:
            found = _read(form, way.format(term=term), last)
            same = found.sigma2 is not None and math.isclose(found.sigma2, 0.5)
            assert not (found.read and same) or found.unknown, (way, term)


@pytest.mark.parametrize("form", _FORMS)
def test_a_weight_of_the_caller_without_a_value_is_asked_for(form: str) -> None:
    kl = "kl" if form == "two terms" else "self.compute(x_hat, x, mu, logvar)"
    found = _read(form, f"loss = F.mse_loss(x_hat, x) + self.beta * {kl}", "loss.backward()")
    assert not found.read
    assert "self.beta" in found.message or "no " in found.message


def test_a_term_among_those_returned_that_is_not_known_is_said() -> None:
    code = """
import torch
import torch.nn.functional as F

def terms(x_hat, x, mu, logvar, words):
    recon_loss = F.mse_loss(x_hat, x, reduction="sum")
    kl_loss = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    word_loss = spelled(words, mu)
    return recon_loss, kl_loss, word_loss
"""
    found = read(code, image=784, latents=20, batch=64)
    assert not found.read or any("word_loss" in item.name for item in found.unknown)


_SERIES = """
from keras.layers import Input, Dense
from keras.losses import mse
from keras import backend as K

inputs = Input(shape=({shape}))
z_mean = Dense(8)(inputs)
z_log_var = Dense(8)(inputs)
z = z_mean + K.exp(0.5 * z_log_var) * K.random_normal(shape=(K.shape(z_mean)[0], 8))
outputs = decoder(z)
reconstruction_loss = {error}
kl_loss = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
vae_loss = K.mean(reconstruction_loss + 0.2 * kl_loss)
vae.add_loss(vae_loss)
"""


def test_an_error_for_each_step_of_a_series_does_not_stand_beside_a_kl_for_each_series() -> None:
    """(batch, steps) and (batch,) go together for no batch but one of as many as the steps."""
    code = _SERIES.format(shape="12, 5", error="mse(inputs, outputs) * 5")
    for image in ("12x5", None):
        found = read(code, image=image, latents=8, batch=64)
        assert not found.read
        assert "do not go together" in found.message


def test_a_picture_that_enters_in_rows_is_read_in_rows() -> None:
    rows = _SERIES.format(shape="60,", error="mse(inputs, outputs) * 60")
    assert read(rows, image="12x5", latents=8, batch=64).sigma2 == pytest.approx(0.1)
    flat = _SERIES.format(shape="12, 5", error="mse(K.flatten(inputs), K.flatten(outputs)) * 60")
    assert read(flat, image="12x5", latents=8, batch=64).sigma2 == pytest.approx(0.1)


_WEIGHED = """
def loss_function(x_hat, x, mu, logvar, y, class_weights):
    recon = F.mse_loss(x_hat, x, reduction="none").sum(dim=1)
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1)
    return {whole}
"""


def test_a_weight_of_both_parts_alike_is_not_asked_for() -> None:
    both = "(class_weights[y] * (recon + 0.5 * kl)).mean()"
    found = read(_WEIGHED.format(whole=both), image=784, latents=20, batch=64)
    assert found.read
    assert found.sigma2 == pytest.approx(0.25)
    assert found.rate is None
    assert any("multiplies the whole loss" in item.text for item in found.unknown)


@pytest.mark.parametrize(
    "whole",
    [
        "(class_weights[y] * recon + 0.5 * kl).mean()",
        "(recon + class_weights[y] * kl).mean()",
        "(class_weights[y] * (recon + kl)).mean() + kl.mean()",
    ],
)
def test_a_weight_of_one_part_is_asked_for(whole: str) -> None:
    found = read(_WEIGHED.format(whole=whole), image=784, latents=20, batch=64)
    assert not found.read
    assert "class_weights" in found.message


def test_a_weight_of_the_kl_beside_a_cross_entropy_of_classes_is_asked_for() -> None:
    code = """
def total_loss(mean, logvar, labels, logits, weight):
    kl = 0.5 * tf.reduce_sum(tf.square(mean) + tf.exp(logvar) - logvar - 1, axis=1)
    error = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return weight * tf.reduce_mean(kl) + tf.reduce_mean(tf.reduce_sum(error, axis=1))
"""
    for image in ((28, 28, 1), (28, 28), (784,)):
        found = read(code, image=image, latents=(8,))
        assert not found.read
        assert "weight" in found.message
