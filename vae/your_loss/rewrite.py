"""The same loss read otherwise, the ELBO that may have been meant, and both as training runs."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vae.your_loss.reading import Reading
from vae.your_loss.verdict import number

# Families that training has with beta for their one number.
_WITH_BETA = ("bernoulli", "continuous-bernoulli", "categorical", "discretised-logistic")
SMALLEST_SCALE, LARGEST_SCALE = 0.01, 20.0


def weight_for(reading: Reading, sigma: float) -> float | None:
    """The factor on the KL as it stands that would make this Gaussian's scale ``sigma``.

    In the code's own units. Raises ``ValueError`` for a scale that is not positive.
    """
    if not (math.isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma: {sigma!r} given; a positive number is needed")
    if reading.family != "gaussian" or not reading.sigma2:
        return None
    return sigma**2 / reading.sigma2


def complete(reading: Reading) -> Reading:
    """Add the other readings, the suggested code and the settings of both runs."""
    return replace(
        reading,
        otherwise=tuple(_otherwise(reading)),
        suggestion=suggest(reading),
        train_pasted=settings(reading, as_pasted=True),
        train_elbo=settings(reading, as_pasted=False),
    )


def _otherwise(reading: Reading) -> list[str]:
    rows = []
    if reading.sigma2 is not None:
        rows.append(
            f"With sigma = 1 it is a beta-VAE with beta = sigma^2 = {number(reading.sigma2)}: "
            "the two are one number."
        )
    if reading.rate is not None and reading.kl_form == "kl":
        rows.append(
            "It is the negative ELBO of an image itself: nothing multiplies the learning rate."
            if math.isclose(reading.rate, 1.0, rel_tol=1e-6)
            else f"It is {number(reading.rate)} times the negative ELBO of an image: SGD takes "
            "that as a factor on the learning rate, Adam ignores it, clipping and weight decay "
            "do not."
        )
    rows += [
        s.text[0].upper() + s.text[1:]
        for s in reading.scaling
        if s.factor is not None and abs(s.factor - 1) > 1e-6 and reading.kl_form != "none"
    ]
    return rows


_CODE: Mapping[str, Mapping[str, str]] = {
    "torch": {
        "gaussian": "error = ((x - x_hat) ** 2).flatten(1).sum(1) / (2 * sigma**2)",
        "laplace": "error = (x - x_hat).abs().flatten(1).sum(1) / scale",
        "bernoulli": (
            "error = F.binary_cross_entropy_with_logits(logits, x, reduction='none')\n"
            "error = error.flatten(1).sum(1)"
        ),
        "kl": "kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).flatten(1).sum(1)",
        "loss": "loss = (error + kl).mean()",
    },
    "tf": {
        "gaussian": "error = tf.reduce_sum((x - x_hat) ** 2, axis=[1, 2, 3]) / (2 * sigma**2)",
        "laplace": "error = tf.reduce_sum(tf.abs(x - x_hat), axis=[1, 2, 3]) / scale",
        "bernoulli": (
            "error = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)\n"
            "error = tf.reduce_sum(error, axis=[1, 2, 3])"
        ),
        "kl": "kl = 0.5 * tf.reduce_sum(mu**2 + tf.exp(logvar) - 1 - logvar, axis=-1)",
        "loss": "loss = tf.reduce_mean(error + kl)",
    },
    "jax": {
        "gaussian": "error = ((x - x_hat) ** 2).reshape(len(x), -1).sum(1) / (2 * sigma**2)",
        "laplace": "error = jnp.abs(x - x_hat).reshape(len(x), -1).sum(1) / scale",
        "bernoulli": (
            "error = optax.sigmoid_binary_cross_entropy(logits, x)\n"
            "error = error.reshape(len(x), -1).sum(1)"
        ),
        "kl": "kl = 0.5 * jnp.sum(mu**2 + jnp.exp(logvar) - 1 - logvar, axis=-1)",
        "loss": "loss = (error + kl).mean()",
    },
    "numpy": {
        "gaussian": "error = ((x - x_hat) ** 2).reshape(len(x), -1).sum(1) / (2 * sigma**2)",
        "laplace": "error = np.abs(x - x_hat).reshape(len(x), -1).sum(1) / scale",
        "bernoulli": (
            "error = np.logaddexp(0, logits) - x * logits\nerror = error.reshape(len(x), -1).sum(1)"
        ),
        "kl": "kl = 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(-1)",
        "loss": "loss = (error + kl).mean()",
    },
}


# A floor for sigma: exp(-4) is some five grey levels.
_PER_PIXEL = {
    "torch": (
        "log_sigma = log_sigma.clamp(min=-4)  # a floor\n"
        "error = (0.5 * ((x - x_hat) / log_sigma.exp()) ** 2 + log_sigma).flatten(1).sum(1)"
    ),
    "tf": (
        "log_sigma = tf.maximum(log_sigma, -4.0)  # a floor\n"
        "error = 0.5 * ((x - x_hat) / tf.exp(log_sigma)) ** 2 + log_sigma\n"
        "error = tf.reduce_sum(error, axis=[1, 2, 3])"
    ),
    "jax": (
        "log_sigma = jnp.maximum(log_sigma, -4.0)  # a floor\n"
        "error = 0.5 * ((x - x_hat) / jnp.exp(log_sigma)) ** 2 + log_sigma\n"
        "error = error.reshape(len(x), -1).sum(1)"
    ),
    "numpy": (
        "log_sigma = np.maximum(log_sigma, -4.0)  # a floor\n"
        "error = 0.5 * ((x - x_hat) / np.exp(log_sigma)) ** 2 + log_sigma\n"
        "error = error.reshape(len(x), -1).sum(1)"
    ),
}
# sigmoid, log, where, the larger of two, and the sum over an image, as each framework has them.
_LEVEL_WORDS = {
    "torch": ("torch.sigmoid", "torch.log", "torch.where", "torch.clamp({}, min=1e-12)",
              "error.flatten(1).sum(1)"),
    "tf": ("tf.sigmoid", "tf.math.log", "tf.where", "tf.maximum({}, 1e-12)",
           "tf.reduce_sum(error, axis=[1, 2, 3])"),
    "jax": ("jax.nn.sigmoid", "jnp.log", "jnp.where", "jnp.maximum({}, 1e-12)",
            "error.reshape(len(x), -1).sum(1)"),
    "numpy": ("expit", "np.log", "np.where", "np.maximum({}, 1e-12)",
              "error.reshape(len(x), -1).sum(1)"),
}  # fmt: skip


def _suggest_levels(reading: Reading, code: Mapping[str, str]) -> str:
    """Minus the log mass of a grey level, the outer ones open (Salimans et al. 2017)."""
    words = _LEVEL_WORDS.get(reading.framework, _LEVEL_WORDS["torch"])
    sigmoid, log, where, larger, total = words
    low, high = reading.data_range or (0.0, 1.0)
    scale = [] if reading.logistic_scale is None else [f"scale = {reading.logistic_scale:.6g}"]
    mass, first, last = (larger.format(t) for t in ("above - below", "above", "1 - below"))
    return "\n".join(
        (
            *scale,
            f"half = {high - low:g} / 510  # half a grey level",
            f"above = {sigmoid}((x + half - x_hat) / scale)",
            f"below = {sigmoid}((x - half - x_hat) / scale)",
            f"error = -{log}({mass})",
            f"error = {where}(x >= {high:g}, -{log}({last}), error)",
            f"error = {where}(x <= {low:g}, -{log}({first}), error)",
            f"error = {total}",
            code["kl"],
            code["loss"],
        )
    )


def suggest(reading: Reading) -> str:
    """The ELBO of this belief in the code's own framework, '' where there is none."""
    code = _CODE.get(reading.framework, _CODE["torch"])
    if reading.family == "discretised-logistic":
        return _suggest_levels(reading, code)
    if reading.family == "gaussian-learned" and reading.scale_per_pixel:
        error = _PER_PIXEL.get(reading.framework, _PER_PIXEL["torch"])
        return "\n".join((error, code["kl"], code["loss"]))
    kind = {"gaussian-learned": "gaussian", "laplace-learned": "laplace"}.get(
        reading.family, reading.family
    )
    if kind not in ("gaussian", "laplace", "bernoulli"):
        return ""
    first = []
    if reading.sigma2:
        first = [f"sigma = {math.sqrt(reading.sigma2):.6g}"]
    elif reading.laplace_scale:
        first = [f"scale = {reading.laplace_scale:.6g}"]
    elif reading.family.endswith("-learned"):
        return ""
    error = code[kind]
    if kind != "bernoulli" and len(reading.sizes.image) == 1:
        error = error.replace("axis=[1, 2, 3]", "axis=1")
    return "\n".join((*first, error, code["kl"], code["loss"]))


