"""The command line's words and options: those of training are the fields of ``TrainConfig``."""

import argparse
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from vae.config import ConfigError, TrainConfig, check_value, default, option
from vae.images.sets import default_data_dir

ABOUT = """\
Train variational autoencoders and see what their losses mean.

Every run maximises the ELBO, log p(x|z) - beta KL(q(z|x) || p(z)), in nats per image; what differs
is log p(x|z), the reconstruction term. Mean squared error is a Gaussian's with a fixed sigma,
binary cross-entropy a Bernoulli's. A loss is minus the ELBO: less is better."""

EXAMPLES = """\
examples:
  python -m vae train                                    built-in digits, no download
  python -m vae train --dataset mnist --download --epochs 2 --output run.pt
  python -m vae train --likelihood gaussian --scale 0.3  squared error weighed by 1/(2 sigma^2)
  python -m vae train --likelihood gaussian-learned      the sigma that the data want
  python -m vae train --likelihood gaussian --reduction pixel-mean
                                                         a common mistake: watch the KL fall to 0
  python -m vae evaluate run.pt
  python -m vae resume run.pt --epochs 10
  python -m vae claims                                   what people say, checked
  python -m vae loss model.py --image 3x64x64 --json     the belief that a pasted loss stands for"""

TRAIN = """\
Train one VAE. Every figure is in nats per image; MSE is per pixel, so that it compares across
losses. With --json each epoch is one JSON object a line: epoch, train_loss, test_loss,
test_log_likelihood, test_kl, test_mse, scale (sigma; null where there is none), bits_per_pixel
(each pixel one of 256 grey levels, KL included: it compares across losses), seconds and
images_per_second. Test figures draw z from q(z|x) on the whole test set. Ctrl-C stops between two
steps and keeps the run where --output is given."""


def add_settings(parser: argparse.ArgumentParser) -> None:
    """One option for each field of ``TrainConfig``."""
    main_group = parser.add_argument_group("what to train")
    more_group = parser.add_argument_group("more settings")
    for spec in fields(TrainConfig):
        add_setting(more_group if option(spec.name).advanced else main_group, spec.name)


def add_setting(group: Any, name: str) -> None:
    """The option of the field ``name``; absent from the result where it is not given."""
    about = option(name)
    if about.choices is not None:
        values = [str(choice).lower() for choice in about.choices]
        ranges = "; ".join(
            f"{value}: {words}" for value, words in zip(values, about.choices.values(), strict=True)
        )
        metavar = "{" + ",".join(values) + "}"
    elif about.minimum is not None:
        ranges, metavar = about.allowed, type(default(name)).__name__.upper()
    else:
        ranges, metavar = "", "PATH"
    standard = str(default(name)).lower()
    words = f"{about.help}. {ranges}{'. ' if ranges else ''}Default: {standard or 'none'}."
    group.add_argument(
        "--" + name.replace("_", "-"),
        dest=name,
        type=parser_of(name),
        default=argparse.SUPPRESS,
        metavar=metavar,
        help=words.replace("%", "%%"),
    )


def parser_of(name: str) -> Callable[[str], Any]:
    """What reads an option's text: a wrong value is a usage error that names the range."""
    spec = next(spec for spec in fields(TrainConfig) if spec.name == name)

    def parse(text: str) -> Any:
        try:
            return check_value(spec, text)
        except ConfigError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="folder with MNIST/raw and FashionMNIST/raw. Default: the environment's VAE_DATA_DIR, "
        f"else the user's cache folder; now {default_data_dir()}".replace("%", "%%"),
    )


def config_from(options: argparse.Namespace) -> TrainConfig:
    """The settings given, the others at their defaults. Raises ``ConfigError``."""
    given = vars(options)
    names = [spec.name for spec in fields(TrainConfig)]
    return TrainConfig(**{name: given[name] for name in names if name in given})
