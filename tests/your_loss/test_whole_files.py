"""What surrounds a loss in whole files: classes, loaders, scalers, settings, other modules."""

import pytest

from vae import your_loss

KL = "-0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1)"


def test_a_scaler_of_half_precision_hands_on_the_loss() -> None:
    code = f"""
def fit(epochs, beta=3.0):
    scaler = torch.amp.GradScaler("cuda", enabled=True)
    criterion = nn.MSELoss(reduction="none")
    for epoch in range(epochs):
        for images, _ in loader:
            with torch.autocast("cuda"):
                recon, mu, logvar = net(images)
                loss = criterion(recon, images).sum([1, 2, 3]).mean()
                loss += beta * ({KL}).mean()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
"""
    assert your_loss.read(code).sigma2 == pytest.approx(1.5)


def test_a_number_of_a_module_that_was_not_pasted_is_asked_for() -> None:
    code = f"""
import settings.numbers as numbers
def loss(x, x_hat, mu, logvar):
    error = -torch.sum(x * torch.log(x_hat + numbers.eps)
                       + (1 - x) * torch.log(1 - x_hat + numbers.eps), 1)
    return torch.mean(error + {KL})
"""
    asked = your_loss.read(code)
    assert not asked.read
    assert "numbers.eps has no value in this code" in asked.message
    found = your_loss.read(code, constants={"settings.numbers.eps": 1e-9})
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(1.0, abs=1e-6))


def test_a_decay_of_weights_is_left_out_whatever_its_letter() -> None:
    code = f"""
def loss(x, y, mu, logvar):
    decay = sum(v.pow(2).sum() for v in net.parameters())
    error = F.mse_loss(y, x, reduction="none").flatten(1).sum(1)
    return torch.mean(error + {KL}) + 1e-4 * decay
"""
    found = your_loss.read(code)
    assert found.sigma2 == pytest.approx(0.5)
    assert found.unknown


@pytest.mark.parametrize(
    "reshaped",
    ["x.view(-1, self.flat_size)", "x.reshape(-1, input_dim)", "x.view(-1, *self.shape)"],
)
def test_pictures_are_reshaped_to_sizes_computed_elsewhere(reshaped: str) -> None:
    code = f"""
class Net(nn.Module):
    def __init__(self, shape):
        self.shape = np.array(shape)
        self.flat_size = np.prod(self.shape)
    def loss(self, x):
        x = {reshaped}
        y, mu, logvar = self(x)
        y = y.view_as(x)
        kl = torch.sum({KL})
        return (F.mse_loss(y, x, reduction="sum") + kl) / x.shape[0]
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_a_capacity_of_a_mean_over_latents_is_no_wrong_sign() -> None:
    code = """
class Held:
    def __init__(self, input_shape, latent_dim=32):
        self.capacity = 0
        mean = Dense(latent_dim)(features)
        log_var = Dense(latent_dim)(features)
        def squared(x, y):
            return tf.losses.MeanSquaredError()(x, y) * np.prod(input_shape)
        def held(x, y):
            self.capacity += 1 / 100
            self.capacity = min(self.capacity, 40)
            kl = -0.5 * tf.reduce_mean(1 + log_var - mean**2 - tf.exp(log_var))
            return 50 * tf.abs(kl - self.capacity)
        self.net = Model(inputs, outputs)
        self.net.compile(optimizer="adam", loss=lambda x, y: squared(x, y) + held(x, y))
"""
    found = your_loss.read(code, image=(64, 64, 3), latents=32)
    assert [fault.kind for fault in found.faults] == ["capacity"]
    assert found.threshold == pytest.approx(40 * 32)


def test_a_loss_chosen_from_a_table_is_asked_for_by_its_setting() -> None:
    code = f"""
def train(config):
    criterion = {{"l1": nn.L1Loss(reduction="sum"), "l2": nn.MSELoss(reduction="sum")}}[
        config["error"]
    ]
    for x in loader:
        y, mu, logvar = net(x)
        loss = criterion(y, x) + torch.sum({KL})
        loss.backward()
if __name__ == "__main__":
    train(settings)
"""
    asked = your_loss.read(code)
    assert not asked.read
    assert [choice.values for choice in asked.choices] == [("l1", "l2")]
    found = your_loss.read(code, constants={"error": "l2"})
    assert found.sigma2 == pytest.approx(0.5)
    assert your_loss.read(code, constants={"error": "l1"}).laplace_scale == pytest.approx(1.0)


def test_a_weight_that_grows_is_said_to_change() -> None:
    code = f"""
