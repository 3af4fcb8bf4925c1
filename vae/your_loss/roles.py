"""Who is who: the target, the output, the mean, the log variance, found from their names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vae.your_loss import vocabulary
from vae.your_loss.once import once_a_name

ROLES = {
    "target": "the picture x",
    "output": "the decoder's output",
    "mean": "the mean of q(z|x)",
    "logvar": "the log variance of q(z|x)",
    "log_sigma": "the log of the scale of q(z|x)",
    "sigma": "the scale of q(z|x)",
    "var": "the variance of q(z|x)",
    "z": "the latent that was drawn",
    "out_scale": "the scale of the pixels, learned",
    "prior_mean": "the mean of the prior",
    "prior_scale": "the scale of the prior",
    "posterior": "q(z|x) as a distribution",
    "constant": "a number",
    "batch": "images in a batch",
    "latents": "latents",
    "pixels": "values of an image",
    "classes": "classes of a value",
    "unknown": "not known",
}
UNIQUE = frozenset(
    {"target", "output", "mean", "logvar", "log_sigma", "sigma", "var", "z", "out_scale"}
)
LATENT_SCALES = ("logvar", "log_sigma", "sigma", "var")

# Names of losses that are no density of a picture.
PERCEPTUAL = frozenset(
    [
        "lpips",
        "perceptual",
        "ssim",
        "msssim",
        "ms_ssim",
        "vgg",
        "feature",
        "features",
        "disc",
        "discriminator",
        "discrim",
        "gan",
        "adversarial",
        "adv",
        "critic",
        "style",
        "percep",
        "psnr",
        "facenet",
        "similarity",
    ]
)

# Names of densities that are sums of densities.
MIXTURE = frozenset({"mixture", "mix", "dmol", "mdn", "gmm", "mog"})

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@once_a_name
def words_of(name: str) -> list[str]:
    """'recon_x' and 'reconX' as ['recon', 'x']; only what follows the last dot counts."""
    name = "".join(vocabulary.LETTERS.get(letter, letter) for letter in name)
    last = re.sub(r"\[['\"](\w+)['\"]\]$", r".\1", name).rsplit(".", 1)[-1]
    return [word.lower() for word in _WORD.findall(last)]


@dataclass(frozen=True)
class Guess:
    """A role, and how sure its name makes it: 2 named so, 1 may be meant."""

    role: str
    sure: int


# Letters that say something other than their words.
_LETTERS = {
    # A matrix, no mean.
    "M": [],
    # As often a weight as a batch: what it is has to be said.
    "b": [Guess("constant", 1)],
}
# What a whole name says that its words do not.
_WHOLE = {
    # By how much the edges of a graph are outnumbered.
    "norm": [Guess("constant", 1)],
    # Log probabilities of tokens, as a network gives them.
    "logp": [Guess("output", 1)],
    "logps": [Guess("output", 1)],
    "y": [Guess("output", 1), Guess("target", 1)],
    **{
        name: [Guess("posterior", 1)]
        for name in ("posterior", "posteriors", "latentdist", "qz", "q", "qzx")
    },
}


class Named:
    """A name taken apart: its ``words``, the ``whole`` that they make, and ``some`` to look for."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.whole = "".join(words)
        # xtrue, xstar: an x and what it is.
        self.some = {w[1:] for w in words if w[:1] == "x" and w[1:] in vocabulary.OF_X} | set(words)


@once_a_name
def guess(name: str) -> list[Guess]:
    """The roles that ``name`` may mean, likeliest first; empty where it says nothing."""
    words = words_of(name)
    leaf = name.rsplit(".", 1)[-1]
    if not words or leaf in _LETTERS:
        return _LETTERS.get(leaf, [])
    if leaf.strip("'\"]").endswith("M_N"):
        # What one well known collection calls the share of a batch in its data.
        return [Guess("constant", 2)]
    named = Named(words)
    for rule in (_how_much, _scale, _weight, _of_a_network, _rest):
        found = rule(named)
        if found is not None:
            return found
    return []


