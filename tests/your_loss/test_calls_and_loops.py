"""What calls and loops hand over: lists of outputs, two trainings, densities, layers, padding."""

import pytest

from vae import your_loss

KL = "-0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())"


def test_a_class_that_chooses_its_loss_by_a_text_takes_the_branch_that_is_said() -> None:
    code = """
import numpy as np
import tensorflow as tf
class Net:
    def __init__(self, photo, kind, width=32):
        mu, logvar, rebuilt = self.run(photo)
        if kind == "mean":
            cost = tf.losses.mean_squared_error(photo, rebuilt)
            kl = -tf.reduce_mean(0.5 * (1 + logvar - mu ** 2 - tf.exp(logvar)))
        else:
            log_sigma = tf.Variable(0.0, trainable=kind == "learned")
            cost = tf.reduce_sum(density(rebuilt, log_sigma, photo))
            kl = -tf.reduce_sum(0.5 * (1 + logvar - mu ** 2 - tf.exp(logvar)))
        tf.train.AdamOptimizer(1e-3).minimize((cost + kl) / photo.shape[1].value)
    def run(self, photo):
        h = tf.layers.conv2d(photo, 8, 4)
        mu = tf.layers.dense(h, 20)
        logvar = tf.layers.dense(h, 20)
        z = mu + tf.exp(0.5 * logvar) * tf.random_normal(tf.shape(mu))
        y = tf.nn.relu(tf.contrib.layers.fully_connected(z, 7 * 7 * 64))
        y = tf.reshape(y, [-1, 7, 7, 64])
        photo = tf.tanh(tf.layers.conv2d_transpose(y, 3, 5))
        return mu, logvar, photo
def density(mu, log_sigma, x):
    return 0.5 * ((x - mu) / tf.exp(log_sigma)) ** 2 + log_sigma
"""
    sizes = {"image": (28, 28, 3), "latents": 20, "batch": 8}
    asked = your_loss.read(code, **sizes)
    assert not asked.read
    assert [choice.condition for choice in asked.choices] == ["kind"]
    found = your_loss.read(code, constants={"kind": "mean"}, **sizes)
    assert found.sigma2 == pytest.approx(28 * 28 * 3 / (2 * 20))


@pytest.mark.parametrize("stats", ["jax.scipy.stats.norm", "scipy.stats.norm"])
def test_log_densities_of_scipy_with_many_draws(stats: str) -> None:
    code = f"""
import jax
import jax.numpy as jnp
import scipy
def halves(z):
    return z[:, : z.shape[1] // 2], jnp.exp(z[:, z.shape[1] // 2 :])
def objective(net, key, data, data_variance, draws=30):
    z_params = net.encode(data)
    mean, std = halves(z_params)
    z = jax.random.normal(key, shape=(draws, *mean.shape)) * std + mean
    rebuilt = net.decode(z)
    likelihood = {stats}.logpdf(data, rebuilt, data_variance**0.5).sum(axis=-1)
    prior = {stats}.logpdf(z, 0, 1).sum(axis=-1)
    posterior = {stats}.logpdf(z, mean, std).sum(axis=-1)
    return -(likelihood - posterior + prior).mean()
"""
    sizes = {"image": 12, "latents": 3, "batch": 6}
    asked = your_loss.read(code, **sizes)
    assert not asked.read
    assert "data_variance" in asked.message
    found = your_loss.read(code, constants={"data_variance": 0.3}, **sizes)
    assert (found.family, found.sigma2) == ("gaussian", pytest.approx(0.3))


def test_log_masses_of_scipy() -> None:
    code = """
from jax.scipy.stats import bernoulli
def elbo(net, x, key):
    mu, logvar = net.encode(x)
    y = jax.nn.sigmoid(net.decode(mu + jnp.exp(0.5 * logvar) * jax.random.normal(key, mu.shape)))
    kl = -0.5 * jnp.sum(1 + logvar - mu**2 - jnp.exp(logvar), axis=-1)
    return (bernoulli.logpmf(x, y).sum(-1) - 2 * kl).mean()
"""
    found = your_loss.read(code)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(2.0))


