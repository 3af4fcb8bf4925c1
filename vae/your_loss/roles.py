"""Who is who: the target, the output, the mean, the log variance, found from their names."""

import re
from dataclasses import dataclass

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

_TARGET = {
    "x", "data", "input", "inputs", "target", "targets", "img", "imgs", "image", "images", "batch",
    "orig", "original", "true", "gt", "truth", "label", "labels", "y_true", "xs", "sample",
    "samples", "pixel", "pixels", "obs", "observation", "observations", "real", "ground",
    "features",
    "expected", "actual", "action", "actions", "frame", "frames", "clean", "t",
    "sequence", "series",
    "xb",
    "tokens", "token", "ids", "mel", "audio", "signal", "batch_x", "photo", "picture", "pictures",
}  # fmt: skip
_OUTPUT = {
    "recon", "recons", "reconstruction", "reconstructions", "reconstructed", "rec", "decoded",
    "output", "outputs", "out", "pred", "preds", "prediction", "predictions", "logits", "logit",
    "hat", "tilde", "decoder", "generated", "gen", "fake", "bar", "xhat", "recx", "xrec", "xr",
    "xrecon", "xout", "reconst", "dec", "prob", "probs", "yhat", "recont", "reconx", "ypred",
    "predicted", "decode", "xp", "px", "rx", "restored", "recovered", "xdecoded",
    "xh",
    "prime", "renders",
}  # fmt: skip
_MEAN = {"mu", "mean", "means", "mus", "loc", "m", "zmu", "zmean", "mn", "avg", "muz"}
_LOGVAR = {
    "logvar", "lv", "logvariance", "logsigma2", "logsigmasq", "logvars", "logsigmasquared", "logv",
    "lnvar", "zlogvar", "logsd2", "logs2", "lsgms", "logstd2",
}  # fmt: skip
_LOG_SIGMA = {
    "logsigma", "logstd", "logsd", "logscale", "logstddev", "lnsigma", "logs", "lsigma",
    "logdev", "logsig", "rho",
}  # fmt: skip
_SIGMA = {
    "sigma", "std", "stddev", "sd", "scale", "stdev", "sig", "sigmas", "deviation", "stds", "sds",
}  # fmt: skip
_VAR = {
    "v",
    "qv",
    "var",
    "variance",
    "variation",
    "sigma2",
    "variances",
    "sigmasq",
    "cov",
    "vars",
    "std2",
}
_PRECISION = {"prec", "precision", "logprec", "logprecision"}
_Z = {"z", "latent", "latents", "zs", "code", "codes", "embedding", "zsample", "zsamples"}
_CONSTANT = {
    "weight", "weights", "w", "coef", "coeff", "coefficient", "beta", "alpha", "lambda", "lam",
    "lamb", "gamma", "factor", "kld_weight", "rate", "capacity", "free", "tolerance", "lmbda",
    "lambd", "multiplier", "eta", "delta", "temperature", "tau", "wt", "anneal", "annealing",
    "annealed", "epsilon", "eps", "margin", "threshold", "min", "max", "target_kl", "fraction",
    "num", "n", "cost", "scaling", "warmup", "ratio", "c", "k", "lamda", "strength", "bits", "nats",
    "dataset", "size", "len", "total", "count", "theta", "zeta", "kappa", "nu", "penalty", "dim",
}  # fmt: skip
_STRONG_CONSTANT = {
    "weight", "weights", "coef", "coeff", "beta", "alpha", "lambda", "lam", "gamma", "factor",
    "lmbda", "capacity", "tolerance", "multiplier", "wt", "anneal", "annealing", "bits", "nats",
    "ratio", "lamb", "lambd", "lamda", "coefficient", "w", "temperature",
}  # fmt: skip
# Words that make a loss' name that of its weight: kl_weight, beta_kl.
_WEIGHS = {
    "weight", "coef", "coeff", "factor", "w", "lambda", "beta", "alpha", "gamma", "lam", "lamb",
    "lambd", "lmbda", "lamda", "multiplier", "coefficient", "wt", "ratio",
}  # fmt: skip
_DENSITIES = {"p", "q", "pz", "qz", "px", "prob", "probs", "lik", "likelihood", "pxz", "qzx"}
_LATE = {"epoch", "epochs", "step", "steps", "iter", "iteration", "iterations", "itr", "idx", "it"}
_SQUARES = frozenset({"sq", "squared", "square"})
_LOSSES = {
    "loss", "losses", "nll", "kl", "kld", "kls", "bce", "mse", "elbo", "lpips", "perceptual", "ce",
    "error", "term", "penalty", "divergence", "likelihood", "logprob", "rate", "regularizer",
    "regulariser", "reg", "dkl", "xent", "criterion", "mae", "cost",
}  # fmt: skip
_BATCH = {
    "batchsize", "bs", "nbatch", "mbsize", "mb", "trainbatchsize", "nbatches",
    "sizebatch", "bsz", "batch_size", "numbatch", "b", "minibatchsize", "minibatch",
}  # fmt: skip
_CLASS_SIZES = {
    "vocabsize", "numclasses", "nclasses", "nvocab", "vocab", "numchars", "charsetlength", "nchars",
    "numtokens", "charset", "vocablen", "ncategories", "numcategories", "nclass", "vocabularysize",
    "dictsize", "alphabetsize", "numcolors", "nbins", "numbins", "nlevels",
}  # fmt: skip
_LATENT_SIZES = {
    "latentdim", "latentsize", "zdim", "zsize", "nz", "nlatent", "latentdims", "nlatents",
    "latentdimension", "dimz", "hiddendim", "embeddim", "numlatents", "latentchannels",
    "latentspacedim", "encodingdim", "codesize", "zdims", "dz", "latentdimensions",
    "numlatentdims", "latentd", "nzs", "bottleneck", "latentfeatures", "latentspacesize", "codedim",
}  # fmt: skip
_SIZED = {"dim", "dims", "size", "ndim", "num", "dimension", "dimensions", "channels"}
# Of a picture these say how large it is or where it lies, not what it shows.
_EXTENTS = {"shape", "shapes", "width", "height", "channels", "nchannel", "units", "path", "dir"}
# pad_token_id: the number of a token that stands for none.
_MARKERS = {"pad", "padding", "bos", "eos", "sos", "unk", "ignore"}
_NUMBERED = {"id", "idx", "index", "token", "value"}
# An original_dim2 is a number, no original.
_COUNTED = {"dim", "dims", "size", "sizes", "len", "length"}
_SIDES = {"rows", "cols", "row", "col", "columns", "chns", "width", "height"}
_LATENTS = {"latent", "latents", "z", "bottleneck", "code"}
_PIXEL_SIZES = {
    "originaldim", "inputdim", "inputsize", "npixels", "numpixels", "xdim", "imgdim", "datadim",
    "nfeatures", "imagedim", "inputdims", "pixels", "numinputs", "ninput", "outputdim",
    "featuredim", "ndims", "ninputs", "dimx", "imagepixels", "numfeatures", "inputunits",
    "inputshape", "imageshape", "imgshape",
}  # fmt: skip


