"""The verdict in a sentence, and whether there is one at all."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from vae.your_loss.examine import Examined
from vae.your_loss.reading import Reading
from vae.your_loss.roles import LATENT_SCALES, guess, is_late, is_term, words_of
from vae.your_loss.search import Found
from vae.your_loss.vocabulary import REBUILT

# Divergences of libraries that take probabilities.
_OF_PROBABILITIES = re.compile(
    r"KLDivLoss|\bkl_div\(|losses\.(kl_divergence|KLDivergence|kullback\w+|kld)|KLDivergence\("
)
# Families of which beta is the number.
SUMMED = (
    "bernoulli",
    "continuous-bernoulli",
    "categorical",
    "discretised-logistic",
    "mixture",
)
"""Families that have no scale to weigh: their one number beside a KL is beta."""
NAMES = {
    "gaussian": "Gaussian",
    "laplace": "Laplace",
    "bernoulli": "Bernoulli",
    "continuous-bernoulli": "continuous Bernoulli",
    "categorical": "categorical",
    "discretised-logistic": "discretised logistic",
    "huber": "Huber",
    "charbonnier": "Charbonnier",
    "log-cosh": "log-cosh",
    "student-t": "Student-t",
    "mixture": "mixture of densities",
}


def number(value: float) -> str:
    """Three figures, without an exponent where it stays short."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if 1e-3 <= abs(value) < 1e6:
        text = f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.3g}"


def settle(reading: Reading, found: Found) -> Reading:
    """Decide whether the loss was read, and say so in a sentence."""
    reason = _refusal(reading, found)
    if reason:
        return replace(
            reading, read=False, message=reason, verdict=reason, sigma2=None, sigma2_unit=None,
            laplace_scale=None, beta=None, rate=None, near_sigma2=None, tail_scale=None,
            family=_family_of_refusal(reading),
        )  # fmt: skip
    if any(f.kind == "cross-entropy-range" for f in reading.faults):
        reading = replace(reading, family="none", beta=None, rate=None)
    if found.examined.weighted is not None:
        return replace(
            reading, read=True, family="none", verdict=_weighted_words(reading), sigma2=None,
            sigma2_unit=None, laplace_scale=None, beta=None, rate=None, near_sigma2=None,
            tail_scale=None, scaling=(),
        )  # fmt: skip
    nothing = _nothing(reading, found.examined)
    if not nothing and reading.family == "unknown":
        # What _refusal lets pass without a family is a mixture by its name.
        return replace(reading, read=True, family="mixture", verdict=_mixture_words(reading))
    if nothing:
        return replace(reading, read=True, family="none", verdict=nothing, rate=None)
    words = _unequal_words(reading, found.examined) or _verdict(reading)
    return replace(reading, read=True, verdict=words)


def _family_of_refusal(reading: Reading) -> str:
    asked = any(c.source in ("missing", "late") for c in reading.constants)
    return reading.family if asked else "unknown"


def _refusal(reading: Reading, found: Found) -> str:
    """Why nothing is said about this loss, or '' where something is."""
    return (
        _not_followed(found)
        or _not_decided(reading, found)
        or _not_said(reading, found)
        or _parts_refused(reading, found)
        or _lost_kl(found)
        or _no_autoencoder(found)
    )


def _not_followed(found: Found) -> str:
    """What the rest of the loss hangs on and that is not known, moves, or claims another's role."""
    examined = found.examined
    state = examined.probe.state
    if examined.blocking:
        line, name, reason = state.unknown[examined.blocking[0]]
        why = f" ({reason})" if reason and " " in reason else ""
        return (
            f"Line {line}: {name} is not known here{why}. The rest of the loss is multiplied by it "
            "or lies inside of it, so the loss is not read."
        )
    if found.lost is not None:
        line, name = found.lost
        return (
            f"Line {line}: what is minimised is {name}, which is not known here, though it is made "
            f"of what {found.traced.entry.name} gives; so the loss is not read."
        )
    if found.trained is not None:
        line, name = found.trained
        return (
            f"Line {line}: {name} is what is trained, and it could not be followed. What is read "
            f"is {found.traced.entry.name}, which may weigh its terms otherwise; so the loss is "
            "not read."
        )
    if examined.adaptive:
        line = examined.probe.leaves[examined.adaptive[0]].line
        return (
            f"Line {line}: a weight follows the loss itself (it is detached), so the loss is no "
            "ELBO of one belief: its sigma changes from step to step."
        )
    if examined.twins:
        return _twins(examined)
    if examined.unlike:
        return (
            f"Line {found.traced.line}: {examined.unlike} is compared by another cost than the "
            "picture that is read: two beliefs, and no one number says how both stand to the KL."
        )
    return ""


