"""What in the loss does not do what it seems to do, each with its line and a correction."""

import math

from vae.your_loss import importance, roles
from vae.your_loss.draws import Draw
from vae.your_loss.latent_part import LatentPart
from vae.your_loss.reading import Fault, Reading
from vae.your_loss.search import Found

KL_CODE = "0.5 * (mu**2 + exp(logvar) - 1 - logvar), summed over the latents of an image"


def find(found: Found, reading: Reading, drawn: tuple[Draw, ...] = ()) -> tuple[Fault, ...]:
    """All faults, by line; ``drawn`` is how the code around the loss draws z."""
    rows = [
        *_latent_faults(found, reading),
        *(_draws_of_z(found, drawn) or _scale_kind(found)),
        *_axis_faults(reading),
        *_range_faults(reading),
        *_level_faults(found, reading),
        *_weights_of_draws(found),
        *_notes(found),
        *_detached(found),
        *_evaluation(found),
    ]
    return tuple(sorted(rows, key=lambda fault: fault.line))


def _latent_line(found: Found) -> int:
    """The line of the last operation that computes with the latents alone."""
    root = found.traced.root
    assert root is not None
    latents = {"mean", "z", *roles.LATENT_SCALES}
    from vae.your_loss import graph

    lines = [
        n.line
        for n in graph.operations(root)
        if n.deps & latents and not n.deps & {"target", "output"} and n.line
    ]
    return max(lines, default=found.traced.line)


def _latent_faults(found: Found, reading: Reading) -> list[Fault]:
    part = found.examined.latents
    line = _latent_line(found)
    if part.form == "inert":
        text = (
            "the KL has no effect on the loss: it is clamped to a constant, detached or "
            "multiplied by 0."
        )
        return [Fault("kl-inert", line, text, "add the KL itself, without a clamp.")]
    if part.form in ("kl", "free-bits") and part.weight is not None and part.weight < 0:
        text = (
            "the KL has the wrong sign: the loss falls as q moves away from the prior, without "
            "bound."
        )
        return [Fault("kl-sign", line, text, f"add it: {KL_CODE}.")]
    if part.form == "free-bits":
        text = (
            f"free bits: below {part.threshold or 0:.4g} nats an image the KL is a constant and "
            "sends no gradient."
        )
        return [Fault("free-bits", line, text)]
    if part.form == "capacity":
        text = (
            f"a capacity: the loss holds the KL at {part.threshold or 0:.4g} nats an image, "
            "whatever sigma is."
        )
        return [Fault("capacity", line, text)]
    if part.form == "wrong" and part.parts:
        return _wrong(part, line)
    if part.form == "kl" and reading.family != "unknown" and found.examined.maximised:
        text = (
            "this value grows as the fit improves: it is an ELBO to be maximised; minimise minus "
            "it."
        )
        return [Fault("maximised", found.traced.line, text, "return -elbo where it is minimised.")]
    return []


def _wrong(part: LatentPart, line: int) -> list[Fault]:
    assert part.parts is not None
    square, variance, log = part.parts
    shown = f"{square:.3g} mu^2 {variance:+.3g} sigma^2 {log:+.3g} log sigma^2"
    if log >= 0 or variance <= 0 or square <= 0:
        text = (
            f"this is no KL: {shown}. Its parts do not have the signs of mu^2 + sigma^2 - log "
            "sigma^2."
        )
        return [Fault("kl-sign", line, text, f"use {KL_CODE}.")]
    prior = -log / variance
    if math.isclose(square, variance, rel_tol=1e-5) and part.prior_mean == 0.0:
        scale = math.sqrt(prior)
        text = (
            f"this is the KL to N(0, {prior:.4g}), not to N(0, 1) ({shown}): least at sigma = "
            f"{scale:.3g}. "
            f"z drawn from N(0, 1) is {1 / scale:.3g} times as wide."
        )
        kind = "kl-prior"
    elif part.prior_mean:
        text = f"this KL is least at mu = {part.prior_mean:.3g}, not at 0 ({shown})."
        kind = "kl-prior"
    else:
        text = f"a factor is wrong in the KL: {shown} should have the factors 1/2, 1/2 and -1/2."
        kind = "kl-half"
    return [Fault(kind, line, text, f"use {KL_CODE}.")]