BETA = 1
def train(epochs):
    global BETA
    for epoch in range(epochs):
        for x in loader:
            y, mu, logvar = net(x)
            loss = F.mse_loss(y, x, reduction="sum") + BETA * torch.sum({KL})
            loss.backward()
        BETA += 0.2
"""
    asked = your_loss.read(code)
    assert not asked.read
    assert "BETA is another from step to step" in asked.message
    assert your_loss.read(code, constants={"BETA": 4}).sigma2 == pytest.approx(2.0)


def test_distributions_of_a_class_of_the_paste() -> None:
    code = """
class Gaussian(nn.Module):
    def __init__(self, size):
        self.size = size
    def forward(self, h):
        both = self.layers(h)
        mu, log_sigma = both[..., : self.size], both[..., self.size :]
        return Normal(loc=mu, scale=torch.exp(log_sigma))
class Net(nn.Module):
    def __init__(self, latent_dim):
        self.prior = Normal(torch.zeros(latent_dim), torch.ones(latent_dim))
        self.encoder = Gaussian(latent_dim)
    def loss(self, x):
        q = self.encoder(x)
        recon = self.decoder(q.rsample())
        return (((recon - x) ** 2).sum(1) + kl_divergence(q, self.prior).sum(1)).mean()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "from parts import kl_term, likelihood\n"
            "def loss(params, x):\n    out, a, b = apply(params, x)\n"
            "    return likelihood(out, x) + kl_term(a, b)",
            "likelihood is not in what was pasted",
        ),
        (
            "class Layer(layers.Layer):\n    def call(self, inputs):\n"
            "        mean, log_var = inputs\n"
            "        kl = -0.5 * tf.reduce_sum(1 + log_var - mean**2 - tf.exp(log_var))\n"
            "        self.add_loss(kl)\n        return mean",
            "no term compares an output with a picture",
        ),
        (
            "def fit(x, learning_rate=1e-3):\n    net.fit(x, lr=learning_rate)",
            "No loss was found",
        ),
    ],
    ids=["imported", "kl alone", "none"],
)
def test_what_was_not_pasted_is_named(code: str, words: str) -> None:
    found = your_loss.read(code)
    assert not found.read
    assert words in found.message


def test_a_print_of_version_2_may_go_on_for_lines() -> None:
    code = f"""
for x in loader:
    y, mu, logvar = net(x)
    loss = F.mse_loss(y, x, reduction="sum") + torch.sum({KL})
    print 'loss {{}} {{}}'.format(
        loss.item(),
        epoch)
    loss.backward()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_what_a_comment_says_of_the_data_is_not_done() -> None:
    code = f"""
def loss(x, y, mu, logvar):
    # x = x * 0.3081 + 0.1307, were it standardised
    bce = F.binary_cross_entropy(y, x, reduction="sum")
    return (bce + torch.sum({KL})) / x.shape[0]
"""
    found = your_loss.read(code)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(1.0))


@pytest.mark.parametrize("output", ["y", "(y + 1) / 2"])
def test_pictures_that_the_loss_brings_to_0_and_1(output: str) -> None:
    code = f"""
transform = transforms.Normalize((0.5,), (0.5,))
def loss(y, x, mu, logvar, beta=3.0):
    shown = (x + 1) / 2
    bce = F.binary_cross_entropy({output}, shown, reduction="sum")
    return bce + beta * torch.sum({KL})
"""
    found = your_loss.read(code)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(3.0))
    assert not found.faults


def test_a_mean_times_a_written_number_of_pixels_is_a_sum() -> None:
    code = """
def vae_loss(y_true, y_pred):
    error = mse(K.flatten(y_true), K.flatten(y_pred))
    error *= 28 * 28
    kl = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
    return K.mean(error + kl)
"""
    found = your_loss.read("from keras.losses import mse\n" + code, image=(28, 28, 1))
    assert found.sigma2 == pytest.approx(0.5)
    assert not found.faults


def test_checks_of_settings_do_not_hide_a_loss() -> None:
    code = f"""
class Net(nn.Module):
    def __init__(self, image_size, kernel=5):
        if kernel > 3:
            raise ValueError("too wide")
    def loss(self, recon, x, mu, logvar, **kwargs):
        if "weight" not in kwargs.keys():
            raise ValueError("weight is needed")
        kl = torch.mean({KL}, dim=0)
        return F.mse_loss(recon, x) + kwargs["weight"] * kl
