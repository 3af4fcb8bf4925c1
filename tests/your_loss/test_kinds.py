"""Kinds of code that hold a loss: each as a file of its own would show it."""

import pytest

from vae import your_loss

KL = "-0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1)"
KERAS_KL = "-0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)"


def test_a_picture_takes_the_shape_of_what_it_is_compared_with() -> None:
    code = f"""
class Net:
    def __init__(self, img_size=28):
        self.side = img_size
    @staticmethod
    def loss(recon, x, mu, logvar, beta=3.0):
        error = F.mse_loss(recon, x.view(-1, 28 * 28), reduction="none").sum(dim=1)
        return (error + beta * ({KL})).mean()
"""
    found = your_loss.read(code)
    assert found.sigma2 == pytest.approx(1.5)
    assert all(fault.kind != "broadcast" for fault in found.faults)


def test_a_loss_defined_inside_of_a_function_that_nothing_calls_is_read() -> None:
    code = f"""
if __name__ == "__main__":
    def criterion(recon, x, mu, logvar):
        return F.mse_loss(recon, x, reduction="sum") + 4.0 * ({KL}).sum()
    Trainer(model, criterion=criterion).run()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("compiled", "sigma2"),
    [
        ("loss=[error, divergence]", 0.5),
        ("loss=[error, divergence], loss_weights=[1.0, 6.0]", 3.0),
        ("loss={'picture': error, 'moments': divergence}, loss_weights={'moments': 2.0}", 1.0),
    ],
)
def test_keras_sums_the_losses_of_several_outputs(compiled: str, sigma2: float) -> None:
    code = f"""
def build():
    x = Input(shape=(784,))
    def error(y_true, y_pred):
        return K.sum(K.square(y_true - y_pred), axis=-1)
    def divergence(y_true, y_pred):
        z_mean = y_pred[:, :half]
        z_log_var = y_pred[:, half:]
        return {KERAS_KL}
    vae = Model(x, outputs)
    vae.compile(optimizer="adam", {compiled})
"""
    assert your_loss.read(code).sigma2 == pytest.approx(sigma2)


def test_one_loss_that_keras_is_given_twice_has_the_ratio_of_one() -> None:
    code = f"""
class Auto:
    def cost(self, x, x_hat):
        kl = {KERAS_KL.replace("z_", "self.z_")}
        return K.mean(K.sum(K.square(x - x_hat), axis=-1) + 3.0 * kl)
    def build(self):
        x = Input(shape=(784,))
        x_hat = self.decoded(x)
        vae = Model(x, x_hat)
        vae.add_loss(self.cost(x, x_hat))
        vae.compile(optimizer="adam", loss=self.cost)
"""
    assert your_loss.read(code).sigma2 == pytest.approx(1.5)


def test_the_loss_of_a_test_is_read_where_there_is_no_other() -> None:
    code = f"""
def evaluate(net, loader):
    total = 0.0
    with torch.no_grad():
        for x in loader:
            recon, mu, logvar = net(x)
            total += F.mse_loss(recon, x, reduction="sum") + ({KL}).sum()
    return total.item()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_a_second_picture_stands_beside_the_first() -> None:
    code = f"""
def step(image, sound):
    image_hat, sound_hat, mu, logvar = net(image, sound)
    loss = F.mse_loss(image_hat, image, reduction="sum")
    loss = loss + 9.0 * F.mse_loss(sound_hat, sound, reduction="sum") + ({KL}).sum()
    loss.backward()
"""
    found = your_loss.read(code)
    assert found.sigma2 == pytest.approx(0.5)
    assert len(found.unknown) == 1
    assert "another picture" in found.unknown[0].text


def test_features_are_no_picture_whichever_comes_first() -> None:
    code = f"""
def loss(recon, x, recon_features, x_features, mu, logvar):
    more = 0
    for r, f in zip(recon_features, x_features):
        more += F.mse_loss(r, f)
    return F.mse_loss(recon, x, reduction="sum") + 5.0 * more + 2.0 * ({KL}).sum()
"""
    found = your_loss.read(code)
    assert found.sigma2 == pytest.approx(1.0)
    assert found.unknown