def _not_set(reading: Reading, found: Found) -> str:
    """A setting or a condition that decides the loss, and that the code leaves open."""
    if found.open_choice is not None:
        line, settings = found.open_choice
        listed = " and ".join(
            f"{name} ({' or '.join(repr(value) for value in dict.fromkeys(values))})"
            for name, values in settings
        )
        return (
            f"Line {line}: the loss depends on {listed}, which this code does not decide; "
            "set that, and the loss is read."
        )
    if (choice := next((c for c in reading.choices if not c.taken), None)) is not None:
        if choice.values == ("true", "false"):
            return (
                f"Line {choice.line}: the loss depends on '{choice.condition}', which this code "
                "does not decide; say whether it holds."
            )
        return (
            f"Line {choice.line}: the loss depends on {choice.condition} "
            f"({' or '.join(map(repr, choice.values))}), which this code does not decide; set "
            "that, and the loss is read."
        )
    return ""


def _not_decided(reading: Reading, found: Found) -> str:
    """What the code leaves open: which loss, which branch, which shape of an image."""
    if found.rivals:
        first, second = found.traced.entry, found.rivals[0]
        names = [entry.name or "the file's own lines" for entry in (first, second)]
        return (
            f"Two losses: {names[0]} (line {first.line}) and {names[1]} (line {second.line}), "
            "and nothing here shows which one is minimised; name the function that is meant."
        )
    if found.either:
        either = " and ".join(sorted(found.either))
        return (
            f"Line {found.traced.line}: nothing here says which of {either} is the picture and "
            "which the output, and the loss is not the same in both; say who is who."
        )
    if sentence := _not_set(reading, found):
        return sentence
    if found.mixed is not None:
        condition, line = found.mixed
        return (
            f"Line {line}: where '{condition}' holds the loss is another one than where it does "
            "not, from round to round of a loop; one belief does not describe it."
        )
    if found.rounds_matter:
        return (
            f"Line {found.traced.line}: the errors of several outputs are summed, and nothing here "
            "says how many there are; divide by their number, and the loss is read."
        )
    if found.misfit is not None:
        line, why = found.misfit
        return (
            f"Line {line}: {why}, where pictures have as many axes as the code gives them where "
            "they enter. Only of pictures in rows would this be a loss, so it is not read."
        )
    if found.shape_matters:
        shape = "x".join(str(side) for side in found.setup.sizes.image)
        return (
            f"Line {found.traced.line}: the loss is another one for pictures of {shape} than for "
            f"pictures in rows of {found.setup.sizes.pixels:,}; say the shape of an image, and it "
            "is read."
        )
    return ""


def _not_said(reading: Reading, found: Found) -> str:
    """A loss that is no sum of two parts, or a number that the code does not hold."""
    examined = found.examined
    if not examined.separable:
        return (
            "The loss is no sum of a function of the pictures and one of the latents, so it is "
            "no ELBO of one belief about pixels. An importance-weighted bound is such a loss, and "
            "a weight that follows the loss itself."
        )
    if examined.missing:
        return _asked(reading, examined)
    return ""


def _no_autoencoder(found: Found) -> str:
    """A loss without a KL whose names do not tell of pictures that are rebuilt."""
    if found.examined.latents.form != "none":
        return ""
    leaves = found.traced.state.leaves
    names = [name for value, _ in leaves.values() if value for name in value.names]
    if {word for name in names for word in words_of(name)} & REBUILT:
        return ""
    return (
        "No term asks anything of latents, and no name tells of a picture that is rebuilt: this is "
        "no loss of an autoencoder."
    )