"""
    found = your_loss.read(code, image=(3, 16, 16), constants={"weight": 0.01})
    assert found.sigma2 == pytest.approx(0.01 * 768 / 2)


def test_products_with_weights_are_a_network() -> None:
    code = """
def build(X, w1, w2, w_mean, w_std, b):
    h = tf.nn.relu(tf.matmul(X, w1) + b)
    mean = tf.matmul(h, w_mean) + b
    std = 1e-6 + tf.nn.softplus(tf.matmul(h, w_std) + b)
    z = mean + std * tf.random_normal(tf.shape(mean), 0, 1)
    X_out = tf.nn.sigmoid(tf.matmul(z, w2) + b)
    fit = tf.reduce_mean(tf.reduce_sum(X * tf.log(X_out) + (1 - X) * tf.log(1 - X_out), 1))
    kl = tf.reduce_mean(
        0.5 * tf.reduce_sum(tf.square(mean) + tf.square(std) - tf.log(tf.square(std)) - 1, 1)
    )
    return -fit + kl
"""
    found = your_loss.read(code)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(1.0))


def test_layers_flatten_and_networks_are_mapped_over_a_batch() -> None:
    flat = """
class Net:
    def __init__(self):
        self.image = tf.placeholder(tf.float32, [None, 28, 28, 1])
        self.mean, self.log_var = self.encoder(self.image)
        self.rebuilt = self.decoder(self.mean)
    def loss(self):
        error = tf.square(tf.layers.flatten(self.rebuilt) - tf.layers.flatten(self.image))
        kl = 0.5 * tf.reduce_sum(tf.exp(self.log_var) + self.mean**2 - 1.0 - self.log_var, 1)
        return tf.reduce_mean(tf.reduce_sum(error, axis=1) + kl)
"""
    assert your_loss.read(flat).sigma2 == pytest.approx(0.5)
    mapped = """
def loss_fn(model, batch, key):
    recon, mu, logvar = jax.vmap(model)(batch, jax.random.split(key, batch.shape[0]))
    error = jnp.sum((batch - recon) ** 2, axis=(1, 2, 3))
    kl = -0.5 * jnp.sum(1 + logvar - jnp.square(mu) - jnp.exp(logvar), axis=1)
    return jnp.mean(error + kl)
"""
    assert your_loss.read(mapped, image=(3, 16, 16)).sigma2 == pytest.approx(0.5)


def test_quotes_within_formatted_texts_of_newer_python() -> None:
    code = f"""
def loss(x, y, mu, logvar):
    print(f"{{log["step"]}} of {{log["all"]}}", f'{{log['name']}}')
    return F.mse_loss(y, x, reduction="sum") + torch.sum({KL})
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_a_loop_that_runs_only_as_a_script_is_read() -> None:
    code = f"""
def squared(x, y):
    return F.mse_loss(x, y, reduction="sum")
if __name__ == "__main__":
    beta = 4
    for images in DataLoader(pictures, 64):
        recon, mu, logvar = net(images)
        total = squared(images, recon) + beta * torch.sum({KL})
        total.backward()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(2.0)


def test_tabs_of_version_2_are_eight_spaces() -> None:
    code = """
class Net(object):
    def loss(self, x, y, mu, logvar):
\terror = tf.reduce_sum(tf.square(x - y), 1)
\tkl = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mu) - tf.exp(logvar), 1)
\treturn tf.reduce_mean(error + kl)
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_a_prior_made_of_arrays_of_the_size_of_the_latents() -> None:
    code = """
ones = np.ones([params["batch_size"], params["latentD"]])
prior = torch.distributions.normal.Normal(
    loc=torch.tensor(np.zeros([params["batch_size"], params["latentD"]])).float(),
    scale=torch.tensor(ones).to(device).float(),
)
for data in loader:
    images, means, scales = net(data)
    q = torch.distributions.normal.Normal(loc=means, scale=scales)
    kl = torch.mean(torch.sum(torch.distributions.kl.kl_divergence(q, prior), dim=[1]))
    error = torch.mean(torch.sum(F.mse_loss(images, data, reduction="none"), dim=[1, 2, 3]))
    (error + kl).backward()
"""
    assert your_loss.read(code, image=(1, 8, 8)).sigma2 == pytest.approx(0.5)