_OF_X = {word for word in _TARGET | _OUTPUT if len(word) > 3} | {"in", "gt", "rec", "gen", "star"}
_OUTPUT |= {"star"}


# Whose outputs are no pictures.
_JUDGES = {"dis", "disc", "discriminator", "critic"}
# Letters of formulas in names: μ, logσ, x̂ (an x and a circumflex).
_LETTERS = {
    "μ": "mu", "σ": "sigma", "β": "beta", "λ": "lambda", "γ": "gamma", "α": "alpha", "ε": "eps",
    "\u0302": "_hat", "\u0303": "_tilde", "\u0304": "_bar", "²": "2",
}  # fmt: skip


@once_a_name
def words_of(name: str) -> list[str]:
    """'recon_x' and 'reconX' as ['recon', 'x']; only what follows the last dot counts."""
    name = "".join(_LETTERS.get(letter, letter) for letter in name)
    last = re.sub(r"\[['\"](\w+)['\"]\]$", r".\1", name).rsplit(".", 1)[-1]
    return [word.lower() for word in _WORD.findall(last)]


@dataclass(frozen=True)
class Guess:
    """A role, and how sure its name makes it: 2 named so, 1 may be meant."""

    role: str
    sure: int


@once_a_name
def guess(name: str) -> list[Guess]:
    """The roles that ``name`` may mean, likeliest first; empty where it says nothing."""
    words = words_of(name)
    if not words:
        return []
    if name.rsplit(".", 1)[-1].strip("'\"]").endswith("M_N"):
        # What one well known collection calls the share of a batch in its data.
        return [Guess("constant", 2)]
    whole, some = "".join(words), set(words)
    # xtrue, xstar: an x and what it is.
    some |= {w[1:] for w in words if w[:1] == "x" and w[1:] in _OF_X}
    if name.rsplit(".", 1)[-1] == "M":
        # A matrix, no mean.
        return []
    if name.rsplit(".", 1)[-1] == "b":
        # As often a weight as a batch: what it is has to be said.
        return [Guess("constant", 1)]
    size = _size_role(whole) or ("latents" if some & _SIZED and some & _LATENTS else "")
    if size:
        return [Guess(size, 2)]
    if (some & _SIDES or (some & _COUNTED and some & _TARGET)) and not some & _LOSSES:
        return [Guess("constant", 1)]
    if some & _EXTENTS or (some & _MARKERS and some & _NUMBERED):
        return []
    if some & _LOSSES and not some & _WEIGHS:
        return []
    if some & _LATE and not (some & (_TARGET - {"batch", "x"})):
        return [Guess("constant", 1)]
    if some & _PRECISION:
        return [Guess("out_scale", 2 if _of_pixels(words) else 1)]
    scale = _scale_roles(words, whole, some)
    if scale and some & (_MEAN - {"m"}):
        # mean_log_var: both side by side, to be split.
        return []
    if scale:
        return scale
    if "log" in some and some & _DENSITIES:
        # log_p_z: a log density, whatever it is one of.
        return []
    if some & _STRONG_CONSTANT:
        return [Guess("constant", 2)]
    if _of_prior(words) and some & _MEAN:
        return [Guess("prior_mean", 2)]
    if words[0] in _JUDGES and len(words) > 1:
        # What an adversary says of a picture.
        return []
    if some & _OUTPUT or (some & _MEAN and _of_pixels(words)) or whole in _OUTPUT:
        return [Guess("output", 2 if whole != "out" else 1)]
    if some & _MEAN or whole in _MEAN:
        return [Guess("mean", 2)]
    if whole in _Z or words[0] in _Z or words[-1] in _Z:
        return [Guess("z", 2)]
    if whole == "norm":
        # By how much the edges of a graph are outnumbered.
        return [Guess("constant", 1)]
    if whole in ("logp", "logps"):
        # Log probabilities of tokens, as a network gives them.
        return [Guess("output", 1)]
    if whole == "y":
        return [Guess("output", 1), Guess("target", 1)]
    if whole in ("posterior", "posteriors", "latentdist", "qz", "q", "qzx"):
        return [Guess("posterior", 1)]
    if whole in _TARGET or some & _TARGET:
        return [Guess("target", 2 if whole in _TARGET else 1)]
    if some & _CONSTANT:
        return [Guess("constant", 1)]
    return []