def test_tokens_of_which_padding_is_asked_before_others_are_compared() -> None:
    code = """
import torch
from torch import nn
import torch.nn.functional as F
class Encoder(nn.Module):
    def forward(self, x):
        hidden = self.embed(x)
        kept = (x != self.pad_id).float()
        pooled = (hidden * kept.unsqueeze(-1)).sum(1) / kept.sum(1, keepdim=True)
        return self.to_mu(pooled), self.to_logvar(pooled)
class Songs(nn.Module):
    def __init__(self, floor=0.25, pad_id=0):
        super().__init__()
        self.encoder = Encoder()
        self.floor, self.pad_id = floor, pad_id
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.02)
    def forward(self, enc_input, dec_input, dec_target):
        mu, logvar = self.encoder(enc_input)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu) if torch.is_grad_enabled() else mu
        logits = self.decoder(dec_input, z)
        rows = logits.reshape(-1, logits.size(-1))
        error = F.cross_entropy(rows, dec_target.reshape(-1), ignore_index=self.pad_id)
        kl = 0.5 * (mu.pow(2) + logvar.exp() - 1 - logvar)
        return error + kl.clamp(min=self.floor).mean(), logits
"""
    found = your_loss.read(code, image=(40,), latents=(10,), batch=4)
    assert (found.family, found.beta) == ("categorical", pytest.approx(40 / 10))
    assert "free-bits" in {fault.kind for fault in found.faults}


def test_a_condition_whose_branch_sets_a_weight_is_asked_for_all_the_same() -> None:
    code = f"""
class Trainer:
    def __init__(self, strong):
        self.weight = 1.0
        if strong:
            self.raise_weight()
    def raise_weight(self):
        self.weight = 8.0
    def loss(self, x, y, mu, logvar):
        return F.mse_loss(y, x, reduction="sum") + self.weight * ({KL})
"""
    assert not your_loss.read(code).read


def test_events_and_plates_by_their_old_names() -> None:
    code = """
import pyro
import pyro.distributions as dist
from pyro.infer import SVI, Trace_ELBO
class Digits(nn.Module):
    def model(self, x):
        with pyro.iarange("rows", x.size(0)):
            zeros = x.new_zeros(torch.Size((x.size(0), 20)))
            ones = x.new_ones(torch.Size((x.size(0), 20)))
            z = pyro.sample("z", dist.Normal(zeros, ones).independent(1))
            pyro.sample("x", dist.Bernoulli(self.decoder(z)).independent(1), obs=x)
    def guide(self, x):
        with pyro.iarange("rows", x.size(0)):
            mean, sigma = self.encoder(x)
            pyro.sample("z", dist.Normal(mean, sigma).independent(1))
def epoch(svi, loader):
    total_loss = 0.
    for x, _ in loader:
        total_loss += svi.step(x)
    return total_loss / len(loader.dataset)
net = Digits()
svi = SVI(net.model, net.guide, optimizer, loss=Trace_ELBO())
epoch(svi, loader)
"""
    found = your_loss.read(code)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(1.0))


TRAIN = f"""
def train(model, loader, beta):
    for x in loader:
        y, mu, logvar = model(x)
        loss = F.mse_loss(y, x, reduction="sum") + beta * ({KL})
        loss.backward()
"""
FIT = f"""
class Net(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = beta
    def fit(self, loader):
        for x in loader:
            mu, logvar = self.encode(x)
            y = self.decode(mu)
            loss = F.mse_loss(y, x, reduction="sum") + self.beta * ({KL})
            loss.backward()
"""


@pytest.mark.parametrize(
    "code",
    [
        f"{TRAIN}train(m, l, 6.0)\ntrain(m, l, 2.0)\n",
        f"{FIT}one = Net(beta=6.0)\none.fit(l)\ntwo = Net(beta=2.0)\ntwo.fit(l)\n",
    ],
)
def test_a_weight_of_two_trainings_is_asked_for(code: str) -> None:
    asked = your_loss.read(code)
    assert not asked.read
    assert "beta" in asked.message
    assert your_loss.read(code, constants={"beta": 2.0}).sigma2 == pytest.approx(1.0)
    same = code.replace("6.0", "2.0")
    assert your_loss.read(same).sigma2 == pytest.approx(1.0)