def test_a_decoder_may_call_its_output_mu_as_the_encoder_does() -> None:
    code = """
class Encoder(nn.Module):
    def __init__(self, width, latents):
        self.to_mean = nn.Linear(width, latents)
        self.to_scale = nn.Linear(width, latents)
    def forward(self, x):
        mu = self.to_mean(x)
        sigma = torch.exp(self.to_scale(x))
        return torch.distributions.Normal(mu, sigma)
class Decoder(nn.Module):
    def forward(self, z):
        mu = torch.sigmoid(self.layer(z))
        return torch.distributions.Normal(mu, torch.ones_like(mu))
class VAE(nn.Module):
    def __init__(self):
        self.encoder = Encoder(400, 20)
        self.decoder = Decoder()
    def forward(self, x):
        q = self.encoder(x)
        return self.decoder(q.rsample()), q
vae = VAE().to("cuda")
for images, _ in loader:
    p, q = vae(images)
    prior = torch.distributions.Normal(0, 1.0)
    kl = torch.distributions.kl_divergence(q, prior).sum(-1).mean()
    loss = -(p.log_prob(images).sum(-1).mean() - kl)
    loss.backward()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(1.0)


def test_moments_without_names_are_told_by_what_they_are_made_of() -> None:
    code = """
import torch.distributions as D
class Encoder(nn.Module):
    def forward(self, xs):
        h = self.shared(xs)
        return D.Independent(D.Normal(self.first(h), self.second(h)), 1)
class Decoder(nn.Module):
    def forward(self, zs):
        return D.Independent(D.ContinuousBernoulli(self.first(zs)), 1)
class Model:
    def __init__(self, size):
        self.prior = D.Independent(D.Normal(torch.zeros(size), torch.ones(size)), 1)
        self.q = Encoder()
        self.p = Decoder()
    def fit(self, xs):
        q = self.q(xs)
        kl = D.kl.kl_divergence(q, self.prior).mean()
        loss = kl - self.p(q.rsample()).log_prob(xs).mean()
        loss.backward()
"""
    found = your_loss.read(code)
    assert (found.family, found.beta) == ("continuous-bernoulli", pytest.approx(1.0))


def test_a_weight_that_another_method_sets_again_is_asked_for() -> None:
    code = f"""
class Net(nn.Module):
    def __init__(self, beta_min=0.0, beta_max=0.5):
        self.beta = beta_min
        self.top = beta_max
    def grow(self, kl):
        if kl > 3.0:
            self.beta = self.beta + (self.top - self.beta) / 10
    def loss(self, x, x_hat, mu, logvar):
        return F.mse_loss(x_hat, x, reduction="sum") + self.beta * ({KL}).sum()
"""
    asked = your_loss.read(code)
    assert not asked.read
    assert "self.beta has no value" in asked.message
    assert your_loss.read(code, constants={"self.beta": 3.0}).sigma2 == pytest.approx(1.5)


def test_a_default_is_not_that_of_a_value_which_is_computed() -> None:
    code = f"""
class Net:
    def loss(self, x, x_hat, mu, logvar, weight=1.0):
        return F.mse_loss(x_hat, x, reduction="sum") + weight * ({KL}).sum()
    def train(self, loader, epoch):
        for x in loader:
            x_hat, mu, logvar = self.net(x)
            loss = self.loss(x, x_hat, mu, logvar, weight=0.8 * epoch / self.epochs)
            loss.backward()
    def run(self):
        for e in range(self.epochs):
            self.train(self.loader, e)
"""
    assert not your_loss.read(code).read


def test_who_is_asked_for_a_shape_alone_is_not_the_picture_that_is_compared() -> None:
    code = f"""
def loss(recon, target, mu, logvar):
    kl = ({KL}).sum() / inputs.size(0)
    return F.mse_loss(recon, target, reduction="sum") / inputs.size(0) + kl
for inputs, targets in loader:
    recon, mu, logvar = net(inputs)
    total = loss(recon, targets, mu, logvar)
    total.backward()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["original_dim2", "img_rows", "input_dim_1"])
def test_a_number_of_pixels_is_no_picture(name: str) -> None:
    code = f"""
def vae_loss(x, x_hat, mu, logvar):
    return {name} * K.mean(K.square(x - x_hat), axis=-1) + torch_free(mu, logvar)
def torch_free(z_mean, z_log_var):
    return {KERAS_KL}
"""
    found = your_loss.read(code, image=784, constants={name: 784})
    assert found.sigma2 == pytest.approx(0.5)


