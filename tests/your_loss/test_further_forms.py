"""Forms of public code: counts, tokens, inference libraries, criteria on a device, settings."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from vae import your_loss

KL = "-0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1)"


@pytest.mark.parametrize("anneal", [1.0, 0.2])
def test_counts_of_a_multinomial_are_a_categorical(anneal: float) -> None:
    code = f"""
def loss_function(recon_x, x, mu, logvar, anneal={anneal}):
    BCE = -torch.mean(torch.sum(F.log_softmax(recon_x, 1) * x, -1))
    return BCE + anneal * ({KL}).mean()
"""
    found = your_loss.read(code, image=(500,), latents=(20,), batch=8)
    assert (found.family, found.beta) == ("categorical", pytest.approx(anneal))


def test_a_softmax_over_the_wrong_axis_is_no_multinomial() -> None:
    code = f"""
def loss_function(recon_x, x, mu, logvar):
    BCE = -torch.mean(torch.sum(F.log_softmax(recon_x, 0) * x, -1))
    return BCE + ({KL}).mean()
"""
    assert not your_loss.read(code, image=(500,), latents=(20,), batch=8).read


@pytest.mark.parametrize(
    "criterion",
    [
        "F.nll_loss(logp.view(-1, logp.size(2)), x.view(-1), reduction='sum', ignore_index=0)",
        "nn.NLLLoss(size_average=False, ignore_index=0)(logp.view(-1, logp.size(2)), x.view(-1))",
    ],
)
def test_log_probabilities_of_tokens(criterion: str) -> None:
    code = f"""
def loss(logits, x, mu, logvar):
    logp = F.log_softmax(logits, dim=-1)
    return ({criterion} + 0.5 * ({KL}).sum()) / x.size(0)
"""
    found = your_loss.read(code, image=(30,), latents=(8,), batch=4)
    assert (found.family, found.beta) == ("categorical", pytest.approx(0.5))
    assert found.rate == pytest.approx(1.0)


def test_picking_a_log_probability_is_the_cross_entropy_of_torch() -> None:
    logits = torch.from_numpy(np.random.default_rng(0).normal(size=(6, 5)))
    classes = torch.tensor([0, 3, 1, 4, 2, 2])
    picked = functional.nll_loss(functional.log_softmax(logits, 1), classes)
    assert float(picked) == pytest.approx(float(functional.cross_entropy(logits, classes)))
    codes = (
        "F.nll_loss(F.log_softmax(logits.view(-1, V), 1), x.view(-1))",
        "F.cross_entropy(logits.view(-1, V), x.view(-1))",
    )
    readings = [
        your_loss.read(
            f"def loss(logits, x, mu, logvar, V=7):\n    return {code} + ({KL}).mean()",
            image=(30,), latents=(8,), batch=4,
        )
        for code in codes
    ]  # fmt: skip
    assert readings[0].beta == pytest.approx(readings[1].beta)


def test_tokens_shifted_by_one_place() -> None:
    code = f"""
criterion = nn.CrossEntropyLoss(ignore_index=0, reduction="sum")
for tokens in loader:
    target = tokens[:, 1:]
    logits, mu, logvar = model(tokens[:, :-1])
    recon_loss = criterion(logits.reshape(-1, logits.size(-1)), target.reshape(-1))
    loss = recon_loss + 2.0 * ({KL}).sum()
    loss.backward()
"""
    found = your_loss.read(code, image=(30,), latents=(8,), batch=4)
    assert (found.family, found.beta) == ("categorical", pytest.approx(2.0))


def test_a_criterion_that_was_moved_to_a_device() -> None:
    code = f"""
def loss_function(recon, x, mu, logvar, beta):
    mse = nn.MSELoss(reduction='mean').cuda()(recon, x)
    return mse + beta * ({KL}).mean(), mse