def _scale_kind(found: Found) -> list[Fault]:
    """A scale whose name says another kind than the KL reads it as."""
    named, kind = found.examined.probe.scale_kind, found.examined.latents.kind
    if (
        found.examined.latents.form not in ("kl", "free-bits", "capacity")
        or not named
        or named == kind
    ):
        return []
    value = found.traced.state.leaves[named][0]
    words = {"logvar": "log sigma^2", "log_sigma": "log sigma", "sigma": "sigma", "var": "sigma^2"}
    if value is None or kind not in words:
        # The code makes sigma of it itself.
        return []
    text = (
        f"{value.name} is read as {words[kind]} by the KL, though its name says {words[named]}; "
        "see that the "
        "draw of z reads it the same way."
    )
    return [Fault("kl-scale", _latent_line(found), text)]


def _draws_of_z(found: Found, drawn: tuple[Draw, ...]) -> list[Fault]:
    """A draw of z that takes the scale for another kind than the KL does."""
    latents = found.examined.latents
    logs = {"logvar": "log sigma^2", "log_sigma": "log sigma"}
    value, _ = found.traced.state.leaves.get(found.examined.probe.scale_kind, (None, None))
    if latents.form not in ("kl", "free-bits", "capacity") or latents.kind not in logs:
        return []
    named = {} if value is None else {_bare(name): name for name in (value.name, *value.names)}
    alike = [draw for draw in drawn if _bare(draw.name) in named]
    if not alike or any(draw.kind == latents.kind for draw in alike):
        return []
    narrow = latents.kind == "logvar"
    width = "narrow" if narrow else "wide"
    sigma = f"exp({alike[0].name})" if narrow else f"exp({alike[0].name} / 2)"
    text = (
        f"z is drawn with {sigma} as its sigma, but the KL reads {named[_bare(alike[0].name)]} as "
        f"{logs[latents.kind]}: where sigma is below 1, z is drawn too {width}."
    )
    right = f"exp(0.5 * {alike[0].name})" if narrow else f"exp({alike[0].name})"
    return [Fault("draw-scale", alike[0].line, text, f"draw z = mu + {right} * eps.")]


def _bare(name: str) -> str:
    """A scale's name without what says whose it is: self.z_log_var as logvar."""
    return "".join(w for w in roles.words_of(name) if w not in ("z", "q", "enc", "encoder"))


def _axis_faults(reading: Reading) -> list[Fault]:
    """A mean on one side only, by what doubling a size does."""
    if reading.kl_form not in ("kl", "wrong", "free-bits"):
        return []
    factors = {s.size: s.factor for s in reading.scaling}
    if _is_even(reading):
        # A size that is written into the code, `original_dim * mean`, makes up for the mean.
        factors = {"latents": factors.get("latents")}
    what = "beta" if reading.beta is not None else "the scale"
    said = [
        _pixels_mean(factors.get("pixels"), what),
        _latents_mean(factors.get("latents"), what),
        _batch_mean(factors.get("batch"), what),
    ]
    return [Fault(kind, reading.line, *words) for kind, *words in filter(None, said)]


def _is_even(reading: Reading) -> bool:
    """Whether error and KL are weighed as in an ELBO, at the sizes that it is read for."""
    if reading.beta is not None:
        return math.isclose(reading.beta, 1.0, rel_tol=1e-6)
    return any(math.isclose(reading.sigma2 or 0.0, plain, rel_tol=1e-6) for plain in (0.5, 1.0))


def _pixels_mean(factor: float | None, what: str) -> tuple[str, str, str] | None:
    if factor is None or abs(factor - 1) <= 1e-6:
        return None
    if factor > 1:
        return (
            "one-sided-mean",
            f"the error is a mean over pixels and the KL is not: {what} grows with the image.",
            "sum the error over the pixels of an image, or divide the KL by their number too.",
        )
    return (
        "one-sided-mean",
        f"the KL is divided by the number of pixels and the error is not: {what} falls "
        "with the image.",
        "divide both by it, or neither.",
    )