def test_loops_that_change_nothing_and_data_that_take_too_much_are_passed_over() -> None:
    code = f"""
def grow(rows):
    found = []
    for row in rows:
        for _ in range(500):
            found.append([value * 1.5 for value in row])
    return found
data = grow([[0.1 * i for i in range(200)] for j in range(100)])
def loss(x, x_hat, mu, logvar):
    return F.mse_loss(x_hat, x, reduction="sum") + ({KL}).sum()
for x in loader:
    x_hat, mu, logvar = net(x)
    total = loss(x, x_hat, mu, logvar)
    total.backward()
while True:
    shown = loss(x, x_hat, mu, logvar)
    if finished:
        break
for i in range(300):
    for j in range(300):
        canvas[i, j] = i * j
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_what_the_caller_sets_counts_and_not_the_default() -> None:
    code = f"""
class Extra(Layer):
    def cost(self, x, x_hat, mu, logvar, beta=1.0):
        return F.mse_loss(x_hat, x, reduction="sum") + beta * ({KL}).sum()
layer = Extra()
for x in loader:
    x_hat, mu, logvar = net(x)
    total = layer.cost(x, x_hat, mu, logvar, beta=8.0)
    total.backward()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(4.0)


def test_draws_in_a_list_are_averaged() -> None:
    code = f"""
def loss(recon_x, x, mu, logvar):
    error = 0
    for one in recon_x:
        error += F.mse_loss(one, x, reduction="sum")
    return error / len(recon_x) + 2.0 * ({KL}).sum()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(1.0)


def test_the_larger_of_a_kl_and_another_array_is_free_bits() -> None:
    code = f"""
def loss(x, x_hat, mu, logvar):
    kl = {KL}
    least = torch.zeros_like(kl) + conf.tolerance * conf.number
    return F.mse_loss(x_hat, x, reduction="none").sum(1).mean() + torch.max(kl, least).mean()
"""
    given = {"conf.tolerance": 0.5, "conf.number": 8}
    found = your_loss.read(code, constants=given, image=784)
    assert (found.kl_form, found.threshold) == ("free-bits", pytest.approx(4.0))
    assert found.sigma2 == pytest.approx(0.5)


def test_other_libraries_and_endless_weights_are_followed() -> None:
    code = """
import theano.tensor as T
from itertools import repeat
beta = repeat(3.0)
def loss(x, x_hat, mu, logvar):
    kl = -0.5 * T.sum(1 + logvar - mu**2 - T.exp(logvar), axis=1)
    return T.mean(T.sum(T.sqr(x - x_hat), axis=1) + next(beta) * kl)
"""
    assert your_loss.read(code).sigma2 == pytest.approx(1.5)


def test_whether_a_network_trains_is_not_asked() -> None:
    code = f"""
class Net(nn.Module):
    def forward(self, x):
        mu, logvar = self.encode(x)
        if self._is_train:
            self.kl = ({KL}).sum()
        return self.decode(mu)
    def step(self, x):
        x_hat = self.forward(x)
        loss = F.mse_loss(x_hat, x, reduction="sum") + self.kl
        loss.backward()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_outputs_that_are_handed_over_by_name_are_there() -> None:
    code = f"""
def loss(outputs, x):
    total = F.mse_loss(outputs["recon"], x, reduction="sum")
    if "mu" in outputs:
        mu, logvar = outputs["mu"], outputs["logvar"]
        total = total + ({KL}).sum()
    return total
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_a_notebook_is_as_long_as_its_code_not_as_its_pictures() -> None:
    import json

    source = f"""def loss(x, x_hat, mu, logvar):
    return F.mse_loss(x_hat, x, reduction="sum") + ({KL}).sum()
"""
    cell = {"cell_type": "code", "source": source, "outputs": [{"data": "A" * 3_000_000}]}
    assert your_loss.read(json.dumps({"cells": [cell]})).sigma2 == pytest.approx(0.5)


PYRO = """
import {library}
import {library}.distributions as dist
def model(batch, size=100):
    with {library}.plate("data", batch.shape[0]):
        z = {library}.sample("z", dist.Normal(0, 1).expand([size]).to_event(1))
        picture = decode(z)
        {library}.sample("x", dist.Bernoulli(picture).to_event(1), obs=batch)
def guide(batch, size=100):
    loc, std = encode(batch)
    with {library}.plate("data", batch.shape[0]):
        {library}.sample("z", dist.Normal(loc, std).to_event(1))