def settings(reading: Reading, *, as_pasted: bool) -> Mapping[str, Any] | None:
    """Settings of a training run: the loss as pasted, or the ELBO that it may have meant.

    None where training has no such likelihood. The pasted Gaussian is trained with its own sigma;
    the other run has sigma learned from the pictures.
    """
    common = {"latent_dim": min(max(reading.sizes.latent_count, 1), 256)}
    if reading.family == "gaussian" and reading.sigma2_unit:
        if not as_pasted:
            return {**common, "likelihood": "gaussian-learned"}
        scale = math.sqrt(reading.sigma2_unit)
        if SMALLEST_SCALE <= scale <= LARGEST_SCALE:
            return {**common, "likelihood": "gaussian", "scale": scale}
        return _with_beta(common, reading.sigma2_unit)
    if reading.family == "gaussian-learned" and reading.scale_per_pixel:
        return {**common, "likelihood": "gaussian-per-pixel"}
    if reading.family == "discretised-logistic" and reading.logistic_scale is not None:
        # Training learns the scale.
        return None
    if reading.family in ("gaussian-learned", "laplace-learned"):
        return {**common, "likelihood": reading.family}
    if reading.family == "laplace" and reading.laplace_scale and reading.data_range:
        if not as_pasted:
            return {**common, "likelihood": "laplace-learned"}
        low, high = reading.data_range
        return _laplace(common, reading.laplace_scale / (high - low))
    if reading.family in _WITH_BETA and reading.beta is not None:
        beta = reading.beta if as_pasted else 1.0
        if 0.0 <= beta <= 1000.0:
            return {**common, "likelihood": reading.family, "beta": beta}
    return None


def _laplace(common: Mapping[str, Any], scale: float) -> Mapping[str, Any] | None:
    """|e| / b + KL; beyond the dial beta b acts as one number, as beta sigma^2 of a Gaussian."""
    within = min(max(scale, SMALLEST_SCALE), LARGEST_SCALE)
    beta = scale / within
    if not 1e-6 <= beta <= 1000.0:
        return None
    settings = {**common, "likelihood": "laplace", "scale": within}
    return settings if within == scale else {**settings, "beta": beta}


def _with_beta(common: Mapping[str, Any], sigma2: float) -> Mapping[str, Any] | None:
    """A scale beyond the dial: beta sigma^2 acts as one number (Lucas et al. 2019)."""
    scale = LARGEST_SCALE if sigma2 > 1 else SMALLEST_SCALE
    beta = sigma2 / scale**2
    if 1e-6 <= beta <= 1000.0:
        return {**common, "likelihood": "gaussian", "scale": scale, "beta": beta}
    return None
