"""What a whole file decides beside its loss and what it leaves open: files, counters, rounds."""

import pytest

from vae import your_loss

KL = "-0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())"


@pytest.mark.parametrize(
    "check",
    [
        "if not source.exists():\n        raise FileNotFoundError(source)",
        "if not torch_is_there:\n        raise ImportError('torch')",
    ],
)
def test_a_check_of_files_is_not_met_by_a_guess(check: str) -> None:
    code = f"""
from pathlib import Path
HERE = Path(__file__).parent
def main():
    source = HERE / "data" / "all.npz"
    torch_is_there = False
    {check}
    for epoch in range(20):
        for x in DataLoader(load(source)):
            recon, mu, logvar = net(x)
            loss = F.mse_loss(recon, x, reduction="sum") + 2.0 * {KL}
            loss.backward()
main()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(1.0)


def test_weights_that_are_loaded_where_a_file_is_there_are_no_setting() -> None:
    code = f"""
class Net(nn.Module):
    def __init__(self):
        self.scale = 3.0
        if os.path.exists("state.pt"):
            self.scale = torch.load("state.pt")["scale"]
    def loss(self, recon, x, mu, logvar):
        return F.mse_loss(recon, x, reduction="sum") + self.scale * {KL}
"""
    assert your_loss.read(code).sigma2 == pytest.approx(1.5)


def test_a_file_that_brings_another_number_is_asked_for() -> None:
    code = f"""
scale = 3.0
if os.path.exists("strong.txt"):
    scale = 5.0
recon, mu, logvar = net(x)
loss = F.mse_loss(recon, x, reduction="sum") + scale * {KL}
"""
    found = your_loss.read(code)
    assert not found.read
    assert "os.path.exists('strong.txt')" in found.message


def test_a_schedule_over_all_epochs_is_read_at_its_end() -> None:
    code = f"""
class Net(nn.Module):
    def __init__(self, width, total_epochs):
        self.total_epochs = total_epochs
    def loss(self, recon, x, mu, logvar, epoch):
        weight = min(4.0, 4.0 * epoch / self.total_epochs)
        return F.mse_loss(recon, x, reduction="sum") + weight * {KL}
"""
    assert your_loss.read(code).sigma2 == pytest.approx(2.0)


def test_a_schedule_that_never_ends_is_asked_for() -> None:
    code = f"""
def loss(recon, x, mu, logvar, epoch, n_epochs):
    weight = epoch / n_epochs
    return F.mse_loss(recon, x, reduction="sum") + weight * {KL}
"""
    found = your_loss.read(code)
    assert not found.read
    assert "epoch" in found.message


def test_columns_of_two_kinds_have_no_one_belief() -> None:
    code = f"""
def train(columns, loader, model):
    for x in loader:
        mu, logvar, y = model(x)
        start, error = 0, 0
        for column in columns:
            end = start + column.width
            if column.kind != "softmax":
                error += ((x[:, start] - y[:, start]) ** 2 / model.sigma[start] ** 2).sum()
            else:
                error += F.cross_entropy(y[:, start:end], x[:, start:end].argmax(1),
                                         reduction="sum")
            start = end
        loss = error + {KL}
        loss.backward()
"""
    found = your_loss.read(code)
    assert not found.read
    assert found.beta is None


def test_a_condition_in_the_rounds_of_a_network_changes_nothing() -> None:
    code = f"""
def train(loader, blocks):
    for x in loader:
        h = x
        for block in blocks:
            if block.skips:
                h = block(h)
            h = block.act(h)
        recon, mu, logvar = head(h)
        loss = F.mse_loss(recon, x, reduction="sum") + {KL}
        loss.backward()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_the_weight_of_a_kl_above_a_threshold_is_asked_for() -> None:
    code = """
def loss(recon, x, mu, logvar, gamma):
    kl = -0.5 * torch.mean(1 + logvar - mu.pow(2) - logvar.exp())
    return F.mse_loss(recon, x) + gamma * torch.clamp(kl - 40.0, min=0)
"""
    found = your_loss.read(code)
    assert not found.read
    assert "gamma" in found.message
    turned = your_loss.read(code, constants={"gamma": -1.0})
    assert "kl-sign" in [fault.kind for fault in turned.faults]


def test_an_order_of_three_axes_is_not_taken_for_a_row() -> None:
    code = f"""
def loss(self, x, out, mu, logvar):
    error = F.cross_entropy(out[0].permute(0, 2, 1), x.argmax(-1), reduction="none")
    kl = {KL[:-1]}, dim=1)
    return (error + kl.reshape(-1, 1)).mean(-1).mean()
"""
    found = your_loss.read(code, image="30x7")
    assert (found.family, found.beta) == ("categorical", pytest.approx(30.0))
    assert not your_loss.read(code, image=210).read