"""
    found = your_loss.read(code, image=(100,), latents=(4,), constants={"beta": 0.1})
    assert found.sigma2 == pytest.approx(5.0)


PYRO = """
import torch, pyro, pyro.distributions as dist
from pyro.infer import SVI, Trace_ELBO
class VAE(nn.Module):
    def model(self, x):
        pyro.module("decoder", self.decoder)
        with pyro.plate("data", x.shape[0]), SCALE:
            z_loc = x.new_zeros(torch.Size((x.shape[0], self.z_dim)))
            z_scale = x.new_ones(torch.Size((x.shape[0], self.z_dim)))
            z = pyro.sample("latent", dist.Normal(z_loc, z_scale).to_event(1))
        x_loc = self.decoder(z)
        pyro.sample("obs", DENSITY.to_event(1), obs=x.reshape(-1, 784))
        return x_loc
    def guide(self, x):
        pyro.module("encoder", self.encoder)
        with pyro.plate("data", x.shape[0]), SCALE:
            z_loc, z_scale = self.encoder(x)
            pyro.sample("latent", dist.Normal(z_loc, z_scale).to_event(1))
vae = VAE()
svi = SVI(vae.model, vae.guide, Adam({"lr": 1e-3}), loss=LOSS)
for x, _ in train_loader:
    epoch_loss += svi.step(x)
"""
PLAIN = "pyro.poutine.scale(scale=1.0)"


def _pyro(density: str, scale: str = PLAIN, loss: str = "Trace_ELBO()") -> str:
    return PYRO.replace("DENSITY", density).replace("SCALE", scale).replace("LOSS", loss)


def test_the_elbo_that_pyro_takes_of_a_model_and_its_guide() -> None:
    found = your_loss.read(_pyro("dist.Bernoulli(x_loc, validate_args=False)"))
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(1.0))
    assert found.rate == pytest.approx(found.sizes.batch)
    found = your_loss.read(_pyro("dist.Normal(x_loc, 0.3)"))
    assert (found.family, found.sigma2) == ("gaussian", pytest.approx(0.09))


def test_a_scale_around_the_latents_is_a_beta() -> None:
    weighed = _pyro("dist.Bernoulli(x_loc)", "pyro.poutine.scale(scale=self.beta)")
    asked = your_loss.read(weighed)
    assert not asked.read
    assert "beta" in asked.message
    found = your_loss.read(weighed, constants={"self.beta": 4.0})
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(4.0))


def test_another_bound_than_the_elbo_is_not_taken_for_it() -> None:
    assert not your_loss.read(_pyro("dist.Bernoulli(x_loc)", loss="RenyiELBO(alpha=0.5)")).read


def test_a_generator_gives_data_and_is_not_run() -> None:
    code = f"""
def batches(data):
    while True:
        for start in range(0, 10000000, 8):
            yield data[start:start + 8]
for x in batches(np.load("train.npy")):
    recon, mu, logvar = model(x)
    loss = F.mse_loss(recon, x, reduction="sum") + ({KL}).sum()
    loss.backward()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_a_check_of_shapes_is_not_met_by_guesses() -> None:
    code = f"""
def loss_function(recon_x, x, mu, logvar, beta=1.0):
    if recon_x.dim() != 3:
        raise ValueError("(batch, length, classes) are needed")
    CE = F.cross_entropy(recon_x.view(-1, recon_x.size(2)), x.view(-1), reduction="sum")
    return CE + beta * ({KL}).sum()
"""
    found = your_loss.read(code, image=(30,), latents=(8,))
    assert (found.family, found.beta) == ("categorical", pytest.approx(1.0))


def test_one_of_a_list_of_weights_is_asked_for_by_the_name_of_the_list() -> None:
    code = f"""
class Loss:
    def __init__(self, beta: list[float]):
        self.beta = beta
    def __call__(self, x, recon_x, mu, logvar, epoch):
        return F.mse_loss(recon_x, x, reduction="sum") + self.beta[epoch] * ({KL}).sum()
"""
    asked = your_loss.read(code)
    assert not asked.read
    assert "beta has no value" in asked.message
    assert your_loss.read(code, constants={"beta": 3.0}).sigma2 == pytest.approx(1.5)


def test_what_a_command_line_gives_is_no_picture() -> None:
    code = f"""
parser.add_argument('--x0', type=int, default=2500)
args = parser.parse_args()
step = 0
for x in loader:
    recon, mu, logvar = model(x)
    weight = min(1, step / args.x0)
    loss = F.mse_loss(recon, x, reduction="sum") + weight * ({KL}).sum()
    loss.backward()
    step += 1
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_a_letter_that_weighs_the_kl_is_no_batch() -> None:
    code = """