def is_late(name: str) -> bool:
    """A counter of epochs or steps."""
    words = set(words_of(name))
    return bool(words & _LATE) and not words & _STRONG_CONSTANT


def is_term(name: str) -> bool:
    """The name of a loss or of a part of one."""
    return bool(set(words_of(name)) & _LOSSES)


def _size_role(whole: str) -> str:
    whole = whole.removeprefix("num") if whole.startswith("numlatent") else whole
    if whole in _BATCH:
        return "batch"
    if whole in _LATENT_SIZES:
        return "latents"
    if whole in _CLASS_SIZES:
        return "classes"
    if whole in _PIXEL_SIZES:
        return "pixels"
    return ""


def _of_prior(words: list[str]) -> bool:
    """Whether a moment is that of p(z): prior_mu, mu_p, p_logvar."""
    return "prior" in words or (len(words) > 1 and "p" in (words[0], words[-1]))


def _of_pixels(words: list[str]) -> bool:
    return bool(
        set(words) & {"x", "dec", "decoder", "recon", "rec", "px", "out", "output", "pixel"}
    )


def _scale_roles(words: list[str], whole: str, some: set[str]) -> list[Guess]:
    """The kinds of scale: of the latents, or of the pixels or the prior where the name says so."""
    kept = [
        w for w in words if w not in ("z", "q", "enc", "encoder", "latent", "post", "posterior")
    ]
    core = "".join(kept)
    # H_2_std: a layer's letter and number say nothing.
    bare = "".join(w for w in kept if len(w) > 1 and not w.isdigit())
    stripped = "".join(
        w for w in kept if w not in ("x", "dec", "decoder", "recon", "rec", "px", "prior", "p",
                                     "out", "output", "pixel", "fc", "pred", "obs")
    )  # fmt: skip
    role = ""
    for names, found in (
        (_LOGVAR, "logvar"),
        (_LOG_SIGMA, "log_sigma"),
        (_SIGMA, "sigma"),
        (_VAR, "var"),
    ):
        if whole in names or core in names or stripped in names or bare in names:
            role = found
            break
    if not role and some & _SQUARES and "log" not in some:
        # sigma_squared, enc_std_square: the square of a scale.
        root = "".join(w for w in kept if w not in _SQUARES)
        role = "var" if root in _SIGMA else ""
    if not role and "log" in some and some & (_VAR | _SQUARES | {"2"}):
        role = "logvar"
    if not role and "log" in some and some & (_SIGMA - {"scale"}):
        role = "log_sigma"
    if not role and some & _LOGVAR:
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