def test_parts_of_a_picture_that_are_compared_one_by_one_are_the_whole() -> None:
    code = f"""
def loss(out, x, mu, logvar):
    error = 0
    for part in range(4):
        error = error + F.cross_entropy(out[:, :, part], x[:, part], reduction="sum")
    return error + 3.0 * {KL}
"""
    found = your_loss.read(code, image="4x6")
    assert (found.family, found.beta) == ("categorical", pytest.approx(3.0))


def test_a_second_cross_entropy_beside_the_whole_has_no_one_weight() -> None:
    code = f"""
def loss(out, x, mu, logvar):
    error = F.cross_entropy(out, x, reduction="sum")
    error = error + 0.5 * F.cross_entropy(out, x, reduction="mean")
    return error + {KL}
"""
    found = your_loss.read(code, image="4x6")
    assert not found.read


def test_classes_of_a_grey_picture_stand_in_place_of_its_channel() -> None:
    code = """
for x, y in loader:
    y = y.to(device).long()[:, 0, :, :] * 255
    mu, logvar = encoder(x)
    recon = decoder(mu + torch.exp(0.5 * logvar) * torch.randn_like(mu))
    error = (F.cross_entropy(recon, y, reduction="none") / x.shape[0]).sum()
    q = Normal(mu, (0.5 * logvar).exp())
    kl = (kl_divergence(q, Normal(0.0, 1.0)) / x.shape[0]).sum()
    loss = error + 2 * kl
    loss.backward()
"""
    found = your_loss.read(code)
    assert (found.family, found.beta) == ("categorical", pytest.approx(2.0))


LOSS = f"""
def loss(recon, x, mu, logvar):
    return F.mse_loss(recon, x, reduction="sum") + {KL}
"""


@pytest.mark.parametrize(
    "broken",
    [
        "def draw(points):\n    for i in range(10):\n    # nothing\n    if i:\n        pass\n",
        "def show(points)\n    plot(points)\n",
        "plot(points\n",
    ],
)
def test_what_is_no_python_and_speaks_of_no_loss_is_left_out(broken: str) -> None:
    around = "import numpy as np\n\n\ndef load(path):\n    return np.load(path)\n"
    found = your_loss.read(f"{LOSS}\n\n{around}\n\n{broken}")
    assert found.sigma2 == pytest.approx(0.5)
    assert any("is not Python" in item.text for item in found.unknown)


def test_what_is_no_python_and_speaks_of_the_loss_is_refused() -> None:
    around = "import numpy as np\n\n\ndef load(path):\n    return np.load(path)\n"
    found = your_loss.read(f"{LOSS}\n\n{around}\n\ndef train(x):\n    loss(x) * beta)\n")
    assert not found.read
    assert "is not Python" in found.message


def test_parameters_of_types_are_passed_over() -> None:
    code = f"def first[T](values: list[T]) -> T:\n    return values[0]\n{LOSS}"
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


def test_a_weight_that_no_branch_sets_is_not_taken_from_another() -> None:
    code = f"""
def train(mode, strong):
    for epoch in range(40):
        if mode == "rising":
            weight = strong * epoch
        elif mode == "off":
            weight = 0.0
        else:
            raise ValueError(mode)
        for x in loader:
            recon, mu, logvar = net(x)
            loss = F.mse_loss(recon, x, reduction="sum") + weight * {KL}
            loss.backward()
"""
    found = your_loss.read(code)
    assert not found.read
    assert found.sigma2 is None
    assert your_loss.read(code, constants={"mode": "off"}).kl_form == "inert"


def test_what_an_adversary_gives_beside_its_judgement_is_no_picture() -> None:
    code = f"""
def step(self, x):
    mu, logvar = self.encoder(x)
    y = self.decoder(mu)
    _, real_feat = self.discriminator(x)
    _, rec_feat = self.discriminator(y)
    loss = F.mse_loss(rec_feat, real_feat) + {KL}
    loss.backward()
"""
    assert your_loss.read(code).sigma2 is None


def test_a_row_of_as_many_values_as_unknown_sides_have() -> None:
    code = f"""
class Net(nn.Module):
    def __init__(self, options):
        self.image_height = options["shape"]["image_height"]
        self.image_width = options["shape"]["image_width"]
        self.inner = int(self.image_width / options["stride"])
    def loss(self, recon, x, mu, logvar):
        size = self.image_height * self.image_width
        error = F.binary_cross_entropy(recon.view(-1, size), x.view(-1, size), reduction="sum")
        return error + 2.0 * {KL}
"""
    found = your_loss.read(code)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(2.0))


