"""Tighter bounds on log p(x) from the same model: many draws of z, weighed by what they are worth.

L_K = E[log 1/K sum_k p(x, z_k) / q(z_k|x)] is the ELBO at K = 1, never falls with K and tends to
log p(x) (Burda et al. 2016, theorem 1). What it gains over the ELBO estimates KL(q || posterior).
A part of that is the encoder's: with q optimised for each image alone the ELBO rises by the
amortisation gap (Cremer et al. 2018); the rest is the shape of q. Nats per image.
"""

import math
import time
from collections.abc import Iterator

import torch
from torch import Tensor

from vae.engine.batches import Pixels, build_generator
from vae.engine.elbo import kl_diag_gaussian
from vae.engine.models import VAE
from vae.wire.events import BoundEvent

# Each divides the next: from the same draws, L_K then never falls with K, not even by chance.
DRAWS = (1, 2, 10, 20, 100, 200, 1000)
_ROWS = 4000
_FIT_STEPS = 120
_FIT_DRAWS = 8
_FIT_RATE = 0.03


class Bounds:
    """The bound on ``images`` test images of ``pixels``, measured a chunk of draws at a time.

    Where the likelihood gives masses of grey levels and ``density`` is False, the bound is on the
    log probability of the 8-bit images, which compares across likelihoods. Raises ``ValueError``
    on numbers outside 1 to 1,000.
    """

    def __init__(
        self, model: VAE, pixels: Pixels, *, images: int, samples: int, density: bool = False
    ) -> None:
        for name, value in (("images", images), ("samples", samples)):
            if not 1 <= value <= DRAWS[-1]:
                raise ValueError(f"{name}: {value!r} given; allowed is 1 to {DRAWS[-1]}")
        self.model, self.pixels = model, pixels
        self.density = density or not model.likelihood.normalised
        self.bytes = pixels.test[:images]
        self.images = len(self.bytes)
        self.generator = pixels.test_generator()
        self.x = pixels.test_batch(self.bytes, self.generator)
        self.weights = torch.empty(self.images, samples, dtype=torch.float64)
        self.drawn = 0
        self.best: Tensor | None = None
        self.seconds = 0.0

    def measure(self, step: int = 0) -> Iterator[BoundEvent]:
        """Draw to the end, then fit q to each image; an event after each chunk of either."""
        training = self.model.training
        self.model.eval()
        try:
            for _ in self._draw():
                yield self._event(step)
            for _ in self._fit():
                yield self._event(step)
        finally:
            self.model.train(training)

    def bound(self, draws: int) -> Tensor:
        """L_K of each image from all groups of ``draws`` among those drawn, (images,)."""
        groups = self.drawn // draws
        chosen = self.weights[:, : groups * draws].reshape(self.images, groups, draws)
        return (torch.logsumexp(chosen, -1) - math.log(draws)).mean(-1)

    def _draw(self) -> Iterator[None]:
        with torch.inference_mode():
            mean, logvar = self.model.encode(self.x)
        outputs = self.model.likelihood.belief.outputs
        chunk = max(1, _ROWS // (self.images * outputs))
        while self.drawn < self.weights.shape[1]:
            began = time.perf_counter()
            count = min(chunk, self.weights.shape[1] - self.drawn)
            with torch.inference_mode():
                rows = slice(self.drawn, self.drawn + count)
                self.weights[:, rows] = self._log_weights(mean, logvar, count)
            self.drawn += count
            self.seconds += time.perf_counter() - began
            yield

    def _log_weights(self, mean: Tensor, logvar: Tensor, count: int) -> Tensor:
        """log p(x, z) - log q(z|x) of ``count`` draws for each image, (images, count)."""
        noise = mean.new_empty(count, *mean.shape).normal_(generator=self.generator)
        z = mean + torch.exp(0.5 * logvar) * noise
        log_prior = -0.5 * z.square().sum(-1)
        log_q = -0.5 * (noise.square() + logvar).sum(-1)
        return (self._log_likelihood(z) + log_prior - log_q).T.double().cpu()

    def _log_likelihood(self, z: Tensor) -> Tensor:
        """log p(x|z) of z (count, images, d), or of the bytes' masses: (count, images)."""
        output = self.model.decode(z.flatten(0, 1))
        likelihood = self.model.likelihood
        if self.density:
            values = likelihood.log_prob(output, self.x.repeat(len(z), 1))
        else:
            values = likelihood.log_mass(output, self.bytes.repeat(len(z), 1), self.pixels.levels)
        return values.sum(-1).reshape(z.shape[:2])

    def _fit(self) -> Iterator[None]:
        """Raise each image's own ELBO by its mean and logvar alone, from the encoder's."""
        generator = build_generator(self.pixels.seed, "noise", self.x.device)
        with torch.no_grad():
            mean, logvar = (value.clone() for value in self.model.encode(self.x))
        mean.requires_grad_()
        logvar.requires_grad_()
        optimizer = torch.optim.Adam([mean, logvar], lr=_FIT_RATE)
        x = self.x.repeat(_FIT_DRAWS, 1)
        for step in range(_FIT_STEPS):
            began = time.perf_counter()
            optimizer.param_groups[0]["lr"] = _FIT_RATE * (1 - step / _FIT_STEPS)
            noise = mean.new_empty(_FIT_DRAWS, *mean.shape).normal_(generator=generator)
            z = mean + torch.exp(0.5 * logvar) * noise
            log_prob = self.model.likelihood.log_prob(self.model.decode(z.flatten(0, 1)), x)
            kl = kl_diag_gaussian(mean, logvar).sum()
            loss = kl - log_prob.sum() / _FIT_DRAWS
            # The model stays as it is: gradients go to q alone.
            mean.grad, logvar.grad = torch.autograd.grad(loss, [mean, logvar])
            optimizer.step()
            self.seconds += time.perf_counter() - began
            if step % 10 == 9:
                yield
        self.best = self._elbo(mean.detach(), logvar.detach())
        yield

    @torch.inference_mode()
    def _elbo(self, mean: Tensor, logvar: Tensor) -> Tensor:
        """The ELBO of each image under this q, (images,), from a hundred draws."""
        parts = [self._log_weights(mean, logvar, 10) for _ in range(10)]
        return torch.cat(parts, dim=1).mean(1)

    def _event(self, step: int) -> BoundEvent:
        known = [k for k in DRAWS if k <= self.drawn]
        bounds = [self.bound(k) for k in known]
        best = self.best
        return BoundEvent(
            step=step,
            images=self.images,
            pixels=self.x.shape[1],
            samples=self.drawn,
            total_samples=self.weights.shape[1],
            density=self.density,
            draws=tuple(known),
            nats=tuple(float(bound.mean()) for bound in bounds),
            errors=tuple(_error(bound) for bound in bounds),
            gap=float((bounds[-1] - bounds[0]).mean()),
            gap_error=_error(bounds[-1] - bounds[0]),
            amortisation_gap=None if best is None else float((best - bounds[0]).mean()),
            amortisation_error=None if best is None else _error(best - bounds[0]),
            seconds=self.seconds,
        )


def _error(values: Tensor) -> float:
    """The standard error of the mean over images."""
    count = len(values)
    return float(values.std() / math.sqrt(count)) if count > 1 else 0.0