def build(nl, b, inp):
    def vae_loss(true, pred):
        rec_loss = K.sum(K.square(true - pred), axis=-1)
        kl_loss = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
        return K.mean(rec_loss + b * kl_loss)
    model.compile(optimizer="adam", loss=vae_loss)
"""
    asked = your_loss.read(code, image=(100,))
    assert not asked.read
    assert "b has no value" in asked.message
    found = your_loss.read(code, image=(100,), constants={"b": 2.0})
    assert found.sigma2 == pytest.approx(1.0)


def test_the_sides_of_a_data_set_s_pictures_are_asked_before_they_lie_in_rows() -> None:
    code = """
(x_train, _), _ = mnist.load_data()
image_size = x_train.shape[1]
original_dim = image_size * image_size
inputs = Input(shape=(original_dim,))
z_mean = Dense(2)(inputs)
z_log_var = Dense(2)(inputs)
outputs = decoder(sample(z_mean, z_log_var))
reconstruction_loss = binary_crossentropy(inputs, outputs) * original_dim
kl_loss = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
vae.add_loss(K.mean(reconstruction_loss + kl_loss))
"""
    for image in ((784,), (28, 28)):
        found = your_loss.read(code, image=image)
        if found.read:
            assert (found.family, found.beta) == ("bernoulli", pytest.approx(1.0))
    assert your_loss.read(code, image=(784,)).read


def test_a_draw_that_a_network_gives_beside_its_moments_makes_no_output_of_them() -> None:
    code = """
class Draw(layers.Layer):
    def call(self, inputs):
        mu, logvar = inputs
        return mu + tf.exp(0.5 * logvar) * tf.random.normal(tf.shape(mu))
def build(width, latents):
    x = keras.Input(shape=(width,))
    mu = layers.Dense(latents)(x)
    logvar = layers.Dense(latents)(x)
    encoder = keras.Model(x, [mu, logvar, Draw()([mu, logvar])])
    return encoder, keras.Sequential([layers.Dense(width)])
def train(data):
    encoder, decoder = build(784, 16)
    def train_step(x):
        with tf.GradientTape() as tape:
            mu, logvar, z = encoder(x)
            recon = tf.reduce_sum(tf.square(x - decoder(z)), axis=1)
            kl = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mu) - tf.exp(logvar), axis=1)
            loss = tf.reduce_mean(recon + kl)
        tape.gradient(loss, encoder.trainable_weights)
    for x in data:
        train_step(x)
"""
    found = your_loss.read(code, image=(784,), latents=(16,), batch=8)
    assert (found.kl_form, found.sigma2) == ("kl", pytest.approx(0.5))


def test_what_is_not_known_stays_when_something_is_added_to_it() -> None:
    code = """
def loss(recon, x, mu, logvar):
    kl = 0.5 * (torch.trace(torch.cov(mu.T)) - mu.size(1))
    kl += 0.5 * torch.sum(torch.mean(mu, dim=0) ** 2)
    return F.mse_loss(recon, x) + kl
"""
    assert not your_loss.read(code, image=(784,), latents=(16,), batch=8).read


def test_losses_in_the_places_of_a_list() -> None:
    code = f"""
losses = [None] * 2
for i in range(2):
    recon, mu, logvar = model(x)
    losses[i] = F.mse_loss(recon, x, reduction="sum") + ({KL}).sum()
loss = losses[0] / x.size(0)
loss.backward()
"""
    assert your_loss.read(code, image=(784,), latents=(8,)).sigma2 == pytest.approx(0.5)


def test_an_argument_compared_with_none() -> None:
    code = f"""
def loss(recon, x, mu, logvar, error=None):
    if error == None:
        rec = F.binary_cross_entropy(recon, x, reduction="sum")
    else:
        rec = F.mse_loss(recon, x, reduction="sum")
    return rec + ({KL}).sum()
"""
    found = your_loss.read(code, image=(784,), latents=(8,))
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(1.0))


def test_a_function_that_calls_itself_to_print_is_no_obstacle() -> None:
    code = f"""
