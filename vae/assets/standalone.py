"""One training run of a variational autoencoder, in one file that needs torch alone.

Written by the Train page with the settings below. The same seed gives the same initial weights,
the same batches and the same noise as there: on a CPU with one thread the losses are equal.

    python NAME [folder with the images]
"""

import gzip
import math
import sys
import zipfile
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

SETTINGS = {}
IMAGES = ""

LOG_2PI = math.log(2 * math.pi)
MIN_LOG_SCALE = -6.0
MAX_LOGIT = 9.21


def read_images(folder):
    """Training and test images as uint8 tensors (N, D), and the pixels D."""
    if IMAGES.endswith(".npz"):
        with zipfile.ZipFile(folder / IMAGES) as file:
            return read_npy(file.read("train.npy")), read_npy(file.read("test.npy"))
    return read_idx(folder / IMAGES, "train"), read_idx(folder / IMAGES, "t10k")


def read_npy(data):
    """A uint8 array as numpy writes it: a header of known length, then the bytes."""
    start = 10 + int.from_bytes(data[8:10], "little")
    shape = data[10:start].split(b"(")[1].split(b")")[0].split(b",")
    count = int(shape[0])
    return torch.frombuffer(bytearray(data[start:]), dtype=torch.uint8).reshape(count, -1)


def read_idx(folder, split):
    """MNIST's own format, compressed or not: 16 bytes of header, then the bytes."""
    path = folder / f"{split}-images-idx3-ubyte"
    data = path.read_bytes() if path.exists() else gzip.decompress(Path(f"{path}.gz").read_bytes())
    count = int.from_bytes(data[4:8], "big")
    return torch.frombuffer(bytearray(data[16:]), dtype=torch.uint8).reshape(count, -1)


def generator(stream):
    """Each use of randomness has its own stream under the one seed."""
    streams = {"weights": 0, "order": 1, "noise": 2, "pixels": 3, "test": 4}
    return torch.Generator().manual_seed(SETTINGS["seed"] + (streams[stream] << 32))


def binarise(images, draws):
    """Bytes 0 or 255, a one with probability byte / 255."""
    drawn = torch.empty_like(images)
    for rows, out in zip(images.split(4096), drawn.split(4096), strict=True):
        u = torch.empty(rows.shape).uniform_(0, 255, generator=draws)
        out.copy_(u < rows).mul_(255)
    return drawn


class LinearEncoder(nn.Module):
    """mean = V x + b; logvar is the same for every x (probabilistic PCA)."""

    def __init__(self, pixels, latents):
        super().__init__()
        self.mean = nn.Linear(pixels, latents)
        self.logvar = nn.Parameter(torch.zeros(latents))

    def forward(self, x):
        mean = self.mean(x)
        return mean, self.logvar.expand_as(mean)


class MlpEncoder(nn.Module):
    def __init__(self, pixels, hidden, latents):
        super().__init__()
        self.hidden = nn.Linear(pixels, hidden)
        self.head = nn.Linear(hidden, 2 * latents)

    def forward(self, x):
        return self.head(F.relu(self.hidden(x))).chunk(2, dim=-1)


class VAE(nn.Module):
    def __init__(self, pixels):
        super().__init__()
        hidden, latents = SETTINGS["hidden_dim"], SETTINGS["latent_dim"]
        if SETTINGS["architecture"] == "linear":
            self.encoder = LinearEncoder(pixels, latents)
            self.decoder = nn.Linear(latents, pixels)
        else:
            self.encoder = MlpEncoder(pixels, hidden, latents)
            self.decoder = nn.Sequential(
                nn.Linear(latents, hidden), nn.ReLU(), nn.Linear(hidden, pixels)
            )
        weights = generator("weights")
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                bound = 1 / math.sqrt(layer.in_features)
                nn.init.uniform_(layer.weight, -bound, bound, generator=weights)
                nn.init.uniform_(layer.bias, -bound, bound, generator=weights)