"""


@pytest.mark.parametrize("library", ["pyro", "numpyro"])
def test_a_model_and_its_guide_are_an_elbo(library: str) -> None:
    found = your_loss.read(PYRO.format(library=library))
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(1.0))


def test_a_model_of_which_a_site_is_not_known_is_not_read() -> None:
    code = PYRO.format(library="pyro").replace("dist.Normal(loc, std)", "flow(loc, std)")
    assert not your_loss.read(code).read


@pytest.mark.parametrize(
    "sigma", ["torch.exp(2 * log_var)", "F.softplus(log_var)", "F.softplus(log_var) + 0.1"]
)
def test_sigma_is_what_the_code_makes_of_a_scale_whatever_its_name(sigma: str) -> None:
    code = f"""
def loss(x, y, mu, log_var):
    q = torch.distributions.Normal(mu, {sigma})
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0))
    return F.mse_loss(y, x, reduction="sum") + 4.0 * kl.sum()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(2.0)


def test_a_sigma_that_weighs_the_kl_is_a_number_to_be_asked_for() -> None:
    code = f"""
def loss(sigma, y, x, mu, logvar):
    return F.mse_loss(y, x, reduction="sum") + sigma * ({KL}).sum()
"""
    asked = your_loss.read(code)
    assert not asked.read
    assert "sigma has no value" in asked.message
    assert your_loss.read(code, constants={"sigma": 3.0}).sigma2 == pytest.approx(1.5)


def test_weights_of_values_tell_how_many_values_there_are() -> None:
    code = f"""
def loss(x, y, mu, logvar):
    weights = torch.tensor([1.0] * 12)
    return (weights * (y - x) ** 2).sum() + ({KL}).sum()
shape = (28, 28, 1)
"""
    found = your_loss.read(code)
    assert found.sigma2 == pytest.approx(0.5)
    assert found.sizes.pixels == 12


def test_criteria_that_were_made_apart_are_not_equal() -> None:
    code = f"""
class Net:
    def __init__(self):
        self.cost = nn.MSELoss(reduction="sum")
    def loss(self, x, y, mu, logvar):
        kl = ({KL}).sum()
        if self.cost == nn.MSELoss():
            kl = kl / 100
        return self.cost(y, x) + kl
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_a_kl_that_the_encoder_keeps_reaches_the_loss() -> None:
    code = f"""
class Encoder(nn.Module):
    def forward(self, x):
        x = F.relu(self.linear1(x))
        mu, logvar = self.linear2(x), self.linear3(x)
        self.kl = ({KL}).sum()
        return mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
class Decoder(nn.Module):
    def forward(self, z):
        z = F.relu(self.linear1(z))
        z = torch.sigmoid(self.linear2(z))
        return z.reshape((-1, 1, 28, 28))
class VAE(nn.Module):
    def __init__(self):
        self.encoder, self.decoder = Encoder(), Decoder()
    def forward(self, x):
        return self.decoder(self.encoder(x))
def train(model, data):
    for x, _ in data:
        x_hat = model(x)
        loss = ((x - x_hat) ** 2).sum() + model.encoder.kl
        loss.backward()
vae = train(VAE().to(device), data)
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_a_network_s_moments_side_by_side_are_told_by_their_names() -> None:
    code = """
class Prior(nn.Module):
    def __init__(self, latents):
        self.register_buffer("mean", torch.zeros(latents))
        self.register_buffer("std", torch.ones(latents))
    def forward(self):
        return torch.distributions.Normal(self.mean, self.std)
class Net(nn.Module):
    def __init__(self):
        self.prior = Prior(20)
    def elbo(self, x):
        mean, log_std = self.encoder_net(x).chunk(2, dim=-1)
        q = torch.distributions.Normal(mean, torch.exp(log_std))
        z = q.rsample()
        x_hat = self.decoder_net(z)
        p = torch.distributions.Normal(x_hat, 1.0)
        kl = (q.log_prob(z) - self.prior().log_prob(z)).sum(-1)
        return (p.log_prob(x).sum(-1) - 2.0 * kl).mean()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(2.0)


TWO = """
def loss(x, x_hat, mu1, logvar1, mu2, logvar2):
    first = -0.5 * torch.sum(1 + logvar1 - mu1**2 - torch.exp(logvar1))
    second = -0.5 * torch.sum(1 + logvar2 - mu2**2 - torch.exp(logvar2))
    return F.mse_loss(x_hat, x, reduction="sum") + first + {weight} * second