def _lost_kl(found: Found) -> str:
    """A KL that the code speaks of and that the loss was not seen to hold."""
    if found.examined.latents.form != "none" or not found.speaks_of_kl:
        return ""
    failures = found.traced.state.failures
    more = f" (line {failures[0][0]}: {failures[0][1]})" if failures else ""
    return (
        "The code speaks of a KL, but none was seen to reach the loss on line "
        f"{found.traced.line}{more}; "
        "paste what adds it, or the loss is not read."
    )


def _twins(examined: Examined) -> str:
    leaf = examined.twins[0]
    state = examined.probe.state
    role = leaf.split("#")[0]
    first, second = state.leaves.get(role), state.leaves[leaf]
    names = [pair[0].name for pair in (first, second) if pair is not None and pair[0] is not None]
    listed = " and ".join(dict.fromkeys(names)) or role
    return f"Two values claim one role ({listed} as {role}), and both count: say who is who."


def _asked(reading: Reading, examined: Examined) -> str:
    names = [leaf.split(":", 1)[1] for leaf in examined.missing]
    line = next((c.line for c in reading.constants if c.name == names[0]), 0)
    many = " and ".join(names[:3])
    source = next((c.source for c in reading.constants if c.name == names[0]), "")
    if source == "late" and not any(is_late(name) for name in names):
        return (
            f"Line {line}: {many} is another from step to step; set the value that is meant, and "
            "the loss is read."
        )
    asked = examined.probe.state.leaves[examined.missing[0]][0]
    if asked is not None and asked.swept:
        return (
            f"Line {line}: {many} has several values, one after the other; set the one that is "
            "meant, and the loss is read."
        )
    verb = "has" if len(names) == 1 else "have"
    return f"Line {line}: {many} {verb} no value in this code; set it, and the loss is read."


def ready_terms(arguments: Sequence[tuple[str, int]], text: str) -> list[str]:
    """Arguments in ``text`` that by their names are terms of a loss already."""
    names = [name for name, _ in arguments if re.search(rf"\b{re.escape(name)}\b", text)]
    weights = {name for name in names if any(g.role == "constant" for g in guess(name))}
    # learning_rate and kl_check_start: settings, no terms.
    weights |= {name for name in names if {"learning", "drop", "dropout"} & set(words_of(name))}
    weights |= {n for n in names if set(words_of(n)) & _NO_TERMS}
    return [n for n in names if n not in weights and (is_term(n) or "prob" in words_of(n))]


_NO_TERMS = frozenset({"start", "window", "check", "every", "interval", "fn", "func", "function"})


def came_ready(line: int, names: Sequence[str]) -> str:
    """The sentence about terms that the pasted code is given and does not compute."""
    listed = ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]
    return (
        f"Line {line}: {listed} {'comes' if len(names) == 1 else 'come'} ready computed. Only what "
        "computes it says how an output is compared with a picture; paste that too, and the "
        "loss is read."
    )


def _asks_of_latents(examined: Examined) -> str | None:
    """A term that was left out and that is made of latents alone."""
    for leaf in examined.left_out:
        value = examined.probe.state.leaves[leaf][0]
        inputs = value.inputs if value is not None else frozenset()
        if inputs & {"mean", "z", *LATENT_SCALES} and not inputs & {"target", "output"}:
            return leaf
    return None


_OF_THE_FIT = frozenset(
    {"nll", "recon", "recons", "reconstruction", "reconst", "likelihood", "loglik", "llh", "xent"}
)
# Libraries' likelihoods of words and of sequences.
_OF_WORDS = re.compile(r"(softmax|sequence|nce|ctc)_loss$")


