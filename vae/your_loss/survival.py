"""What will survive, what the printed number should be, and what follows from another size."""

import ast
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vae.your_loss import entries
from vae.your_loss.arrays import Misfit, TooMuch
from vae.your_loss.defaults import literal
from vae.your_loss.examine import examine
from vae.your_loss.operations import NotKnown
from vae.your_loss.reading import Printed, Reading, Scaling, Survival
from vae.your_loss.search import Found
from vae.your_loss.state import Sizes


def alive(sigma2: float, eigenvalues: Sequence[float]) -> int:
    """Latents that the linear theory keeps: eigenvalues of the data's covariance above sigma^2.

    Both in the same units. Lucas et al. 2019, section 4 (linear VAE, global optimum).
    """
    return int(np.count_nonzero(np.asarray(eigenvalues) > sigma2))


def kl_bound(sigma2: float, total_variance: float) -> float:
    """The most nats an image that z can hold at the optimum: total variance / (2 sigma^2).

    The best loss is at most that of the constant mean picture with q equal to the prior.
    """
    return total_variance / (2.0 * sigma2)


def mean_picture_loss(reading: Reading, total_variance: float) -> float | None:
    """The loss of the constant mean picture, without the loss's constant, for a squared error.

    ``total_variance`` in the code's units: the sum over pixels of their variance.
    """
    if reading.family != "gaussian" or reading.error_weight is None:
        return None
    return reading.error_weight * total_variance


def bounds(reading: Reading) -> Survival | None:
    """The two bounds that need no data."""
    if reading.data_range is None:
        return _standardised(reading)
    low, high = reading.data_range
    largest = reading.sizes.pixels * (high - low) ** 2 / 4.0
    if reading.family == "gaussian" and reading.sigma2:
        bound = kl_bound(reading.sigma2, largest)
        dead = reading.sigma2 >= largest
        if dead:
            text = (
                f"No latent survives in the linear theory, whatever the pictures: no direction of "
                f"values in [{low:g}, {high:g}] has a variance above {largest:,.4g}."
            )
        else:
            text = (
                "In the linear theory a direction of the data survives if its variance is above "
                f"{reading.sigma2:.4g}."
            )
        return Survival(
            largest, bound, dead, f"{text} At the optimum KL is at most {bound:.4g} nats an image."
        )
    if reading.family == "laplace" and reading.laplace_scale:
        most = reading.sizes.pixels * (high - low) / 2.0
        bound = most / reading.laplace_scale
        return Survival(
            None, bound, False, f"At the optimum KL is at most {bound:.4g} nats an image."
        )
    if reading.family == "bernoulli" and reading.beta:
        bound = reading.sizes.pixels * math.log(2.0) / reading.beta
        return Survival(
            None,
            bound,
            False,
            f"At the optimum KL is at most {bound:.4g} nats an image (D log 2 / beta).",
        )
    return None


def _standardised(reading: Reading) -> Survival | None:
    if reading.family != "gaussian" or not reading.sigma2:
        return None
    total = float(reading.sizes.pixels)
    dead = reading.sigma2 >= total
    bound = kl_bound(reading.sigma2, total)
    text = (
        "No latent survives in the linear theory: the total variance of standardised values is "
        "their number."
        if dead
        else "In the linear theory a direction survives if its variance is above "
        f"{reading.sigma2:.4g}."
    )
    return Survival(
        total, bound, dead, f"{text} At the optimum KL is at most {bound:.4g} nats an image."
    )


def printed(reading: Reading, constant: float | None) -> Printed | None:
    """The constant of the density that the code keeps or leaves out, and where 0 lies."""
    if reading.family == "gaussian" and reading.sigma2 and reading.rate:
        return _printed_of_gaussian(reading, constant, reading.rate, reading.sigma2)
    if reading.family == "laplace" and reading.laplace_scale and reading.rate:
        return _printed_of_laplace(reading, constant, reading.rate, reading.laplace_scale)
    if reading.family.endswith("-learned"):
        return _printed_of_learned(reading, constant)
    if reading.family in ("discretised-logistic", "categorical"):
        text = (
            "A probability, no density: minus its logarithm is never negative, and neither is the "
            "loss."
        )
        return Printed(constant, None, None, False, text)
    if reading.family == "bernoulli":
        text = (
            "It cannot fall below the entropy of the pictures, H(t): 0 for black and white ones, "
            "45.5 nats an "
            "image for the greys of MNIST's test set."
        )
        return Printed(constant, None, None, False, text)
    return None


def _printed_of_gaussian(
    reading: Reading, constant: float | None, rate: float, sigma2: float
) -> Printed:
    wanted = rate * reading.sizes.pixels * 0.5 * math.log(2.0 * math.pi * sigma2)
    keeps = None if constant is None else math.isclose(constant, wanted, rel_tol=1e-6, abs_tol=1e-9)
    text = f"D/2 log(2 pi sigma^2) is {figure(wanted)} here"
    if keeps:
        text += ", and the code keeps it: a negative loss is no error where sigma is below 0.399."
    elif constant:
        text += f"; the code adds another constant, {constant:,.4g}."
    else:
        text += ", and the code leaves it out: 0 is a perfect picture with q equal to the prior."
    return Printed(constant, wanted, keeps, bool(keeps and wanted < 0), text)