@pytest.mark.parametrize(
    "error",
    [
        "sum(F.mse_loss(a, b) for a, b in zip(y, x))",
        "sum(F.mse_loss(y[i], x[i]) for i in range(len(x)))",
        "sum(F.l1_loss(recon, true) for recon, true in zip(y, x))",
    ],
)
def test_a_mean_of_each_of_two_lists_side_by_side_is_not_read(error: str) -> None:
    code = f"def loss(y, x, mu, logvar):\n    return {error} + {KL}\n"
    assert not your_loss.read(code).read


def test_a_sum_of_each_of_two_lists_side_by_side_is_one_over_all() -> None:
    code = f"""
def loss(model, batch):
    logp, mu, logvar = model(batch)
    error = 0
    for out, tokens in zip(logp, batch):
        error += F.nll_loss(out, tokens, reduction="sum")
    return error + {KL}
"""
    found = your_loss.read(code, image=(30,), latents=(8,), batch=4)
    assert (found.family, found.beta) == ("categorical", pytest.approx(1.0))


@pytest.mark.parametrize("several", ["recons", "ys", "heads"])
def test_errors_of_a_list_of_outputs_count_as_often_as_there_are(several: str) -> None:
    code = f"""
def loss(model, x, {several}, mu, logvar):
    error = 0
    for recon in {several}:
        error += F.mse_loss(recon, x, reduction="sum")
    return error + {KL}
"""
    summed = your_loss.read(code)
    assert not summed.read
    assert "how many" in summed.message


def test_the_mean_of_errors_of_a_list_of_outputs_is_that_of_one() -> None:
    code = f"""
def loss(model, x):
    recons, mu, logvar = model(x)
    error = 0
    for recon in recons:
        error += F.mse_loss(recon, x, reduction="sum")
    return error / len(recons) + {KL}
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


@pytest.mark.parametrize("join", ["torch.cat(steps, dim=1)", "torch.stack(steps, 1)"])
def test_a_list_of_steps_that_is_joined_is_one_output(join: str) -> None:
    code = f"""
def loss(model, x):
    steps, mu, logvar = model(x)
    recon = {join}
    return F.mse_loss(recon, x, reduction="sum") + {KL}
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


@pytest.mark.parametrize("prior", ["Normal(0, 1)", "Normal(0.0, 2.0)"])
def test_a_posterior_of_what_a_network_gives_and_a_prior_of_two_numbers(prior: str) -> None:
    code = f"""
from torch.distributions import Normal, kl_divergence
class Net(nn.Module):
    def loss(self, x):
        q = Normal(*self.encode(x))
        y = self.decode(q.rsample())
        kl = kl_divergence(q, {prior}).sum(1)
        return (((y - x) ** 2).sum(1) + kl).mean()
"""
    found = your_loss.read(code)
    assert found.sigma2 == pytest.approx(0.5)
    assert found.prior_variance == pytest.approx(4.0 if "2.0" in prior else 1.0)


@pytest.mark.parametrize("kind", ["vae", "cvae"])
def test_a_setting_that_is_one_of_several(kind: str) -> None:
    code = f"""
def loss(x, y, mu, logvar, kind):
    error = F.mse_loss(y, x, reduction="sum")
    if kind in ["vae", "cvae"]:
        return error + {KL}
    return error
"""
    assert your_loss.read(code).choices[0].values == ("vae", "cvae")
    assert your_loss.read(code, constants={"kind": kind}).sigma2 == pytest.approx(0.5)


WARM_UP = f"""
WARM, BETA = 10, 3.0
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = 0.0
    def loss(self, x):
        y, mu, logvar = self.run(x)
        return F.mse_loss(y, x, reduction="sum") + self.weight * ({KL})
def train(loader):
    model = Net()
    for epoch in range(100):
        if epoch < WARM:
            model.weight = BETA * epoch / WARM
        else:
            model.weight = BETA
        for x in loader:
            model.loss(x).backward()
"""


def test_a_weight_that_the_training_itself_sets_each_epoch_is_that() -> None:
    assert your_loss.read(WARM_UP).sigma2 == pytest.approx(1.5)


