"""Which of a file's losses is trained, with which numbers, and what must not be taken for it."""

import pytest

from vae import your_loss

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"
KL = "-0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())"
LOSS = f"""
def vae_loss(recon, x, mu, logvar, kl_weight=1):
    return F.mse_loss(recon, x, reduction="sum") + kl_weight * {KL}
"""


def test_a_setting_that_is_handed_over_is_not_the_default_of_what_takes_it() -> None:
    code = f"""{HEAD}{LOSS}
class Trainer:
    def __init__(self, opt):
        self.kl_weight = opt.kl_weight
        self.loss_fn = vae_loss
    def train_step(self, x):
        recon, mu, logvar = self.model(x)
        loss = self.loss_fn(recon, x, mu, logvar, self.kl_weight)
        loss.backward()
"""
    found = your_loss.read(code)
    assert not found.read
    assert "opt.kl_weight" in found.message
    given = your_loss.read(code, constants={"opt.kl_weight": 3.0})
    assert given.sigma2 == pytest.approx(1.5)


def test_a_function_under_another_name_is_what_is_trained() -> None:
    code = f"""{HEAD}{LOSS}
def train_epoch(model, criterion, loader):
    for x in loader:
        recon, mu, logvar = model(x)
        loss = criterion(recon, x, mu, logvar)
        loss.backward()
def main(model, loader):
    criterion = vae_loss
    train_epoch(model, criterion, loader)
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_what_leaves_early_and_what_only_looks_take_no_roles() -> None:
    code = f"""{HEAD}
class VAE(nn.Module):
    def forward(self, x):
        mu, logvar = self.encode(x)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return self.decode(z), mu, logvar
    def look(self, x, step):
        with torch.no_grad():
            recon, mu, logvar = self.forward(x)
            save_image(recon, str(step))
    def fit(self, data, kl_weight, force_train=False):
        exists = os.path.exists("vae.pt")
        if exists and not force_train:
            self.load()
            return
        self.look(data, 0)
        for x in loader(data):
            recon, mu, logvar = self.forward(x)
            loss = F.mse_loss(recon, x, reduction="sum") + kl_weight * {KL}
            loss.backward()
"""
    assert your_loss.read(code, constants={"kl_weight": 4.0}).sigma2 == pytest.approx(2.0)


def test_a_loss_that_nothing_calls_is_not_the_one_that_is_trained() -> None:
    code = f"""{HEAD}
def pose_loss(joints, pose, mu, logvar, robot, beta=0.02):
    return robot.distance(joints, pose) + beta * {KL}
def joint_loss(joints, true_joints, mu, logvar, beta=0.01):
    return F.mse_loss(joints, true_joints, reduction="sum") + beta * {KL}
def train(model, loader, robot):
    for pose, joints in loader:
        made, mu, logvar = model(pose, joints)
        loss = pose_loss(made, pose, mu, logvar, robot)
        loss.backward()
"""
    found = your_loss.read(code)
    assert not found.read
    assert "pose_loss" in found.message


def test_a_setting_without_a_telling_name_that_weighs_the_kl_is_asked_for() -> None:
    code = f"""import config
{HEAD}
def loss(recon, x, mu, logvar):
    return F.mse_loss(recon, x, reduction="sum") + config.KL_IMPORTANCE * {KL}
"""
    assert "config.KL_IMPORTANCE" in your_loss.read(code).message
    given = your_loss.read(code, constants={"config.KL_IMPORTANCE": 6.0})
    assert given.sigma2 == pytest.approx(3.0)


def test_codes_that_are_rebuilt_are_the_picture() -> None:
    code = f"""{HEAD}
def loss(x_recon, z, mu, logvar):
    return F.mse_loss(x_recon, z, reduction="sum") + {KL}
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_an_evaluation_does_not_stand_for_a_training_that_was_not_followed() -> None:
    code = f"""{HEAD}
class Text(nn.Module):
    def trainer(self, optimizer):
        def train(batch):
            out, kld = self.run(batch)
            loss = 79 * lexical(out, batch) + weight_of(step) * kld
            loss.backward()
        return train
    def validate(self, x):
        recon, mu, logvar = self.net(x)
        return F.mse_loss(recon, x, reduction="sum") + {KL}
"""
    found = your_loss.read(code)
    assert not found.read
    assert "loss.backward()" in found.message