def test_a_sum_over_one_axis_asks_for_the_shape_that_was_only_guessed() -> None:
    code = f"""
def loss(x, y, mu, logvar):
    return torch.mean(torch.sum((x - y) ** 2, 1) + {KL})
show(sample.view(-1, 28, 28, 1))
shapes = (28, 28, 1)
"""
    asked = your_loss.read(code)
    assert not asked.read
    assert "28x28x1" in asked.message
    assert "rows of 784" in asked.message
    assert your_loss.read(code, image=784).sigma2 == pytest.approx(0.5)
    assert your_loss.read(code, image=(28, 28, 1)).sigma2 == pytest.approx(14.0)


def test_a_default_is_not_taken_where_the_caller_could_not_be_followed() -> None:
    code = f"""
def loss(x, y, mu, logvar, beta=0.1):
    return F.mse_loss(y, x, reduction="sum") + beta * torch.sum({KL})
show(torch.zeros(10**9, 10**9, 10**9).sum())
for x in loader:
    y, mu, logvar = net(x)
    total = loss(x, y, mu, logvar, beta=7.0)
    total.backward()
"""
    # What is shown beside it takes too much and is left; the caller's own weight counts.
    assert your_loss.read(code).sigma2 == pytest.approx(3.5)


def test_moments_side_by_side_are_split() -> None:
    code = f"""
def train_loss(self, img):
    mean_log_var = self.to_mean_and_log_var(self.encoder(img))
    mu, logvar = torch.chunk(mean_log_var, chunks=2, dim=1)
    rebuilt = self.decoder(mu + torch.exp(0.5 * logvar) * torch.randn_like(mu))
    return F.mse_loss(rebuilt, img, reduction="sum") + torch.sum({KL})
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("keras.losses.kl_divergence(mu, logvar)", "two lists of probabilities"),
        ("keras.losses.KLDivergence()(mu, logvar)", "two lists of probabilities"),
        ("nn.KLDivLoss()(mu, logvar)", "two lists of probabilities"),
        ("tfp.layers.KLDivergenceRegularizer(prior)", "inside of a layer"),
    ],
)
def test_a_kl_of_something_else_is_no_kl_to_the_prior(term: str, words: str) -> None:
    found = your_loss.read(
        f"def loss(x, y, mu, logvar):\n    error = ((x - y) ** 2).sum()\n    return error + {term}"
    )
    assert not found.read
    assert words in found.message


@pytest.mark.parametrize("small", ["1e-10", "1e-8", "1e-7", "1e-6", "1e-5", "0.001"])
@pytest.mark.parametrize("batch", [3, 128])
def test_a_guard_in_the_logarithms_leaves_a_cross_entropy_what_it_is(
    small: str, batch: int
) -> None:
    code = f"""
def loss(x, y, mu, logvar):
    hit = x * torch.log(y + {small}) + (1 - x) * torch.log(1 - y + {small})
    return torch.mean(3 * ({KL}) - hit.sum(1))
"""
    found = your_loss.read(code, batch=batch)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(3.0, rel=1e-6))


def test_what_is_no_number_is_no_square() -> None:
    code = f"""
def loss(x, y, mu, logvar):
    hit = x * torch.log(y + 0.02) + (1 - x) * torch.log(1.5 - y)
    return torch.mean({KL} - hit.sum(1))
"""
    assert not your_loss.read(code).read


@pytest.mark.parametrize(
    ("error", "family"),
    [
        ("F.binary_cross_entropy(y, x, reduction='sum')", "bernoulli"),
        ("-torch.sum(x * torch.log(y + 1e-8) + (1 - x) * torch.log(1 - y + 1e-8))", "bernoulli"),
        ("F.mse_loss(y, x, reduction='sum')", "gaussian"),
    ],
)
def test_bytes_that_the_loss_divides_are_compared_in_unit_pixels(error: str, family: str) -> None:
    code = f"""
def loss(x, y, mu, logvar):
    x = x.float() / 255.0
    return {error} + torch.sum({KL})
"""
    found = your_loss.read(code)
    assert found.family == family
    assert found.data_range == (0.0, 1.0)
    if family == "gaussian":
        assert (found.sigma2, found.sigma2_unit) == (pytest.approx(0.5), pytest.approx(0.5))
    else:
        assert found.beta == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("name", ["BETA_KL", "KL_ALPHA", "kl_gamma"])
def test_the_weight_of_a_kl_is_asked_for_by_its_name(name: str) -> None:
    code = f"""
from .config import {name}
def loss(x, y, mu, logvar):
    return F.mse_loss(y, x, reduction="sum") + {name} * torch.sum({KL})