def test_a_weight_that_something_else_sets_too_is_asked_for() -> None:
    callback = "def at_end(model, epoch):\n    model.weight = 0.5\n"
    assert not your_loss.read(WARM_UP + callback).read


def test_a_model_that_is_made_to_be_run_is_read_as_it_is_trained() -> None:
    code = """
import tensorflow as tf
class Net:
    def __init__(self, is_training=True):
        self.is_training = is_training
        self.build()
    def build(self):
        x = tf.placeholder(tf.float32, [None, 784])
        mu, logvar = self.encode(x)
        y = self.decode(mu + tf.exp(logvar / 2) * tf.random_normal(tf.shape(mu)))
        if self.is_training:
            kl = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mu) - tf.exp(logvar), 1)
            error = tf.reduce_sum(tf.square(x - y), 1)
            self.loss = tf.reduce_mean(error + kl)
            tf.train.AdamOptimizer().minimize(self.loss)
player = Net(is_training=False)
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_keras_layers_that_add_the_loss_and_those_that_keep_it() -> None:
    head = """
from tensorflow import keras
from tensorflow.keras import backend as K, layers
def divergence(stats):
    mu, logvar = stats[:, :8], stats[:, 8:]
    return -0.5 * K.mean(K.sum(1 + logvar - K.square(mu) - K.exp(logvar), axis=-1))
class Score(layers.Layer):
    def call(self, x, y, mu, logvar):
        kl = -0.5 * K.sum(1 + logvar - K.square(mu) - K.exp(logvar), axis=-1)
        self.add_loss(K.mean(784 * keras.losses.binary_crossentropy(x, y) + kl))
        return y
x = keras.Input((784,))
h = layers.Dense(64)(x)
"""
    endpoint = f"""{head}
mu, logvar = layers.Dense(8)(h), layers.Dense(8)(h)
y = layers.Dense(784, activation="sigmoid")(mu)
keras.Model(x, Score()(x, y, mu, logvar)).compile("adam")
"""
    assert your_loss.read(endpoint).beta == pytest.approx(1.0)
    kept = f"""{head.split("class")[0]}{head[head.index("x = keras") :]}
stats = layers.Dense(16, activity_regularizer=divergence)(h)
y = layers.Dense(784, activation="sigmoid")(stats[:, :8])
model = keras.Model(x, y)
model.compile("adam", loss=lambda t, p: 784 * keras.losses.binary_crossentropy(t, p))
"""
    # Whether such a term is divided by the batch differs between versions of Keras.
    assert not your_loss.read(kept).read


@pytest.mark.parametrize(
    ("again", "share", "beta"),
    [
        ("{}.repeat(draws, 1)", " / draws", 1.0),
        ("{}.repeat_interleave(draws, dim=0)", " / draws", 1.0),
        ("torch.repeat_interleave({}, draws, dim=0)", "", 0.25),
        ("{}.unsqueeze(0).expand(draws, -1, -1).reshape(-1, {}.size(1))", " / draws", 1.0),
    ],
)
def test_draws_that_are_folded_into_the_batch(again: str, share: str, beta: float) -> None:
    def repeated(name: str) -> str:
        return again.replace("{}", name)

    code = f"""
def loss(net, x, draws=4):
    mu, logvar = net.encoder(x)
    many, wide = {repeated("mu")}, {repeated("logvar")}
    z = many + torch.exp(0.5 * wide) * torch.randn_like(many)
    y = net.decoder(z)
    error = F.binary_cross_entropy(y, {repeated("x")}, reduction="sum"){share}
    return (error + {KL}) / x.size(0)
"""
    found = your_loss.read(code)
    assert found.beta == pytest.approx(beta)
    assert found.rate == pytest.approx(1.0 / beta)


def test_draws_that_are_unfolded_again() -> None:
    code = f"""
def loss(net, x, draws=4):
    mu, logvar = net.encoder(x)
    z = mu + torch.exp(0.5 * logvar) * torch.randn(draws, *mu.shape)
    y = net.decoder(z.view(-1, mu.shape[1])).view(draws, x.shape[0], -1)
    return ((y - x) ** 2).sum(-1).mean(0).sum() + {KL}
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)