def _how_much(name: Named) -> list[Guess] | None:
    """Sizes, numbers and counters; losses, and what only says where a picture lies, are none."""
    some = name.some
    size = _size_role(name.whole)
    if not size and some & vocabulary.SIZED and some & vocabulary.LATENTS:
        size = "latents"
    if size:
        return [Guess(size, 2)]
    counts = some & vocabulary.SIDES or (some & vocabulary.COUNTED and some & vocabulary.TARGET)
    if counts and not some & vocabulary.LOSSES:
        return [Guess("constant", 1)]
    if some & vocabulary.EXTENTS or (some & vocabulary.MARKERS and some & vocabulary.NUMBERED):
        return []
    if some & vocabulary.LOSSES and not some & vocabulary.WEIGHS:
        return []
    if some & vocabulary.LATE and not some & (vocabulary.TARGET - {"batch", "x"}):
        return [Guess("constant", 1)]
    return None


def _scale(name: Named) -> list[Guess] | None:
    if name.some & vocabulary.PRECISION:
        return [Guess("out_scale", 2 if _of_pixels(name.words) else 1)]
    scale = _scale_roles(name.words, name.whole, name.some)
    if scale and name.some & (vocabulary.MEAN - {"m"}):
        # mean_log_var: both side by side, to be split.
        return []
    return scale or None


def _weight(name: Named) -> list[Guess] | None:
    logs = {word[3:] for word in name.words if word.startswith("log")}
    if ("log" in name.some and name.some & vocabulary.DENSITIES) or logs & vocabulary.DENSITIES:
        # log_p_z, logpx_z: a log density, whatever it is one of.
        return []
    return [Guess("constant", 2)] if name.some & vocabulary.STRONG_CONSTANT else None


def _of_a_network(name: Named) -> list[Guess] | None:
    """What an encoder, a decoder or a prior gives."""
    words, whole, some = name.words, name.whole, name.some
    if _of_prior(words) and some & vocabulary.MEAN:
        return [Guess("prior_mean", 2)]
    if words[0] in vocabulary.JUDGES and len(words) > 1:
        # What an adversary says of a picture.
        return []
    if some & vocabulary.OUTPUT or (some & vocabulary.MEAN and _of_pixels(words)):
        return [Guess("output", 2 if whole != "out" else 1)]
    if whole in vocabulary.OUTPUT:
        return [Guess("output", 2)]
    if some & vocabulary.MEAN or whole in vocabulary.MEAN:
        return [Guess("mean", 2)]
    if {whole, words[0], words[-1]} & vocabulary.Z:
        return [Guess("z", 2)]
    return None


def _rest(name: Named) -> list[Guess] | None:
    if name.whole in _WHOLE:
        return _WHOLE[name.whole]
    if name.whole in vocabulary.TARGET or name.some & vocabulary.TARGET:
        return [Guess("target", 2 if name.whole in vocabulary.TARGET else 1)]
    return [Guess("constant", 1)] if name.some & vocabulary.CONSTANT else None


def said_otherwise(role: str, names: Sequence[str], source: str) -> str:
    """What a further word of ``names`` makes of ``role``: a decoder's target is no output.

    ``source`` is that of a value that the code does not determine.
    """
    words = [words_of(name) for name in names]
    said = {word for name in words for word in name}
    if role == "z" and source == "call" and said & vocabulary.SIDE_BY_SIDE:
        # latent_params, to be split into a mean and a scale.
        return ""
    if source not in ("argument", "attribute"):
        return role
    if role == "output" and words[0] and words[0][-1] in vocabulary.GIVEN:
        return "target"
    # data_variance: a number, and none of the data.
    return "constant" if role == "target" and set(words[0]) & vocabulary.SPREADS else role