def _other_error(examined: Examined) -> str | None:
    """A term that was left out and that by its name is the error of the output."""
    for leaf in examined.left_out:
        value = examined.probe.state.leaves[leaf][0]
        path = "" if value is None else value.path.partition("(")[0]
        # recon_loss.mean() is the error still, recon.norm() is none.
        owners = [part for part in path.split(".")[:-1] if is_term(part)]
        names = [] if value is None else [path, *owners, *value.hints]
        if {word for name in names for word in words_of(name)} & _OF_THE_FIT:
            return leaf
        if any(_OF_WORDS.search(name) for name in names):
            return leaf
    return None


def _parts_refused(reading: Reading, found: Found) -> str:
    """What is not known of what the loss asks of the latents, or of the pixels."""
    return _latents_refused(reading, found) or _pixels_refused(reading, found)


def _latents_refused(reading: Reading, found: Found) -> str:
    examined, latents = found.examined, found.examined.latents
    unknown = reading.unknown[0] if reading.unknown else None
    if (asks := _asks_of_latents(examined)) is not None:
        line, name, _ = examined.probe.state.unknown[asks]
        if _OF_PROBABILITIES.search(name):
            return (
                f"Line {line}: {name} compares two lists of probabilities, no means and log "
                "variances; write KL(q || N(0, 1)) by its formula, and the loss is read."
            )
        return (
            f"Line {line}: {name} is not known here, and it asks something of the latents beside "
            "the KL. So how much of a KL this loss has is not told."
        )
    if latents.form == "wrong" and examined.left_out and unknown is not None:
        return (
            f"Line {unknown.line}: {unknown.name} is not known here, and it may be a part of the "
            "KL. What the loss asks of the other latents is none, so it is not read."
        )
    if latents.form == "unknown":
        more = " besides a KL" if latents.extra else ""
        return (
            f"What the loss asks of the latents is no KL to N(0, 1) that is known here{more}. It "
            "is not proportional to mu^2 + sigma^2 - log sigma^2 - 1 at the latents that were "
            "tried."
        )
    return ""


def _pixels_refused(reading: Reading, found: Found) -> str:
    pixels, latents = found.examined.pixels, found.examined.latents
    unknown = reading.unknown[0] if reading.unknown else None
    if pixels.family == "unknown" and not _is_none(reading, found.examined):
        return _uncompared(reading, found)
    if (error := _other_error(found.examined)) is not None:
        line, name, _ = found.examined.probe.state.unknown[error]
        return (
            f"Line {line}: {name} is not known here, and by its name it says how well the output "
            "fits. So what else is compared is not all of it, and the loss is not read."
        )
    if latents.form == "none" and unknown is not None:
        return (
            f"Line {unknown.line}: {unknown.name} is not known here, and no other term asks "
            "anything of "
            "the latents; it may be the KL, so the loss is not read."
        )
    return ""


def _uncompared(reading: Reading, found: Found) -> str:
    """Why it is not known how the output is compared with the picture."""
    examined = found.examined
    pixels, latents = examined.pixels, examined.latents
    unknown = reading.unknown[0] if reading.unknown else None
    if unknown is not None:
        if ready := ready_terms(found.arguments, unknown.name):
            return came_ready(unknown.line, ready)
        return (
            f"Line {unknown.line}: {unknown.name} is not known here, and it is what would say "
            "how the output is compared with the picture; the loss is not read."
        )
    if latents.form in ("kl", "wrong") and not examined.probe.deps & {"target", "output"}:
        misfits = [f for f in examined.probe.state.failures if "do not go together" in f[1]]
        if misfits:
            return (
                f"Line {misfits[0][0]} could not be followed: {misfits[0][1]}. It may be what "
                "compares the output with the picture, so the loss is not read."
            )
        return (
            f"Line {found.traced.line}: a KL is here, but no term compares an output with a "
            "picture; paste that too, and the loss is read."
        )
    if unsaid := [role for role in reading.roles if role.role == "unknown"]:
        names = " and ".join(role.name for role in unsaid[:4])
        verb = "is" if len(unsaid) == 1 else "are"
        return (
            f"Line {unsaid[0].line}: nothing here says what {names} {verb}; say who is who, "
            "and the loss is read."
        )
    failures = examined.probe.state.failures
    more = f" (line {failures[0][0]}: {failures[0][1]})" if failures else ""
    return f"The loss is not read: {pixels.why}{more}."


