"""The words of which names in public code are made, by what they say of who bears them.

In lower case and without underscores. Some stand for a part of a name (``recon`` of ``recon_x``),
the sizes for a whole one (``latentdim`` of ``latent_dim``).
"""

TARGET = {
    "x", "data", "input", "inputs", "target", "targets", "img", "imgs", "image", "images", "batch",
    "orig", "original", "true", "gt", "truth", "label", "labels", "y_true", "xs", "sample",
    "samples", "pixel", "pixels", "obs", "observation", "observations", "real", "ground",
    "features",
    "expected", "actual", "action", "actions", "frame", "frames", "clean", "t",
    "sequence", "series",
    "xb",
    "tokens", "token", "ids", "mel", "audio", "signal", "batch_x", "photo", "picture", "pictures",
}  # fmt: skip
OUTPUT = {
    "recon", "recons", "reconstruction", "reconstructions", "reconstructed", "rec", "decoded",
    "output", "outputs", "out", "pred", "preds", "prediction", "predictions", "logits", "logit",
    "hat", "tilde", "decoder", "generated", "gen", "fake", "bar", "xhat", "recx", "xrec", "xr",
    "xrecon", "xout", "reconst", "dec", "prob", "probs", "yhat", "recont", "reconx", "ypred",
    "predicted", "decode", "probas", "reconstruct", "xp", "px", "rx", "restored", "recovered",
    "xdecoded", "xh",
    "prime", "renders", "star",
}  # fmt: skip
MEAN = {"mu", "mean", "means", "mus", "loc", "m", "zmu", "zmean", "mn", "avg", "muz"}
LOGVAR = {
    "logvar", "lv", "logvariance", "logsigma2", "logsigmasq", "logvars", "logsigmasquared", "logv",
    "lnvar", "lvar", "zlogvar", "logsd2", "logs2", "lsgms", "logstd2",
}  # fmt: skip
LOG_SIGMA = {
    "logsigma", "logstd", "logsd", "logscale", "logstddev", "lnsigma", "logs", "lsigma",
    "logdev", "logsig", "rho",
}  # fmt: skip
SIGMA = {
    "sigma", "std", "stddev", "sd", "scale", "stdev", "sig", "sigmas", "deviation", "stds", "sds",
}  # fmt: skip
VAR = {
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
PRECISION = {"prec", "precision", "logprec", "logprecision"}
Z = {"z", "latent", "latents", "zs", "code", "codes", "embedding", "zsample", "zsamples"}
CONSTANT = {
    "weight", "weights", "w", "coef", "coeff", "coefficient", "beta", "alpha", "lambda", "lam",
    "lamb", "gamma", "factor", "kld_weight", "rate", "capacity", "free", "tolerance", "lmbda",
    "lambd", "multiplier", "eta", "delta", "temperature", "tau", "wt", "anneal", "annealing",
    "annealed", "epsilon", "eps", "margin", "threshold", "min", "max", "target_kl", "fraction",
    "num", "n", "cost", "scaling", "warmup", "ratio", "c", "k", "lamda", "strength", "bits", "nats",
    "dataset", "size", "len", "total", "count", "theta", "zeta", "kappa", "nu", "penalty", "dim",
}  # fmt: skip
STRONG_CONSTANT = {
    "weight", "weights", "coef", "coeff", "beta", "alpha", "lambda", "lam", "gamma", "factor",
    "lmbda", "capacity", "tolerance", "multiplier", "wt", "anneal", "annealing", "bits", "nats",
    "ratio", "lamb", "lambd", "lamda", "coefficient", "w", "temperature",
}  # fmt: skip
# Words that make a loss' name that of its weight: kl_weight, beta_kl.
WEIGHS = {
    "weight", "coef", "coeff", "factor", "w", "lambda", "beta", "alpha", "gamma", "lam", "lamb",
    "lambd", "lmbda", "lamda", "multiplier", "coefficient", "wt", "ratio",
}  # fmt: skip
DENSITIES = {"p", "q", "pz", "qz", "px", "prob", "probs", "lik", "likelihood", "pxz", "qzx"}
LATE = {"epoch", "epochs", "step", "steps", "iter", "iteration", "iterations", "itr", "idx", "it"}
# Words that make the name of a counter that of its end: n_epochs, total_steps.
IN_ALL = {"n", "num", "number", "total", "max", "maximum", "all"}
SQUARES = frozenset({"sq", "squared", "square"})
LOSSES = {
    "loss", "losses", "nll", "kl", "kld", "kls", "bce", "mse", "elbo", "lpips", "perceptual", "ce",
    "error", "term", "penalty", "divergence", "likelihood", "logprob", "rate", "regularizer",
    "regulariser", "reg", "dkl", "xent", "criterion", "mae", "cost",
}  # fmt: skip
BATCH = {
    "batchsize", "bs", "nbatch", "mbsize", "mb", "trainbatchsize", "nbatches",
    "sizebatch", "bsz", "batch_size", "numbatch", "b", "minibatchsize", "minibatch",
}  # fmt: skip
CLASS_SIZES = {
    "vocabsize", "numclasses", "nclasses", "nvocab", "vocab", "numchars", "charsetlength", "nchars",
    "numtokens", "charset", "vocablen", "ncategories", "numcategories", "nclass", "vocabularysize",
    "dictsize", "alphabetsize", "numcolors", "nbins", "numbins", "nlevels",
}  # fmt: skip
LATENT_SIZES = {
    "latentdim", "latentsize", "zdim", "zsize", "nz", "nlatent", "latentdims", "nlatents",
    "latentdimension", "dimz", "hiddendim", "embeddim", "numlatents", "latentchannels",
    "latentspacedim", "encodingdim", "codesize", "zdims", "dz", "latentdimensions",
    "numlatentdims", "latentd", "nzs", "bottleneck", "latentfeatures", "latentspacesize", "codedim",
    "encodedsize", "encodesize", "encodeddim", "encodedim",
}  # fmt: skip
SIZED = {"dim", "dims", "size", "ndim", "num", "dimension", "dimensions", "channels"}
# Of a picture these say how large it is or where it lies, not what it shows.
EXTENTS = {"shape", "shapes", "width", "height", "channels", "nchannel", "units", "path", "dir"}
# pad_token_id: the number of a token that stands for none.
MARKERS = {"pad", "padding", "bos", "eos", "sos", "unk", "ignore"}
NUMBERED = {"id", "idx", "index", "token", "value"}
# An original_dim2 is a number, no original.
COUNTED = {"dim", "dims", "size", "sizes", "len", "length"}
SIDES = {"rows", "cols", "row", "col", "columns", "chns", "width", "height"}
LATENTS = {"latent", "latents", "z", "bottleneck", "code"}
PIXEL_SIZES = {
    "originaldim", "inputdim", "inputsize", "npixels", "numpixels", "xdim", "imgdim", "datadim",
    "nfeatures", "imagedim", "inputdims", "pixels", "numinputs", "ninput", "outputdim",
    "featuredim", "ndims", "ninputs", "dimx", "imagepixels", "numfeatures", "inputunits",
    "inputshape", "imageshape", "imgshape",
}  # fmt: skip


# What may stand behind an x without a gap: xtrue, xstar.
OF_X = {word for word in TARGET | OUTPUT if len(word) > 3} | {"in", "gt", "rec", "gen"}


# Whose outputs are no pictures.
JUDGES = {"dis", "disc", "discriminator", "critic"}
# Letters of formulas in names: μ, logσ, x̂ (an x and a circumflex).
LETTERS = {
    "μ": "mu", "σ": "sigma", "β": "beta", "λ": "lambda", "γ": "gamma", "α": "alpha", "ε": "eps",
    "\u0302": "_hat", "\u0303": "_tilde", "\u0304": "_bar", "²": "2",
}  # fmt: skip
# What further words make of a role: moments yet to be split, what is given, how far it spreads.
SIDE_BY_SIDE = {"param", "params", "parameters", "moments", "stats", "statistics"}
GIVEN = {"target", "targets", "label", "labels"}
SPREADS = {"vari", "variance", "std", "stddev", "sigma"}
# Words of an output that is a picture again.
REBUILT = frozenset(
    {"recon", "recons", "reconstruction", "reconstructed", "rec", "decoded", "hat", "tilde", "xhat"}
    | {"reconst", "decoder", "reconx", "recx", "xrec"}
)