"""
    assert f"{name} has no value in this code" in your_loss.read(code).message
    assert your_loss.read(code, constants={name: 3.0}).sigma2 == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("scale", "width", "given", "twice", "said"),
    [
        ("logvar", "torch.exp(logvar)", "logvar", "", "too narrow"),
        ("logvar", "logvar.exp()", "logvar", "", "too narrow"),
        ("log_sigma", "torch.exp(log_sigma / 2)", "log_sigma", "2 * ", "too wide"),
        ("logvar", "torch.exp(0.5 * logvar)", "logvar", "", ""),
        ("logvar", "logvar.mul(0.5).exp_()", "logvar", "", ""),
        ("logvar", "torch.sqrt(torch.exp(logvar))", "logvar", "", ""),
        ("log_sigma", "torch.exp(log_sigma)", "log_sigma", "2 * ", ""),
        # Half of it is what the function is called with.
        ("logvar", "torch.exp(logvar)", "0.5 * logvar", "", ""),
    ],
)
def test_a_draw_of_another_width_than_the_kl_counts_is_a_fault(
    scale: str, width: str, given: str, twice: str, said: str
) -> None:
    code = f"""
class Net(nn.Module):
    def draw(self, mu, {scale}):
        width = {width}
        return mu + torch.randn_like(width) * width
    def loss(self, x):
        mu, {scale} = self.encoder(x)
        y = self.decoder(self.draw(mu, {given}))
        log = {twice}{scale}
        kl = -0.5 * torch.sum(1 + log - mu.pow(2) - log.exp())
        return F.mse_loss(y, x, reduction="sum") + kl
"""
    found = [fault for fault in your_loss.read(code).faults if fault.kind == "draw-scale"]
    assert [said in fault.text and fault.line for fault in found] == ([5] if said else [])


@pytest.mark.parametrize(
    "loop",
    [
        "for beta in [1.0, 4.0, 16.0]:",
        "for number, beta in enumerate((1.0, 4.0, 16.0)):",
        "for beta, rate in zip([1.0, 4.0], [1e-3, 1e-4]):",
    ],
)
def test_of_several_weights_in_turn_none_is_taken(loop: str) -> None:
    code = f"""
def experiments(beta=7.0):
    {loop}
        net = Net()
        for x in loader:
            y, mu, logvar = net(x)
            loss = F.mse_loss(y, x, reduction="sum") + beta * torch.sum({KL})
            loss.backward()
"""
    asked = your_loss.read(code)
    assert not asked.read
    assert "beta has several values" in asked.message
    assert your_loss.read(code, constants={"beta": 4.0}).sigma2 == pytest.approx(2.0)


def test_what_a_loop_changes_beside_the_loss_is_not_asked_for() -> None:
    code = f"""
for seed in [1, 2, 3]:
    torch.manual_seed(seed)
    for phase in ["train", "val"]:
        for x in loader:
            y, mu, logvar = net(x)
            loss = F.mse_loss(y, x, reduction="sum") + torch.sum({KL})
            if phase == "train":
                loss.backward()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_a_draw_of_z_is_not_told_to_be_the_loss() -> None:
    code = """
class Draw(layers.Layer):
    def call(self, inputs):
        mu, sigma = inputs
        return mu + tf.exp(0.5 * sigma) * K.random_normal(shape=K.shape(mu))
class Model(keras.Model):
    def train_step(self, data):
        mu, sigma, z = self.encoder(data)
        y = self.decoder(z)
        error = keras.losses.binary_crossentropy(data, y)
        error = tf.reduce_mean(tf.reduce_sum(error, axis=(1, 5)))
        kl = -0.5 * (1 + sigma - tf.square(mu) - tf.exp(sigma))
        loss = error + tf.reduce_mean(tf.reduce_sum(kl, axis=1))
"""
    found = your_loss.read(code)
    assert not found.read
    assert "asks of the latents" not in found.message


def test_a_comparison_of_shapes_that_do_not_fit_is_named_by_its_line() -> None:
    code = f"""
def loss(x, recon, mu, logvar):
    error = F.mse_loss(recon, x.view(784, 128), reduction="sum")
    return error, torch.sum({KL})
def fit():
    for x in loader:
        recon, mu, logvar = net(x)
        error, kl = loss(x, recon, mu, logvar)
        whole = kl / len(x)
        whole.backward()
"""
    found = your_loss.read(code, image=784, batch=128)
    assert not found.read
    assert found.message.startswith("Line 3 could not be followed: mse_loss")