def show(tree, depth=0):
    for name in tree:
        show(tree[name], depth + 1)
def loss(recon, x, mu, logvar):
    rec = F.mse_loss(recon, x, reduction="sum")
    kl = ({KL}).sum()
    show(dict(rec=rec, kl=kl))
    return rec + kl
"""
    assert your_loss.read(code, image=(784,), latents=(8,)).sigma2 == pytest.approx(0.5)


def test_a_residual_of_the_output_alone_is_a_term_of_its_own() -> None:
    code = f"""
def loss(recon, x, mu, logvar, lam=5.0):
    residual = K @ recon.T - torch.linspace(0, 1, steps=7)
    physics = torch.mean((residual / residual.norm(dim=0)) ** 2)
    return torch.sum((recon - x) ** 2) + ({KL}).sum() + lam * physics
"""
    found = your_loss.read(code, image=(784,), latents=(8,), batch=16)
    assert found.sigma2 == pytest.approx(0.5)
    assert found.unknown


def test_a_reduction_that_a_setting_says_is_asked_for() -> None:
    code = f"""
def loss(recon, x, mu, logvar, **kwargs):
    return F.mse_loss(recon, x, reduction=kwargs["how"]) + ({KL}).mean()
"""
    asked = your_loss.read(code, image=(784,), latents=(8,), batch=16)
    assert not asked.read
    assert [choice.values for choice in asked.choices] == [("mean", "sum")]
    for how, sigma2 in (("mean", 392.0), ("sum", 0.5 / 16)):
        found = your_loss.read(code, image=(784,), latents=(8,), batch=16, constants={"how": how})
        assert found.sigma2 == pytest.approx(sigma2)


def test_a_size_among_the_flags_of_an_imported_module() -> None:
    code = """
from absl import flags
flags.DEFINE_integer("width", default=16, help="")
def train():
    mu, sigma = encoder(x)
    q = tfp.distributions.Normal(mu, sigma)
    p = tfp.distributions.Normal(np.zeros(flags.FLAGS.latent_dim), np.ones(flags.FLAGS.latent_dim))
    px = tfp.distributions.Bernoulli(logits=decoder(q.sample()))
    kl = tf.reduce_sum(tfp.distributions.kl_divergence(q, p), 1)
    elbo = tf.reduce_sum(tf.reduce_sum(px.log_prob(x), 1) - kl, 0)
    optimizer.minimize(-elbo)
"""
    found = your_loss.read(code, image=(784,), latents=(16,), batch=8)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(1.0))


def test_steps_of_a_network_that_are_laid_side_by_side() -> None:
    code = f"""
for x in loader:
    steps = []
    for place in range(length):
        steps.append(head(cell(mystery[place])))
    logits = torch.stack(steps, dim=1)
    mu, logvar = encoder(x)
    rec = F.cross_entropy(logits.view(-1, logits.size(-1)), x.view(-1), reduction="sum")
    loss = (rec + ({KL}).sum()) / x.size(0)
    loss.backward()
"""
    found = your_loss.read(code, image=(30,), latents=(8,), batch=4)
    assert (found.family, found.beta) == ("categorical", pytest.approx(1.0))


def test_a_conditional_prior_beside_a_decoder_that_gives_mean_and_variance() -> None:
    code = """
def kl(mu_q, logvar_q, mu_p, logvar_p):
    ratio = (torch.exp(logvar_q) + (mu_q - mu_p) ** 2) / torch.exp(logvar_p)
    return 0.5 * torch.mean(logvar_p - logvar_q + ratio - 1)
class Decoder(nn.Module):
    def forward(self, z, c):
        h = self.net(torch.cat([z, c], dim=1))
        mu, logvar = self.mu(h), self.logvar(h)
        return mu, torch.exp(logvar)
for x, y, c in loader:
    mu_q, logvar_q = encode(x, c)
    z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
    mu_p, logvar_p = prior(c)
    mu_dec, var_dec = Decoder()(z, c)
    recon = (0.5 * (torch.log(var_dec) + (y - mu_dec) ** 2 / var_dec)).mean()
    loss = recon + kl(mu_q, logvar_q, mu_p, logvar_p)
    loss.backward()
