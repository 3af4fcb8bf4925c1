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
    def __init__(self, shape, latent_dim=32):
        self.limit = 0
        mean = Dense(latent_dim)(features)
        log_var = Dense(latent_dim)(features)
        def squared(x, y):
            return tf.losses.MeanSquaredError()(x, y) * np.prod(shape)
        def held(x, y):
            self.limit += 1 / 100
            self.limit = min(self.limit, 40)
            kl = -0.5 * tf.reduce_mean(1 + log_var - mean**2 - tf.exp(log_var))
            return 50 * tf.abs(kl - self.limit)
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