def _is_none(reading: Reading, examined: Examined) -> bool:
    """Whether the error, by its name, is none of which sigma or beta could be told."""
    from vae.your_loss.assemble import is_mixture, is_perceptual

    if examined.latents.form in ("none", "unknown"):
        return False
    names = [u.name for u in reading.unknown]
    return is_perceptual(names) or is_mixture(names)


def _nothing(reading: Reading, examined: Examined) -> str:
    """The verdict where the loss has no belief about pixels."""
    if reading.family == "none":
        return (
            "No belief about pixels: a cross-entropy is a likelihood for pictures in [0, 1] "
            "only; for "
            "others it has no minimum, and the loss falls without bound."
        )
    if examined.pixels.family == "unknown" and _is_none(reading, examined):
        from vae.your_loss.assemble import is_mixture

        if is_mixture([u.name for u in reading.unknown]):
            return ""
        name = reading.unknown[0].name
        return (
            f"No belief about pixels: {name} (line {reading.unknown[0].line}) is no negative log "
            "density "
            "of the picture, so the weight of the KL beside it can only be tuned."
        )
    return ""


def _weighted_words(reading: Reading) -> str:
    """The verdict on draws that are weighed by their own loss."""
    words = (
        "Importance-weighted: the draws of an image are weighed by their own loss, so this is no "
        "ELBO, and one sigma or beta does not describe it."
    )
    if reading.sigma2 is not None:
        words += (
            " Were all draws alike, it would be a Gaussian with sigma^2 = "
            f"{number(reading.sigma2)}."
        )
    elif reading.beta is not None:
        kind = NAMES.get(reading.shape, reading.shape)
        words += f" Were all draws alike, it would be a {kind} with beta = {number(reading.beta)}."
    if any(fault.kind == "importance-weights" for fault in reading.faults):
        words += " Its weights have the wrong sign: the draws that fit worst weigh most."
    return words


def _unequal_words(reading: Reading, examined: Examined) -> str:
    """The verdict on KLs of several groups of latents with weights that differ."""
    if not examined.weights:
        return ""
    error = reading.error_weight
    names = " : ".join(name for name, _ in examined.weights)
    first = examined.weights[0][1]
    ratio = " : ".join(number(weight / first) for _, weight in examined.weights)
    words = (
        f"The error of a pixel is a {NAMES.get(reading.shape, reading.shape)}'s. "
        f"Its KLs weigh differently ({names} = {ratio}), so no one number is their weight."
    )
    if not error or error < 0:
        return words
    if reading.family == "gaussian":
        each = [f"{number(weight / (2.0 * error))}" for _, weight in examined.weights]
        words += f" Against each alone sigma^2 is {' or '.join(each)}."
    elif reading.family in SUMMED:
        each = [f"{number(weight / error)}" for _, weight in examined.weights]
        words += f" Against each alone beta is {' or '.join(each)}."
    return words


def _mixture_words(reading: Reading) -> str:
    item = reading.unknown[0]
    return (
        f"A mixture of densities by its name: {item.name} (line {item.line}). How it is summed "
        "over an image is not shown here, so no beta is told."
    )


def _verdict(reading: Reading) -> str:
    words = _belief_words(reading)
    form = reading.kl_form
    if form == "none":
        return f"{words} No term asks anything of the latents: a plain autoencoder, without a KL."
    if form == "inert":
        return f"{words} The KL has no effect: a plain autoencoder."
    if form == "free-bits" and reading.threshold is not None:
        words += f" The KL counts only above {number(reading.threshold)} nats an image."
    if form == "capacity" and reading.threshold is not None:
        words += f" The KL is held at {number(reading.threshold)} nats an image, whatever sigma is."
    if reading.kl_form == "wrong":
        words += " Its KL is not the KL to N(0, 1): see the faults."
    if reading.unknown:
        words += f" Left out: {', '.join(u.name for u in reading.unknown[:3])}."
    if reading.sizes.assumed and any(s.factor not in (1.0, None) for s in reading.scaling):
        sizes = reading.sizes
        words += (
            f" Read for {sizes.pixels:,} values an image, {sizes.latent_count} latents, batches of "
            f"{sizes.batch}."
        )
    return words