def _printed_of_laplace(
    reading: Reading, constant: float | None, rate: float, scale: float
) -> Printed:
    wanted = rate * reading.sizes.pixels * math.log(2.0 * scale)
    keeps = None if constant is None else math.isclose(constant, wanted, rel_tol=1e-6, abs_tol=1e-9)
    text = f"D log(2 b) is {figure(wanted)} here" + (
        ", and the code keeps it: a negative loss is no error where b is below 1/2."
        if keeps
        else ", and the code leaves it out: 0 is a perfect picture with q equal to the prior."
    )
    return Printed(constant, wanted, keeps, bool(keeps and wanted < 0), text)


def _printed_of_learned(reading: Reading, constant: float | None) -> Printed:
    if reading.scale_per_pixel:
        text = (
            "A log density, not a log probability: where pixels hardly vary the loss is "
            "negative, and nothing is wrong."
        )
        return Printed(constant, None, None, True, text)
    # At the best scale: 1/2 log(2 pi e MSE) a pixel for the bell, log(2 e MAE) for L1.
    least = {
        "gaussian-learned": "a mean squared error of 1/(2 pi e) = 0.0585",
        "laplace-learned": "a mean absolute error of 1/(2 e) = 0.184",
    }.get(reading.family, "some error")
    text = (
        f"A log density, not a log probability: below {least} the loss is negative, and "
        "nothing is wrong."
    )
    return Printed(constant, None, None, True, text)


def key_number(reading: Reading) -> float | None:
    """The one number of the family: sigma^2, the Laplace scale or beta."""
    for value in (reading.sigma2, reading.laplace_scale, reading.beta, reading.near_sigma2):
        if value is not None:
            return value
    return None


def scaling(tree: ast.Module, found: Found, reading: Reading) -> tuple[Scaling, ...]:
    """The same loss with twice the pixels, the latents, the batch."""
    now = key_number(reading)
    if now is None:
        return ()
    sizes = found.setup.sizes
    image = sizes.image
    wide = (2 * image[0],) if len(image) == 1 else tuple(
        size if size in (1, 3) and place in (0, len(image) - 1) else 2 * size
        for place, size in enumerate(image)
    )  # fmt: skip
    changed = {
        "pixels": replace(sizes, image=wide),
        "latents": replace(sizes, latents=(2 * sizes.latents[0], *sizes.latents[1:])),
        "batch": replace(sizes, batch=2 * sizes.batch),
    }
    rows = []
    for name, other in changed.items():
        factor = _factor(tree, found, other, now)
        if name == "pixels" and _is_written(tree, sizes.pixels):
            factor = None
        if factor is not None and name == "pixels":
            grown = other.pixels / sizes.pixels
            factor = 2.0 ** (math.log(factor) / math.log(grown)) if factor > 0 else None
        rows.append(Scaling(name, factor, _scaling_words(name, factor)))
    return tuple(rows)


def figure(value: float) -> str:
    """Four figures, without an exponent up to a thousand million."""
    return f"{value:,.4g}" if abs(value) < 1e4 or abs(value) >= 1e9 else f"{value:,.0f}"


def _is_written(tree: ast.Module, pixels: int) -> bool:
    """Whether the number of pixels is a factor in the code, so that it goes with one size only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Mult):
            sides = (node.value,) if isinstance(node, ast.AugAssign) else (node.left, node.right)
            if pixels >= 64 and any(literal(side) == pixels for side in sides):
                return True
    return False


def _factor(tree: ast.Module, found: Found, sizes: Sizes, now: float) -> float | None:
    from vae.your_loss.assemble import _family_numbers

    try:
        traced = entries.trace(tree, found.traced.entry, replace(found.setup, sizes=sizes))
        if traced.root is None:
            return None
        examined = examine(traced.root, traced.state, verify=False)
    except (TooMuch, Misfit, NotKnown):
        return None
    if examined.pixels.family != found.examined.pixels.family or examined.blocking:
        return None
    family = examined.pixels.family
    reading = Reading(
        read=True,
        message="",
        verdict="",
        family="huber" if family == "charbonnier" else family,
        error_weight=examined.pixels.weight,
        kl_weight=examined.latents.weight,
        kl_form=examined.latents.form,
    )
    other = key_number(_family_numbers(reading, examined, None))
    if other is None or now == 0:
        return None
    factor = other / now
    return float(round(factor)) if abs(factor - round(factor)) < 1e-6 and round(factor) else factor


def _scaling_words(name: str, factor: float | None) -> str:
    if factor is None:
        return f"with other {name} this code does not run: a size is written into it."
    if abs(factor - 1.0) < 1e-6:
        return f"{name} do not enter." if name != "batch" else "the batch does not enter."
    what = {"pixels": "the pixels", "latents": "the latents", "batch": "the batch"}[name]
    return f"twice {what}: times {factor:.4g}; {what} are a hidden weight of the KL."


__all__ = ["alive", "bounds", "key_number", "kl_bound", "mean_picture_loss", "printed", "scaling"]