def test_log_probabilities_are_picked_by_classes_and_not_weighed() -> None:
    code = f"""
def loss(log_probs, x, mu, logvar):
    return F.nll_loss(log_probs.permute(0, 2, 1), x) + {KL} / len(x)
"""
    found = your_loss.read(code)
    assert found.sizes is not None
    assert (found.family, found.beta) == ("categorical", pytest.approx(found.sizes.image[0]))
    assert len(found.sizes.image) == 1


@pytest.mark.parametrize(
    "error",
    [
        "(F.mse_loss(recon, x, reduction='none') * mask).sum()",
        "F.mse_loss(recon * mask, x * mask, reduction='sum')",
        "(mask.unsqueeze(-1).float() * (recon - x) ** 2).sum()",
    ],
)
def test_a_mask_is_read_as_if_nothing_were_left_out(error: str) -> None:
    code = f"def loss(recon, x, mask, mu, logvar):\n    return {error} + 2 * {KL}\n"
    found = your_loss.read(code)
    assert found.sigma2 == pytest.approx(1.0)
    assert any("nothing were left out" in fault.text for fault in found.faults)


@pytest.mark.parametrize(
    "error",
    [
        "((recon - x) ** 2 * mask).sum() / mask.sum()",
        "((recon - x) ** 2 * (0.2 + mask)).sum()",
        "((recon - x) ** 2 * (mask + 4 * (1 - mask))).sum()",
    ],
)
def test_a_mask_that_counts_or_weighs_is_not_guessed(error: str) -> None:
    code = f"def loss(recon, x, mask, mu, logvar):\n    return {error} + {KL}\n"
    assert not your_loss.read(code).read


def test_packed_sequences_are_read_without_their_padding() -> None:
    code = f"""
from torch.nn.utils.rnn import pack_padded_sequence
def train(loader):
    criterion = nn.CrossEntropyLoss(reduction="sum")
    for tokens, lengths in loader:
        logits, mu, logvar = model(tokens, lengths)
        kept = pack_padded_sequence(logits, lengths, batch_first=True).data
        wanted = pack_padded_sequence(tokens, lengths, batch_first=True)[0]
        loss = (criterion(kept, wanted) + 0.5 * {KL}) / tokens.size(0)
        loss.backward()
"""
    found = your_loss.read(code)
    assert (found.family, found.beta) == ("categorical", pytest.approx(0.5))


@pytest.mark.parametrize(
    "scale", ["scale_tril=torch.diag_embed(std)", "torch.diag_embed(std.pow(2))"]
)
def test_a_matrix_of_scales_on_its_diagonal_is_a_scale(scale: str) -> None:
    code = f"""
def loss(recon, x, mu, std):
    q = torch.distributions.MultivariateNormal(mu, {scale})
    p = torch.distributions.MultivariateNormal(torch.zeros(20), torch.eye(20))
    error = F.mse_loss(recon, x, reduction="none").sum(1).mean()
    return error + 2.0 * torch.distributions.kl_divergence(q, p).mean()
"""
    assert your_loss.read(code, latents=20).sigma2 == pytest.approx(1.0)


def test_a_masked_error_that_is_not_known_is_not_left_out_under_another_name() -> None:
    code = f"""
def step(self, x, length):
    recon, mu, logvar = self.net(x)
    mask = torch.tensor(lengths_to_rows(length))
    nll_loss = mask * self.tokens_loss(self.logits, x)
    bag = F.binary_cross_entropy_with_logits(recon, x, reduction="sum")
    loss = nll_loss.sum() + bag + {KL}
    loss.backward()
"""
    assert not your_loss.read(code).read


def test_what_a_classifier_is_told_stands_beside_the_picture() -> None:
    code = f"""
def step(x, labels, net):
    recon, mu, logvar, logits = net(x)
    loss = F.mse_loss(recon, x, reduction="sum") + 3 * {KL}
    loss = loss + 0.1 * F.cross_entropy(logits, labels)
    loss.backward()
"""
    found = your_loss.read(code)
    assert found.sigma2 == pytest.approx(1.5)
    assert found.unknown


def test_tokens_beside_no_picture_are_no_labels() -> None:
    code = f"""
def step(tokens, net):
    logits, mu, logvar = net(tokens)
    loss = F.cross_entropy(logits, tokens, reduction="sum") + 3 * {KL}
    loss.backward()
"""
    found = your_loss.read(code)
    assert (found.family, found.beta) == ("categorical", pytest.approx(3.0))