"""


def test_kls_of_two_latents_are_told_with_their_weights() -> None:
    equal, unequal = (your_loss.read(TWO.format(weight=w)) for w in (1.0, 4.0))
    assert equal.sigma2 == pytest.approx(0.5)
    assert (unequal.read, unequal.family, unequal.sigma2) == (True, "gaussian", None)
    assert "mu1 : mu2 = 1 : 4" in unequal.verdict
    assert "0.5 or 2" in unequal.verdict


def test_terms_that_are_sent_back_one_by_one_are_a_sum() -> None:
    code = f"""
for x in loader:
    x_hat, mu, logvar = model(x)
    kl = ({KL}).sum()
    kl.backward(retain_graph=True)
    error = 2 * F.mse_loss(x_hat, x, reduction="sum")
    error.backward()
    optimizer.step()
"""
    found = your_loss.read(code)
    assert found.sigma2 == pytest.approx(0.25)
    assert any("one by one" in fault.text for fault in found.faults)


@pytest.mark.parametrize("arguments", ["first, second", "second, first"])
@pytest.mark.parametrize("more", ["second.abs().sum()", "0.1 * (first ** 2).sum()"])
def test_who_is_the_picture_is_asked_where_only_the_order_would_say(
    arguments: str, more: str
) -> None:
    code = f"""
def loss({arguments}, mu, logvar):
    return ((first - second) ** 2).sum() + {more} + ({KL}).sum()
"""
    found = your_loss.read(code)
    assert not found.read
    asked = {role.name for role in found.roles if role.role == "unknown"}
    assert asked == {"first", "second"}


def test_a_cross_entropy_tells_the_picture_from_the_output() -> None:
    code = f"""
def loss(first, second, mu, logvar):
    error = -(first * torch.log(second) + (1 - first) * torch.log(1 - second)).sum()
    return error + ({KL}).sum()
"""
    assert your_loss.read(code).beta == pytest.approx(1.0)


def test_an_error_that_is_not_known_is_not_left_out() -> None:
    """What is compared beside it is not all that the output is asked for."""
    code = f"""
def loss(logits, words, tokens, bag, mu, logvar):
    nll_loss = elsewhere.sequence_loss(logits, tokens)
    bow_loss = F.binary_cross_entropy_with_logits(words_hat, words, reduction="sum")
    return nll_loss + bow_loss + ({KL}).sum()
"""
    found = your_loss.read(code)
    assert not found.read
    assert found.beta is None


def test_flags_that_are_not_given_are_not_set() -> None:
    code = f"""
parser.add_argument("--mse", action="store_true")
args = parser.parse_args()
def loss(x_hat, x, mu, logvar):
    if args.mse:
        error = F.mse_loss(x_hat, x, reduction="sum")
    else:
        error = F.binary_cross_entropy(x_hat, x, reduction="sum")
    return error + ({KL}).sum()
"""
    assert your_loss.read(code).beta == pytest.approx(1.0)
    given = your_loss.read(code, constants={"args.mse": True})
    assert given.sigma2 == pytest.approx(0.5)


def test_a_flag_that_has_the_name_of_a_term_is_not_the_term() -> None:
    code = """
parser.add_argument("--kl", action="store_true")
def loss(x_hat, x, kl):
    return F.mse_loss(x_hat, x, reduction="sum") + kl
"""
    assert not your_loss.read(code).read


@pytest.mark.parametrize(
    ("size", "image"),
    [
        ("input_shape[0] * input_shape[1] * input_shape[2]", "28x28x1"),
        ("image_size[0] * image_size[1]", "1x28x28"),
        ("np.prod(input_shape)", "784"),
        ("image_size[0]", "784"),
    ],
)
def test_sizes_of_an_image_are_taken_out_of_its_shape(size: str, image: str) -> None:
    code = f"""
def build(input_shape, image_size):
    def loss(x, x_hat, mu, logvar):
        error = ((x - x_hat) ** 2).flatten(1).mean(1).sum()
        return {size} * error + ({KL}).sum()
    return loss
"""
    found = your_loss.read(code, image=image)
    assert found.sigma2 == pytest.approx(0.5), found.message


def test_a_step_after_an_evaluation_has_the_same_roles() -> None:
    code = """