def test_errors_that_nothing_has_summed_are_no_loss_yet() -> None:
    code = f"""{HEAD}
def terms(x, recon, mu, logvar):
    error = 0.5 * (x.view(len(x), -1) - recon.view(len(recon), -1)) ** 2
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), 1)
    return error, kl
"""
    assert not your_loss.read(code).read


def test_numbers_and_classes_side_by_side_are_two_beliefs() -> None:
    code = f"""{HEAD}
def loss(stats, types, stats_true, types_true, mu, logvar):
    error = F.mse_loss(stats, stats_true, reduction="sum")
    more = F.binary_cross_entropy_with_logits(types, types_true, reduction="sum")
    return error + more + {KL}
"""
    found = your_loss.read(code)
    assert not found.read
    assert "two beliefs" in found.message


def test_a_variance_of_the_output_has_a_number_for_each_pixel() -> None:
    code = f"""{HEAD}
def loss(mu_x, var_x, x, mu, logvar):
    mu_x, var_x, x = mu_x.squeeze(1), var_x.squeeze(1), x.squeeze(1)
    return 0.5 * torch.sum(torch.log(var_x) + (x - mu_x) ** 2 / var_x) + {KL}
"""
    assert your_loss.read(code).family == "gaussian-learned"


def test_noise_may_fill_an_empty_array() -> None:
    code = f"""{HEAD}
def step(x, encoder, decoder):
    mu, logvar = encoder(x)
    z = mu + torch.exp(0.5 * logvar) * torch.empty_like(mu).normal_()
    loss = F.mse_loss(decoder(z), x, reduction="sum") + {KL}
    loss.backward()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_errors_of_version_2_of_python_may_be_raised_with_a_comma() -> None:
    code = f"""{HEAD}
kind = "mse"
def loss(recon, x, mu, logvar):
    try:
        check(x)
    except ValueError, error:
        print error
    if kind == "mse":
        return F.mse_loss(recon, x, reduction="sum") + {KL}
    else:
        raise ValueError, "unknown kind"
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_a_shape_of_no_values_is_never_tried() -> None:
    code = f"""{HEAD}
def loss(recon, x, mu, logvar):
    shift = torch.zeros(0)
    return F.mse_loss(recon, x, reduction="sum") + (({KL}) * (mu + shift)).sum()
"""
    assert not your_loss.read(code).read


@pytest.mark.parametrize("used", ["recon / {E}", "recon * {E}", "torch.where(flag, recon, {E})"])
def test_a_second_error_that_is_no_term_of_its_own_is_not_dropped(used: str) -> None:
    code = f"""{HEAD}
def terms(x_hat, x, mu, logvar):
    return F.mse_loss(x_hat, x, reduction="sum") + {KL}
def train(model, loader):
    for x, _ in loader:
        x_hat, mu, logvar = model(x)
        recon = terms(x_hat, x, mu, logvar)
        loss = {used.format(E="F.mse_loss(x_hat2, x2)")}
        loss.backward()
"""
    assert not your_loss.read(code).read


def test_pictures_drawn_without_gradients_take_no_longer_than_one() -> None:
    grid = f"""{HEAD}
for x in loader:
    recon, mu, logvar = model(x)
    loss = F.mse_loss(recon, x, reduction="sum") + {KL}
    loss.backward()
with torch.no_grad():
    for i in range(4000):
        for j in range(4000):
            show(model.decode(torch.tensor([[i, j]])).view(28, 28), i, j)
"""
    assert your_loss.read(grid).sigma2 == pytest.approx(0.5)


def test_classes_in_a_row_fit_logits_in_rows() -> None:
    code = f"""{HEAD}
def loss(logits, target, mu, lvar, vocab_size):
    error = F.cross_entropy(logits.view(-1, vocab_size), target)
    kl = torch.mean(-0.5 * torch.sum(1 + lvar - mu.pow(2) - lvar.exp(), 1))
    return error + kl
"""
    found = your_loss.read(code, image=12)
    assert found.family == "categorical"
    assert found.beta == pytest.approx(12.0)
