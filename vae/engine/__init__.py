"""The likelihoods, the ELBO, the networks and their training (PyTorch), without any app.

from vae.config import TrainConfig
from vae.engine import save, train, Trainer
from vae.images.sets import load_images

for event in train(TrainConfig(likelihood="bernoulli", epochs=1), load_images("digits")):
    print(event)
"""

from vae.engine.checkpoints import Checkpoint, evaluate, load, save
from vae.engine.elbo import Elbo, build_elbo, kl_diag_gaussian
from vae.engine.likelihoods import (
    Bernoulli,
    ContinuousBernoulli,
    Gaussian,
    GaussianLearned,
    GaussianOptimal,
    Likelihood,
    bernoulli_log_prob,
    build_likelihood,
    continuous_bernoulli_log_prob,
    gaussian_log_prob,
)
from vae.engine.models import VAE, build_vae
from vae.engine.products import fast_products
from vae.engine.training import Trainer, train

__all__ = [
    "VAE",
    "Bernoulli",
    "Checkpoint",
    "ContinuousBernoulli",
    "Elbo",
    "Gaussian",
    "GaussianLearned",
    "GaussianOptimal",
    "Likelihood",
    "Trainer",
    "bernoulli_log_prob",
    "build_elbo",
    "build_likelihood",
    "build_vae",
    "continuous_bernoulli_log_prob",
    "evaluate",
    "fast_products",
    "gaussian_log_prob",
    "kl_diag_gaussian",
    "load",
    "save",
    "train",
]