class Loss(nn.Module):
    """Minus log p(x|z) per pixel, and what the decoder's output means."""

    def __init__(self):
        super().__init__()
        start = math.log(SETTINGS["scale"])
        if SETTINGS["likelihood"] == "gaussian-learned":
            above = start - MIN_LOG_SCALE
            self.free = nn.Parameter(torch.tensor(math.log(math.expm1(above)) + MIN_LOG_SCALE))
        self.variance = torch.tensor(SETTINGS["scale"] ** 2)
        self.updates = 0

    def mean(self, out):
        return out if SETTINGS["architecture"] == "linear" else torch.sigmoid(out)

    def log_scale(self, mean, x):
        kind = SETTINGS["likelihood"]
        if kind == "gaussian":
            return math.log(SETTINGS["scale"])
        if kind == "gaussian-learned":
            return MIN_LOG_SCALE + F.softplus(self.free - MIN_LOG_SCALE)
        if not self.training:
            return 0.5 * self.variance.log()
        with torch.no_grad():
            batch = F.mse_loss(mean, x).clamp_min(math.exp(2 * MIN_LOG_SCALE))
            self.updates += 1
            self.variance.lerp_(batch, max(1 / self.updates, 0.01))
        return 0.5 * batch.log()

    def forward(self, out, x):
        kind = SETTINGS["likelihood"]
        if kind == "bernoulli":
            return F.softplus(out) - x * out
        if kind == "continuous-bernoulli":
            a = MAX_LOGIT * torch.tanh(out / MAX_LOGIT)
            return log_sinhc_half(a) - a * (x - 0.5)
        if kind == "counter-biased":
            h = torch.sigmoid(out) - x
            return h.square() * (2 * x * (1 - x) + h * ((4 / 3) * (1 - 2 * x) - h))
        mean = self.mean(out)
        log_scale = self.log_scale(mean, x)
        power = math.exp if isinstance(log_scale, float) else torch.exp
        return (x - mean).square() * (0.5 * power(-2 * log_scale)) + (log_scale + 0.5 * LOG_2PI)


def log_sinhc_half(a):
    """log(sinh(a/2) / (a/2)): the continuous Bernoulli's normaliser, by its series near 0."""
    near = a.abs() < 1
    square = torch.where(near, a, 0.0).square() / 4
    series = square * (1 / 6 - square * (1 / 180 - square * (1 / 2835 - square / 37800)))
    large = torch.where(near, 1.0, a.abs())
    closed = 0.5 * large + torch.log1p(-torch.exp(-large)) - torch.log(large)
    return torch.where(near, series, closed)


def elbo_loss(model, loss, x, noise):
    """The loss of a batch x (B, D), one value an image: -(log p(x|z) - beta KL)."""
    mean, logvar = model.encoder(x)
    z = mean
    if SETTINGS["sampling"]:
        eps = torch.empty_like(mean).normal_(generator=noise)
        z = torch.addcmul(mean, torch.exp(0.5 * logvar), eps)
    nll = loss(model.decoder(z), x)
    nll = nll.sum(-1) if SETTINGS["reduction"] == "sum" else nll.mean(-1)
    if not SETTINGS["sampling"]:
        return nll
    kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar)
    return nll + SETTINGS["beta"] * kl.sum(-1)


def build_optimizer(model, loss, pixels):
    groups = [{"params": list(model.parameters()), "lr": SETTINGS["learning_rate"]}]
    scale = list(loss.parameters())
    if scale:
        summed = SETTINGS["optimizer"] != "adam" and SETTINGS["reduction"] == "sum"
        rate = SETTINGS["scale_learning_rate"] / (pixels if summed else 1)
        groups.append({"params": scale, "lr": rate})
    if SETTINGS["optimizer"] == "adam":
        return torch.optim.Adam(groups, fused=True)
    momentum = 0.9 if SETTINGS["optimizer"] == "momentum" else 0.0
    return torch.optim.SGD(groups, momentum=momentum, fused=True)


def to_targets(images, draws):
    x = images.to(torch.float32)
    if SETTINGS["likelihood"] == "continuous-bernoulli":
        # Its density has no bound at exact 0 and 1.
        return (x + torch.empty_like(x).uniform_(generator=draws)) / 256
    return x / 255


@torch.no_grad()
def test_loss(model, loss, test):
    draws = generator("test")
    loss.eval()
    total = 0.0
    for images in test.split(1000):
        x = to_targets(images, draws)
        total += float(elbo_loss(model, loss, x, draws).double().sum())
    loss.train()
    return total / len(test)


def main(folder):
    train, test = read_images(folder)
    if SETTINGS["binarise"] != "none":
        once = generator("test")
        test = binarise(test, once)
        if SETTINGS["binarise"] == "static":
            train = binarise(train, once)
    model, loss = VAE(train.shape[1]), Loss()
    optimizer = build_optimizer(model, loss, train.shape[1])
    order, noise, draws = generator("order"), generator("noise"), generator("pixels")
    for epoch in range(1, SETTINGS["epochs"] + 1):
        total = 0.0
        for rows in torch.randperm(len(train), generator=order).split(SETTINGS["batch_size"]):
            images = train[rows]
            if SETTINGS["binarise"] == "resampled":
                images = binarise(images, draws)
            value = elbo_loss(model, loss, to_targets(images, draws), noise).mean()
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            optimizer.step()
            total += float(value.detach()) * len(rows)
        figures = total / len(train), test_loss(model, loss, test)
        print(f"epoch {epoch} train_loss {figures[0]!r} test_loss {figures[1]!r}", flush=True)
    torch.save(model.state_dict(), "vae.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