def is_late(name: str) -> bool:
    """A counter of epochs or steps."""
    words = set(words_of(name))
    return bool(words & vocabulary.LATE) and not words & vocabulary.STRONG_CONSTANT


def is_total(name: str) -> bool:
    """How many epochs or steps there are in all: n_epochs, total_steps."""
    words = words_of(name)
    return is_late(name) and (words == ["epochs"] or bool(set(words) & vocabulary.IN_ALL))


def is_mask(name: str) -> bool:
    """What says of each value whether it counts: mask, pixel_masks."""
    return bool(set(words_of(name)) & {"mask", "masks"}) and not is_term(name)


def is_term(name: str) -> bool:
    """The name of a loss or of a part of one."""
    return bool(set(words_of(name)) & vocabulary.LOSSES)


def _size_role(whole: str) -> str:
    whole = whole.removeprefix("num") if whole.startswith("numlatent") else whole
    if whole in vocabulary.BATCH:
        return "batch"
    if whole in vocabulary.LATENT_SIZES:
        return "latents"
    if whole in vocabulary.CLASS_SIZES:
        return "classes"
    if whole in vocabulary.PIXEL_SIZES:
        return "pixels"
    return ""


def _of_prior(words: list[str]) -> bool:
    """Whether a moment is that of p(z): prior_mu, mu_p, p_logvar."""
    return "prior" in words or (len(words) > 1 and "p" in (words[0], words[-1]))


def _of_pixels(words: list[str]) -> bool:
    return bool(
        set(words)
        & {"x", "dec", "decoder", "recon", "rec", "px", "out", "output", "outputs", "pixel"}
    )


def _scale_roles(words: list[str], whole: str, some: set[str]) -> list[Guess]:
    """The kinds of scale: of the latents, or of the pixels or the prior where the name says so."""
    kept = [
        w
        for w in words
        if w not in ("z", "q", "enc", "encoder", "latent", "post", "posterior", "vector", "vec")
    ]
    core = "".join(kept)
    # H_2_std: a layer's letter and number say nothing.
    bare = "".join(w for w in kept if len(w) > 1 and not w.isdigit())
    stripped = "".join(
        w for w in kept if w not in ("x", "dec", "decoder", "recon", "rec", "px", "prior", "p",
                                     "out", "output", "outputs", "pixel", "fc", "pred", "obs")
    )  # fmt: skip
    role = ""
    for names, found in (
        (vocabulary.LOGVAR, "logvar"),
        (vocabulary.LOG_SIGMA, "log_sigma"),
        (vocabulary.SIGMA, "sigma"),
        (vocabulary.VAR, "var"),
    ):
        if whole in names or core in names or stripped in names or bare in names:
            role = found
            break
    if not role and some & vocabulary.SQUARES and "log" not in some:
        # sigma_squared, enc_std_square: the square of a scale.
        root = "".join(w for w in kept if w not in vocabulary.SQUARES)
        role = "var" if root in vocabulary.SIGMA else ""
    if not role and "log" in some and some & (vocabulary.VAR | vocabulary.SQUARES | {"2"}):
        role = "logvar"
    if not role and "log" in some and some & (vocabulary.SIGMA - {"scale"}):
        role = "log_sigma"
    if not role and some & vocabulary.LOGVAR:
        # style_logvar, logvar_a: one of several.
        role = "logvar"
    if not role and whole in ("loggamma", "logsigmax"):
        return [Guess("out_scale", 2)]
    if not role:
        return []
    if _of_prior(words):
        return [Guess("prior_scale", 2)]
    if stripped != core and _of_pixels(words):
        return [Guess("out_scale", 2)]
    sure = 1 if whole in ("scale", "logscale", "cov") else 2
    others = [r for r in LATENT_SCALES if r != role]
    alternative = [Guess("out_scale", 1)]
    return [Guess(role, sure), *alternative, *(Guess(r, 0) for r in others)]