def _belief_words(reading: Reading) -> str:
    family, kind = reading.family, NAMES.get(reading.shape, reading.shape)
    lost = reading.kl_form == "wrong" and reading.rate is None
    lost = lost or (reading.kl_weight is not None and reading.kl_weight < 0)
    if lost or reading.kl_form in ("none", "inert", "capacity"):
        return f"The error of a pixel is a {kind}'s."
    if family == "gaussian" and reading.sigma2 is not None:
        return _gaussian_words(reading, reading.sigma2)
    if family == "gaussian":
        return "A Gaussian, but not the same in all directions: no single sigma describes it."
    if family == "gaussian-learned" and reading.scale_per_pixel:
        scales = [role.name for role in reading.roles if role.role == "out_scale"]
        return (
            f"A Gaussian with one sigma a pixel, if {scales[0] if scales else 'it'} has a number "
            "for each (Kingma & Welling 2014, equation 12). Where a pixel hardly varies its sigma "
            "goes to 0, so set a floor. One number for all settles on the RMSE."
        )
    if family == "gaussian-learned":
        return (
            "A Gaussian whose scale is learned: at the optimum sigma^2 is the mean squared error "
            "of a pixel."
        )
    if family == "laplace-learned":
        return (
            "A Laplace whose scale is learned: at the optimum it is the mean absolute error of a "
            "pixel."
        )
    if family == "laplace" and reading.laplace_scale is not None:
        return (
            f"A Laplace with scale {number(reading.laplace_scale)}: the absolute error stands "
            "beside the KL."
        )
    if family in SUMMED and reading.beta is not None:
        beta = reading.beta
        if family == "mixture":
            kind = "mixture of densities: the log of a sum of densities of a value, or of an image,"
        elif family == "discretised-logistic":
            scale = reading.logistic_scale
            scale_is = "its scale learned" if scale is None else f"scale {number(scale)}"
            kind = f"{kind}, a probability of grey levels, {scale_is},"
        plain = "the ELBO itself" if math.isclose(beta, 1.0, rel_tol=1e-6) else "a beta-VAE"
        return f"A {kind} with beta = {number(beta)}: {plain}."
    if reading.near_sigma2 is not None:
        tail = ""
        if reading.tail_scale is not None:
            tail = f" and a Laplace with scale {number(reading.tail_scale)} in the tails"
        sigma = math.sqrt(reading.near_sigma2)
        return f"A {kind} loss: a Gaussian with sigma = {number(sigma)} for small errors{tail}."
    return f"The error of a pixel is a {kind}'s."


def _gaussian_words(reading: Reading, sigma2: float) -> str:
    sigma = math.sqrt(sigma2)
    words = f"A Gaussian with sigma = {number(sigma)} (sigma^2 = {number(sigma2)})"
    doubled = {s.size: s.factor for s in reading.scaling if s.factor is not None}
    moves = {size for size, factor in doubled.items() if abs(factor - 1.0) > 1e-6}
    error = f"the error is averaged over {reading.sizes.pixels:,} values"
    why = []
    if {"pixels", "latents"} <= moves:
        why.append(f"{error}, the KL over its {reading.sizes.latent_count:,} latents")
    elif "pixels" in moves:
        why.append(f"{error}, and the KL is not")
    elif "latents" in moves:
        why.append("the KL is averaged over the latents")
    batch = "one of the two is summed over the batch and the other is not"
    if "batch" in moves and not why:
        why.append(batch)
    elif "batch" in moves:
        return f"{words}: {why[0]}. {batch.capitalize()}."
    return f"{words}: {why[0]}." if why else f"{words}."