"""
    found = your_loss.read(code, image=(64,), latents=(8,), batch=4)
    assert (found.family, found.kl_form) == ("gaussian-learned", "kl")


def test_what_is_made_of_the_true_picture_is_no_output() -> None:
    code = """
def loss(y_true, y_pred, mu, logvar):
    true_edges = wavelets(y_true)
    kl = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mu) - tf.exp(logvar), axis=1)
    recon = tf.reduce_sum(tf.square(y_true - y_pred), axis=1)
    return tf.reduce_mean(recon + kl) + 0.1 * tf.reduce_mean(tf.abs(true_edges))
"""
    found = your_loss.read(code, image=(64,), latents=(8,), batch=4)
    assert {role.name for role in found.roles if role.role == "output"} == {"y_pred"}


def test_a_long_loop_of_scores_costs_no_steps() -> None:
    code = f"""
class Model(nn.Module):
    def score(self):
        samples = []
        for place in range(500):
            with torch.no_grad():
                picture = self.decoder(torch.randn(100, 8))
                for step in range(50):
                    picture = picture * 0.5 + 0.5
                    picture = picture * 255.0
                samples.extend(picture)
        return samples
    def fit(self, loader):
        for x in loader:
            recon, mu, logvar = self(x)
            loss = F.mse_loss(recon, x, reduction="sum") + ({KL}).sum()
            loss.backward()
            self.score()
"""
    assert your_loss.read(code, image=(784,), latents=(8,)).sigma2 == pytest.approx(0.5)


def test_a_layer_of_the_label_is_the_mean_of_its_prior() -> None:
    code = """
x = Input(shape=(784,))
label = Input(shape=(10,))
z_mean = Dense(4)(x)
z_log_var = Dense(4)(x)
centre = Dense(4)(label)
x_decoded = decoder(draw([z_mean, z_log_var]))
xent = K.sum(K.binary_crossentropy(x, x_decoded), axis=-1)
kl = -0.5 * K.sum(1 + z_log_var - K.square(z_mean - centre) - K.exp(z_log_var), axis=-1)
vae.add_loss(K.mean(xent + kl))
"""
    found = your_loss.read(code, image=(784,), latents=(4,), batch=8)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(1.0))
    assert {role.name for role in found.roles if role.role == "prior_mean"} == {"centre"}


def test_a_kl_that_the_only_network_of_the_file_gives_beside_its_output() -> None:
    code = f"""
class Encoder(nn.Module):
    def forward(self, x):
        return self.mu(x), self.logvar(x)
class Net(nn.Module):
    def __init__(self):
        self.encoder = Encoder()
    def forward(self, x):
        mu, logvar = self.encoder(x)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        kl = ({KL}).mean()
        return self.decoder(z), kl
def train(model, loader):
    for x in loader:
        recon, kl = model(x)
        rec = F.binary_cross_entropy(recon, x, reduction="sum") / x.size(0)
        loss = rec + 0.5 * kl
        loss.backward()
"""
    found = your_loss.read(code, image=(784,), latents=(8,), batch=4)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(0.5))


def test_which_of_two_networks_a_function_trains_is_not_guessed() -> None:
    code = """
class One(nn.Module):
    def forward(self, x):
        return self.a(x), (self.m(x) ** 2).sum()
class Two(nn.Module):
    def forward(self, x):
        return self.b(x), (self.n(x) ** 2).mean()
def train(model, loader):
    for x in loader:
        recon, kl = model(x)
        loss = F.mse_loss(recon, x, reduction="sum") + kl
        loss.backward()
"""
    assert not your_loss.read(code, image=(784,), latents=(8,), batch=4).read


def test_a_part_of_an_output_that_has_the_name_of_a_method() -> None:
    code = """
def loss_fn(out, x):
    rec = ((out.recon - x) ** 2).sum(dim=1).mean()
    kl = (-0.5 * (1 + out.logvar - out.mean.square() - out.logvar.exp())).sum(-1).mean()
    return rec + 0.1 * kl