def loss_function(x_hat, x, mean, deviation):
    kl = -0.5 * torch.sum(1 + torch.log(deviation**2) - mean**2 - deviation**2)
    return F.mse_loss(x_hat, x, reduction="sum") + kl
def training(model, train_loader, eval_loader):
    def evaluate():
        for batch in eval_loader:
            out, mu, log_var = model(batch)
            loss = loss_function(out, batch, mu, log_var)
    evaluate()
    for batch in train_loader:
        out, mu, log_var = model(batch)
        loss = loss_function(out, batch, mu, log_var)
        loss.backward()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_libraries_that_another_file_hands_on_are_known() -> None:
    code = """
from main import CVAE, torch, nn
def loss(x_hat, x, mu, log_var):
    error = nn.functional.mse_loss(x_hat, x, reduction="sum")
    return error - 0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp())
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_a_setting_in_a_list_is_asked_for_by_its_values() -> None:
    code = f"""
def loss(x_hat, x, mu, logvar):
    error = F.mse_loss(x_hat, x, reduction="sum")
    if args.kind in ["vae", "cvae"]:
        error = error + ({KL}).sum()
    else:
        error = error + 3 * ({KL}).sum()
    return error
"""
    asked = your_loss.read(code)
    assert not asked.read
    assert "args.kind" in asked.message
    answered = your_loss.read(code, constants={"args.kind": "cvae"})
    assert answered.sigma2 == pytest.approx(0.5)


def test_values_that_a_mask_keeps_are_read_as_all() -> None:
    code = f"""
def loss(logits, tokens, mu, logvar):
    tokens = tokens.view(-1)
    kept = tokens.ne(0)
    logits = logits.view(-1, logits.size(2))
    error = F.cross_entropy(logits[kept], tokens[kept])
    return error + ({KL}).sum()
"""
    found = your_loss.read(code, image=60, batch=32)
    assert (found.family, found.beta) == ("categorical", pytest.approx(60 * 32))
    assert any("nothing were left out" in fault.text for fault in found.faults)


def test_gluon_hands_its_operations_over() -> None:
    code = """
class Net(gluon.HybridBlock):
    def hybrid_forward(self, F, x):
        mu, lv = F.split(self.encoder(x), axis=1, num_outputs=2)
        z = mu + F.exp(0.5 * lv) * F.random_normal(shape=(self.batch_size, self.n_latent))
        y = self.decoder(z)
        KL = 0.5 * F.sum(1 + lv - mu * mu - F.exp(lv), axis=1)
        fit = F.sum(x * F.log(y + 1e-10) + (1 - x) * F.log(1 - y + 1e-10), axis=1)
        return -fit - KL
"""
    assert your_loss.read(code).beta == pytest.approx(1.0)


def test_a_layer_s_number_in_the_name_of_a_scale_says_nothing() -> None:
    code = """
def loss(x_hat, x, H_2_mean, H_2_std):
    kl = -0.5 * torch.sum(1 + 2 * H_2_std - H_2_mean.pow(2) - H_2_std.exp() ** 2)
    return F.mse_loss(x_hat, x, reduction="sum") + kl.sum(-1)
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


@pytest.mark.parametrize("judge", ["D", "discriminator"])
def test_what_an_adversary_says_is_left_out(judge: str) -> None:
    code = f"""
for x, _ in loader:
    x_hat, mu, logvar = vae(x)
    d_loss = F.binary_cross_entropy({judge}(x), ones)
    d_loss += F.binary_cross_entropy({judge}(x_hat.detach()), zeros)
    d_loss.backward()
    opt_d.step()
    g_loss = F.binary_cross_entropy({judge}(x_hat), ones)
    loss = F.mse_loss(x_hat, x, reduction="sum") + 2 * ({KL}).sum() + 0.1 * g_loss
    loss.backward()
    opt.step()
"""
    found = your_loss.read(code)
    assert found.sigma2 == pytest.approx(1.0), found.message
    assert found.unknown


def test_a_precision_is_a_learned_scale() -> None:
    code = f"""
def loss(x, x_mean, x_logprec, mu, logvar):
    error = 0.5 * (torch.exp(x_logprec) * (x - x_mean) ** 2 - x_logprec).sum()
    return error + ({KL}).sum()
"""
    assert your_loss.read(code).family == "gaussian-learned"
