"""What a trained model shows: test figures, calibration, a fixed batch rebuilt, a gallery."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from vae.config import TrainConfig
from vae.engine.batches import Pixels
from vae.engine.elbo import Elbo, build_elbo, kl_diag_gaussian, reparameterize
from vae.engine.likelihoods import Bernoulli
from vae.engine.models import VAE
from vae.images.sets import ImageData
from vae.wire.events import CalibrationBin, GalleryEvent, ReconstructionEvent

BINS = 20
STRIP_IMAGES = 10
GALLERY_CODES = 2000
GALLERY_PRIOR = 30
MAX_TRAVERSALS = 6
TRAVERSAL_STEPS = 9
GRID_STEPS = 12
GRID_REACH = 3.0
TEST_BATCH = 1000


def forward(
    model: VAE, x: Tensor, generator: torch.Generator, config: TrainConfig
) -> tuple[Elbo, Tensor]:
    """The ELBO's terms for x (B, D) and the decoder's output (B, D).

    Without ``config.sampling`` z is the mean of q(z|x) and the KL has no weight: a plain
    autoencoder.
    """
    mean, logvar = model.encode(x)
    z = reparameterize(mean, logvar, generator) if config.sampling else mean
    output = model.decode(z)
    log_prob = model.likelihood.log_prob(output, x)
    beta = config.beta if config.sampling else 0.0
    return build_elbo(log_prob, mean, logvar, beta=beta, reduction=config.reduction), output


class TestFigures:
    """Sums over the test set, in Python floats, and the means they give.

    They are taken on the CPU: not every device has float64.
    """

    # The name begins with Test; pytest must not collect it.
    __test__ = False

    def __init__(self, latents: int) -> None:
        self.images = 0
        self.bits: dict[str, float] = {}
        self.sums = {"loss": 0.0, "log_likelihood": 0.0, "kl": 0.0, "mse": 0.0}
        self.kl_per_latent = np.zeros(latents)
        self.by_target = np.zeros((3, BINS))
        self.by_output = np.zeros((3, BINS))

    def add(self, elbo: Elbo, x: Tensor, mean: Tensor) -> None:
        self.images += len(x)
        for name in ("loss", "log_likelihood", "kl"):
            self.sums[name] += float(getattr(elbo, name).cpu().double().sum())
        self.sums["mse"] += float((mean - x).square().mean(-1).cpu().double().sum())
        self.kl_per_latent += elbo.kl_per_latent.sum(0).cpu().double().numpy()
        targets, outputs = x.flatten().cpu().double(), mean.flatten().cpu().double()
        # Each pixel is put into its pair of bins once: either binning is a sum over the other.
        pair = _bin_of(targets).mul_(BINS).add_(_bin_of(outputs))
        for row, weights in enumerate((targets, outputs, None)):
            cells = torch.bincount(pair, weights, minlength=BINS**2).reshape(BINS, BINS).numpy()
            self.by_target[row] += cells.sum(1)
            self.by_output[row] += cells.sum(0)

    def add_masses(self, elbo: Elbo, log_masses: Mapping[str, Tensor]) -> None:
        """-log2 P(x|z) and the KL, a pixel; ``log_masses`` (B, D) by the name of the reading."""
        for reading, log_mass in log_masses.items():
            nats = elbo.kl.sum().cpu().double() - log_mass.sum(-1).cpu().double().sum()
            bits = float(nats) / (log_mass.shape[-1] * math.log(2))
            self.bits[reading] = self.bits.get(reading, 0.0) + bits

    def mean(self, name: str) -> float:
        return self.sums[name] / self.images

    def bits_per_pixel(self, reading: str = "") -> float | None:
        """Bits for a pixel's level and its share of the KL; None for what is no likelihood.

        The Bernoulli on greys has a second ``reading``, 'natural'.
        """
        return self.bits[reading] / self.images if reading in self.bits else None

    def response(self) -> tuple[CalibrationBin, ...]:
        """Mean target and mean output in each of 20 bins of the target that holds a pixel."""
        return _filled(self.by_target)

    def calibration(self) -> tuple[CalibrationBin, ...]:
        """The same in bins of the output."""
        return _filled(self.by_output)


def _bin_of(greys: Tensor) -> Tensor:
    # A linear decoder's outputs may leave [0, 1].
    return (greys * BINS).long().clamp_(0, BINS - 1)


def _filled(bins: np.ndarray) -> tuple[CalibrationBin, ...]:
    return tuple(
        CalibrationBin(float(target / count), float(output / count), int(count))
        for target, output, count in bins.T
        if count > 0
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.inference_mode()
def test_figures(
    model: VAE,
    pixels: Pixels,
    config: TrainConfig,
    *,
    every_reading: bool = True,  # noqa: PT028
) -> TestFigures:
    """Figures on the whole test set, z drawn from q(z|x), with the same noise every time.

    Without ``every_reading`` the Bernoulli's second one is left out: a fifth of the time.

    On one thread: more would sum in another order, and training changes their number as it goes.
    """
    with _one_thread():
        return _test_figures(model, pixels, config, every_reading)


def _test_figures(
    model: VAE, pixels: Pixels, config: TrainConfig, every_reading: bool
) -> TestFigures:
    generator = pixels.test_generator()
    training = model.training
    model.eval()
    figures: TestFigures | None = None
    for images in pixels.test.split(TEST_BATCH):
        x = pixels.test_batch(images, generator)
        elbo, output = forward(model, x, generator, config)
        if figures is None:
            figures = TestFigures(elbo.kl_per_latent.shape[1])
        figures.add(elbo, x, model.likelihood.mean(output))
        log_masses = _log_masses(model, output, images, pixels, config, every_reading)
        figures.add_masses(elbo, log_masses)
    model.train(training)
    assert figures is not None
    return figures


def _log_masses(
    model: VAE,
    output: Tensor,
    images: Tensor,
    pixels: Pixels,
    config: TrainConfig,
    every_reading: bool,
) -> dict[str, Tensor]:
    """log P(bytes | z) per pixel in each reading; empty where z is no draw from q(z|x)."""
    likelihood = model.likelihood
    if not config.sampling or not likelihood.normalised:
        return {}
    masses = {"": likelihood.log_mass(output, images, pixels.levels)}
    if every_reading and isinstance(likelihood, Bernoulli) and pixels.levels > 2:
        masses["natural"] = likelihood.natural_log_mass(output, images, pixels.levels)
    return masses


# Its name, too, is what it does; pytest must not take it for a test.
test_figures.__test__ = False  # type: ignore[attr-defined]


@torch.inference_mode()
def test_kl_per_latent(model: VAE, pixels: Pixels) -> tuple[float, ...]:
    """KL of each latent, nats, the mean over the test set: by the encoder alone."""
    generator = pixels.test_generator()
    model.eval()
    total: Tensor | float = 0.0
    with _one_thread():
        for images in pixels.test.split(TEST_BATCH):
            mean, logvar = model.encode(pixels.test_batch(images, generator))
            total = total + kl_diag_gaussian(mean, logvar).sum(0).cpu().double()
    model.train()
    assert isinstance(total, Tensor)
    return tuple((total / len(pixels.test)).tolist())


test_kl_per_latent.__test__ = False  # type: ignore[attr-defined]


def choose_strip(labels: np.ndarray, images: int) -> np.ndarray:
    """Rows of the fixed test batch: the first image of each class, then the first others."""
    labels = np.asarray(labels)[:images]
    first = list(np.unique(labels, return_index=True)[1][:STRIP_IMAGES])
    others = [row for row in range(min(images, 2 * STRIP_IMAGES)) if row not in first]
    return np.array((first + others)[:STRIP_IMAGES])


@torch.inference_mode()
def reconstruct(model: VAE, pixels: Pixels, rows: np.ndarray, step: int) -> ReconstructionEvent:
    """The test images ``rows``, the decoder's mean at the mean of q(z|x), and a draw there.

    The noise is the same at every call: what moves from one picture to the next is the model.
    """
    generator = pixels.test_generator()
    model.eval()
    x = pixels.test_batch(pixels.test[torch.as_tensor(rows, device=pixels.device)], generator)
    # A step may have broken the weights before the next loss says so; draws need numbers.
    output = torch.nan_to_num(model.decode(model.encode(x)[0]))
    means = model.likelihood.mean(output)
    samples = model.likelihood.sample(output, generator)
    model.train()
    return ReconstructionEvent(
        step,
        to_bytes(x, pixels.image_shape),
        to_bytes(means, pixels.image_shape),
        to_bytes(samples, pixels.image_shape),
    )


@torch.inference_mode()
def build_gallery(
    model: VAE, pixels: Pixels, data: ImageData, step: int, kl_per_latent: tuple[float, ...]
) -> GalleryEvent:
    """Prior draws, traversals and the map of the two latents with the largest KL."""
    generator = pixels.test_generator()
    model.eval()
    latent_dim = len(kl_per_latent)
    ranked = np.argsort(-np.asarray(kl_per_latent), kind="stable")
    latents = tuple(int(latent) for latent in ranked[:2])
    x = pixels.test_batch(pixels.test[:GALLERY_CODES], generator)
    means = model.encode(x)[0].cpu().numpy()
    codes = np.zeros((len(means), 2), dtype=np.float32)
    codes[:, : len(latents)] = means[:, latents]
    noise = torch.empty(GALLERY_PRIOR, latent_dim, device=pixels.device)
    prior = noise.normal_(generator=generator)
    sweeps = np.zeros((min(latent_dim, MAX_TRAVERSALS), TRAVERSAL_STEPS, latent_dim), np.float32)
    for sweep, latent in zip(sweeps, ranked, strict=False):
        sweep[:, latent] = np.linspace(-GRID_REACH, GRID_REACH, TRAVERSAL_STEPS)
    grid = np.zeros((GRID_STEPS, GRID_STEPS, latent_dim), np.float32)
    axis = np.linspace(-GRID_REACH, GRID_REACH, GRID_STEPS, dtype=np.float32)
    grid[:, :, latents[0]] = axis
    if len(latents) > 1:
        grid[:, :, latents[1]] = axis[::-1, None]

    def draw(z: Tensor) -> np.ndarray:
        output = torch.nan_to_num(model.decode(z.to(pixels.device)))
        return to_bytes(model.likelihood.mean(output), pixels.image_shape)

    gallery = GalleryEvent(
        step=step,
        prior=draw(prior),
        traversals=draw(torch.from_numpy(sweeps)),
        latents=latents,
        codes=codes,
        labels=np.asarray(data.test_labels[: len(codes)]),
        grid=draw(torch.from_numpy(grid)),
    )
    model.train()
    return gallery


def to_bytes(x: Tensor, image_shape: tuple[int, int]) -> np.ndarray:
    """Pixels (..., D) as uint8 (..., h, w); values outside [0, 1] are cut for the screen."""
    scaled = torch.clamp(x, 0, 1).mul(255).round().to(torch.uint8)
    return scaled.cpu().numpy().reshape(*x.shape[:-1], *image_shape)