def _latents_mean(factor: float | None, what: str) -> tuple[str, str, str] | None:
    if factor is None or factor >= 1 - 1e-6:
        return None
    return (
        "latent-mean",
        f"the KL is a mean over latents: their number is a hidden weight, and {what} "
        "falls with it.",
        "sum the KL over the latents of an image.",
    )


def _batch_mean(factor: float | None, what: str) -> tuple[str, str, str] | None:
    if factor is None or abs(factor - 1) <= 1e-6:
        return None
    more = "grows" if factor > 1 else "falls"
    return (
        "batch-axis",
        f"one term is summed over the batch and the other averaged: {what} {more} with the batch.",
        "treat the batch the same way in both terms.",
    )


def _range_faults(reading: Reading) -> list[Fault]:
    if reading.family != "bernoulli":
        return []
    span = reading.data_range
    if span is not None and span[0] >= 0.0 and span[1] <= 1.0:
        return []
    shown = "standardised" if span is None else f"in [{span[0]:g}, {span[1]:g}]"
    return [
        Fault(
            "cross-entropy-range",
            reading.line,
            f"a cross-entropy of data {shown}: outside [0, 1] it has no minimum, and the loss "
            "falls without bound.",
            "scale the pictures to [0, 1], or use a squared error with a stated sigma.",
        )
    ]


def _level_faults(found: Found, reading: Reading) -> list[Fault]:
    """Masses of grey levels that do not sum to 1: closed ends, or bins of another width."""
    levels = found.examined.pixels.levels
    if levels is None:
        return []
    rows = []
    if not levels.open_ends:
        rows.append(
            Fault(
                "closed-ends",
                levels.node.line,
                "what the logistic puts below black and above white belongs to no level: the "
                "masses do not sum to 1.",
                "give black all that lies below its upper edge, and white all above its lower.",
            )
        )
    span = reading.data_range
    if span is not None and not levels.is_a_level(*span):
        rows.append(
            Fault(
                "bin-width",
                levels.node.line,
                f"a bin is {levels.width:.4g} wide, and grey levels of these pixels are "
                f"{(span[1] - span[0]) / 255:.4g} apart.",
                "add and take away half a level, which is half the range of the pixels over 255.",
            )
        )
    return rows


def _weights_of_draws(found: Found) -> list[Fault]:
    """Draws that weigh the more, the worse they fit."""
    weights = found.examined.weighted
    leaves = found.examined.probe.leaves
    if weights is None or not {"target", "output"} <= leaves.keys():
        return []
    if not importance.favours_worst(weights, leaves["target"], leaves["output"]):
        return []
    text = "the draws of an image that fit worst weigh most: the sign of the weights is wrong."
    correction = "weigh them by softmax(-loss): log w = log p(x, z) - log q(z|x)."
    return [Fault("importance-weights", weights.line, text, correction)]


def _notes(found: Found) -> list[Fault]:
    """What operations noticed while the loss was traced."""
    rows = []
    for kind, line, text in found.traced.state.notes:
        rows.append(Fault(kind, line, text))
    if found.traced.note:
        rows.append(Fault("terms", found.traced.line, found.traced.note))
    return rows


def _evaluation(found: Found) -> list[Fault]:
    """Training and validation with different weights."""
    other = found.evaluation
    if other is None:
        return []
    text = (
        f"{other.traced.entry.name} weighs its terms otherwise than {found.traced.entry.name}: "
        "the two "
        "curves are of two different models."
    )
    return [Fault("validation-weights", other.traced.line, text, "use one loss for both.")]


def _detached(found: Found) -> list[Fault]:
    """Terms that are added to the loss without a gradient."""
    leaves = found.examined.probe.leaves
    text = "a term is detached: it is counted in the loss but sends no gradient."
    return [Fault("detached", leaves[leaf].line, text) for leaf in found.examined.silent[:1]]


__all__ = ["find"]