"""
    found = your_loss.read(code, image=(784,), latents=(8,), batch=4)
    assert found.sigma2 == pytest.approx(0.05)


def test_by_how_much_edges_are_outnumbered_is_asked_for() -> None:
    code = """
A_pred = model(features)
loss = norm * F.binary_cross_entropy(A_pred.view(-1), adj_label.view(-1), reduction="sum")
kl = 0.5 * (1 + 2 * logstd - mean**2 - torch.exp(logstd) ** 2).sum(1).sum()
loss -= kl
loss.backward()
"""
    asked = your_loss.read(code, image=(50,), latents=(8,), batch=50)
    assert "norm has no value" in asked.message
    found = your_loss.read(code, image=(50,), latents=(8,), batch=50, constants={"norm": 2.0})
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(0.5))


HALF = f"""
def loss(outputs, targets, mu, logvar):
    error = -torch.sum(targets * torch.log(outputs), dim=1)
    return torch.mean(error + 0.3 * ({KL}))
"""


def test_half_a_cross_entropy_is_a_categorical_where_a_softmax_is_seen() -> None:
    model = """
class Decoder(nn.Module):
    def __init__(self, items):
        self.net = nn.Sequential(nn.Linear(64, items), nn.{last})
"""
    found = your_loss.read(HALF + model.format(last="Softmax(dim=1)"), image=(500,))
    assert (found.family, found.beta) == ("categorical", pytest.approx(0.3))
    for code in (HALF, HALF + model.format(last="Sigmoid()")):
        found = your_loss.read(code, image=(500,))
        assert not found.read
        assert "softmax" in found.message


@pytest.mark.parametrize("largest", ["x.argmax(dim=1)", "torch.argmax(x, 1)"])
def test_classes_of_a_picture_in_ones_and_noughts(largest: str) -> None:
    code = f"""
def training_step(self, x):
    logits, mu, logvar = self.forward(x)
    target = {largest}
    error = nn.CrossEntropyLoss()(logits.view(-1, 7), target.view(-1))
    return error + 0.1 * ({KL}).mean()
"""
    found = your_loss.read(code, image=(7, 30), latents=(8,), batch=4)
    assert (found.family, found.beta) == ("categorical", pytest.approx(3.0))


@pytest.mark.parametrize(
    ("image", "positions"),
    [((48, 32, 40), 48 * 32 * 40), ((3, 32, 40), 32 * 40), ((32, 32), 32 * 32), ((7, 30), 30)],
)
def test_a_side_of_a_picture_or_a_volume_is_no_axis_of_classes(
    image: tuple[int, ...], positions: int
) -> None:
    code = f"""
def vae_loss(recon_logits, target, mu, logvar):
    error = F.cross_entropy(recon_logits, target, reduction="mean")
    return error + ({KL}).sum() / target.shape[0]
"""
    found = your_loss.read(code, image=image, latents=(8,), batch=4)
    assert (found.family, found.beta) == ("categorical", pytest.approx(positions))


def test_a_size_of_another_file_that_the_reader_says() -> None:
    code = f"""
from project.rules import COUNT
def training_step(self, x):
    logits, mu, logvar = self.forward(x)
    error = nn.CrossEntropyLoss()(logits.view(-1, COUNT), x.argmax(dim=1).view(-1))
    return error + 0.1 * ({KL}).mean()
"""
    found = your_loss.read(code, image=(7, 30), batch=4, constants={"COUNT": 7.0})
    assert (found.family, found.beta) == ("categorical", pytest.approx(3.0))


@pytest.mark.parametrize("largest", ["part.argmax(dim=1)", "torch.argmax(part, dim=1)"])
def test_classes_of_a_value_that_is_not_known_are_no_picture(largest: str) -> None:
    code = f"""
def training_step(self, table):
    part = table[self.order()]
    logits, mu, logvar = self.forward(part)
    target = {largest}
    target_flat = target.view(-1)
    error = nn.CrossEntropyLoss()(logits.view(-1, 7), target_flat)
    return error + 0.1 * ({KL}).mean()
"""
    found = your_loss.read(code, image=(7, 30), latents=(8,), batch=4)
    assert found.beta is None or found.beta == pytest.approx(3.0)
